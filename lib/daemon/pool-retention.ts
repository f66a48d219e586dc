import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { PoolState } from "../tasks/pool-state.ts";
import { removeFolders, toDelete } from "../tasks/retention.ts";
import type { KeptFolder } from "../tasks/retention.ts";
import { isOver } from "../tasks/task.ts";
import type { Task } from "../tasks/task.ts";
import { neededData, removeTaskData } from "./pool-data.ts";
import type { PoolPlace } from "./pool-place.ts";

/** Deletes what may go of the files that are kept on this machine, and says when there is no room. */
export async function sweepRetention(
  desk: PoolDesk,
  place: PoolPlace,
  clock: Pick<Clock, "now">,
  log: Log,
): Promise<void> {
  const { succeededMs, quotaBytes } = desk.config().retention;
  const folders = await keptFolders(place.tasks, desk);
  const chosen = toDelete(folders, { now: clock.now(), succeededMs, quotaBytes });
  if (chosen.says !== undefined) log.write("warn", chosen.says, { folder: place.tasks });
  const isRunning = (task: string, epoch: number) =>
    attemptKept(desk.state(), task, epoch).state === "running";
  for (const { task, epoch, why } of removeFolders(place.root, chosen.folders, isRunning)) {
    log.write("warn", `Cannot delete the files of ${task}:${epoch}`, { error: why });
  }
  removeTaskData(place, neededData(desk.state(), clock.now() - succeededMs), clock.now());
}

async function keptFolders(root: string, desk: PoolDesk): Promise<KeptFolder[]> {
  const found: KeptFolder[] = [];
  for (const task of namesIn(root)) {
    for (const name of namesIn(join(root, task))) {
      const epoch = Number(name);
      if (!Number.isInteger(epoch)) continue;
      const bytes = bytesOf(join(root, task, name));
      found.push({ task, epoch, bytes, ...attemptKept(desk.state(), task, epoch) });
      await Promise.resolve();
    }
  }
  return found;
}

/** What retention goes by for one attempt. */
export function attemptKept(
  pool: PoolState,
  id: string,
  epoch: number,
): Pick<KeptFolder, "state" | "endedAt" | "acknowledged"> {
  const task: Task | undefined = pool.tasks.get(id);
  const attempt = task?.attempts.find((one) => one.epoch === epoch);
  const acknowledged = task?.acknowledged ?? false;
  if (task === undefined || attempt === undefined) {
    return { state: "unknown", endedAt: undefined, acknowledged };
  }
  if (attempt.endedAt === undefined && !isOver(task)) {
    return { state: "running", endedAt: undefined, acknowledged };
  }
  const endedAt = attempt.endedAt ?? task.endedAt;
  if (attempt.report?.end === "done") return { state: "succeeded", endedAt, acknowledged };
  if (task.status === "cancelled") return { state: "cancelled", endedAt, acknowledged };
  // An attempt whose task went well in the end needs nobody's eyes.
  if (task.status === "succeeded") return { state: "succeeded", endedAt, acknowledged };
  return { state: "failed", endedAt, acknowledged };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Of all files below a folder. */
export function bytesOf(folder: string): number {
  let sum = 0;
  const open = [folder];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    try {
      for (const entry of readdirSync(at, { withFileTypes: true })) {
        const path = join(at, entry.name);
        if (entry.isDirectory()) open.push(path);
        else if (entry.isFile()) sum += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      }
    } catch {
      // It is being deleted.
    }
  }
  return sum;
}
