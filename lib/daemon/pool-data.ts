import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, replaceFile } from "../base/files.ts";
import type { PoolState } from "../tasks/pool-state.ts";
import { TASK_FILES } from "../tasks/task-data.ts";
import type { TaskData, TaskFile } from "../tasks/task-data.ts";
import { isOver } from "../tasks/task.ts";
import type { PoolPlace } from "./pool-place.ts";

const NAME = /^([0-9a-f]{64})\.json$/;
/** What was written for a submission that is just being made is not in the journal yet. */
const FRESH_MS = 60 * 60_000;

/** Keeps the files of a task under their digest, durably, before the journal names them. */
export function keepTaskData(
  place: Pick<PoolPlace, "data">,
  { files, proposes }: { files: readonly TaskFile[]; proposes: readonly string[] },
): TaskData {
  const json = JSON.stringify(files.map(({ name, text }) => ({ name, text })));
  const sha256 = digestOf(json);
  mkdirSync(place.data, { recursive: true, mode: 0o700 });
  // Also where it is there: it is as young as its newest task.
  replaceFile(pathOf(place, sha256), json, 0o600);
  return {
    sha256,
    names: files.map(({ name }) => name),
    proposes: files.filter(({ name }) => proposes.includes(name))
      .map(({ name, text }) => ({ name, sha256: digestOf(text) })),
  };
}

/** Undefined when they are not kept any more, or are not what was kept. */
export function readTaskData(
  place: Pick<PoolPlace, "data">,
  { sha256 }: Pick<TaskData, "sha256">,
): readonly TaskFile[] | undefined {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  try {
    const json = readIfThere(pathOf(place, sha256));
    if (json === undefined || digestOf(json) !== sha256) return undefined;
    return TASK_FILES.parse(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** Digests that a task may still need: one that is not over, failed unseen, or ended since. */
export function neededData(
  { tasks }: Pick<PoolState, "tasks">,
  since: number,
): ReadonlySet<string> {
  return new Set(
    [...tasks.values()].flatMap((task) => {
      const { wish: { data }, endedAt, status, acknowledged } = task;
      if (data === undefined) return [];
      const isFree = isOver(task) && (endedAt ?? 0) < since &&
        (status === "succeeded" || status === "cancelled" || acknowledged);
      return isFree ? [] : [data.sha256];
    }),
  );
}

/** Deletes what no task needs. What cannot be deleted is tried again the next time. */
export function removeTaskData(
  place: Pick<PoolPlace, "data">,
  needed: ReadonlySet<string>,
  now: number,
): void {
  for (const name of namesIn(place.data)) {
    const digest = NAME.exec(name)?.[1];
    const path = join(place.data, name);
    if (digest !== undefined && needed.has(digest)) continue;
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (written === undefined || now - written < FRESH_MS) continue;
    try {
      rmSync(path, { force: true });
    } catch {
      // Its folder is not ours to write in now.
    }
  }
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function pathOf({ data }: Pick<PoolPlace, "data">, sha256: string): string {
  return join(data, `${sha256}.json`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
