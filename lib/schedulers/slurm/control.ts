import { SchedulerError } from "../../base/errors.ts";
import type { Ended } from "../../base/process.ts";
import { compactRanges } from "../../base/text.ts";
import type { TaskRef } from "../scheduler.ts";
import { type Call, said } from "./call.ts";

/** Bytes of arguments per call, far below Linux's limit. */
const LONGEST_CALL = 100_000;

/**
 * What is over cannot be cancelled or throttled, and need not be. Of an array it
 * names the finished tasks, having changed the others.
 */
const OVER = /already completing or completed|Invalid job id|already finished|: No error/i;

/**
 * Asks SLURM to end tasks. "ok" says that SLURM took the request: scancel
 * answers 0 for unknown and for finished jobs too.
 */
export async function cancelTasks(
  call: Call,
  tasks: readonly TaskRef[],
): Promise<{ ok: boolean; detail: string }> {
  const troubles: string[] = [];
  for (const names of cancelNames(tasks)) {
    const ended = await call(["scancel", ...names]);
    if (!ended.ok && !onlyOver(ended)) troubles.push(said(ended));
  }
  return { ok: troubles.length === 0, detail: troubles.join("; ") };
}

/** `9_[0-3,7]` for each job, in groups that fit one call each. */
export function cancelNames(tasks: readonly TaskRef[]): string[][] {
  const groups: string[][] = [];
  let bytes = Infinity;
  for (const [jobId, own] of Map.groupBy(tasks, (task) => task.jobId)) {
    for (const ranges of pieces(compactRanges(own.map(({ task }) => task)))) {
      const name = `${jobId}_[${ranges}]`;
      if (bytes + name.length > LONGEST_CALL) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)!.push(name);
      bytes += name.length + 1;
    }
  }
  return groups;
}

/** Cuts a long list of ranges at commas. */
function pieces(ranges: string): string[] {
  return ranges.match(/.{1,10000}(?=,|$)/g)!.map((piece) => piece.replace(/^,/, ""));
}

function onlyOver(ended: Ended): boolean {
  const lines = ended.stderr.split("\n").filter((line) => line.trim() !== "");
  return ended.exitCode !== undefined && lines.length > 0 && lines.every((line) => OVER.test(line));
}

/** How many tasks of an array may run at once; SLURM's word for no limit is 0. */
export async function throttleArray(
  call: Call,
  jobId: string,
  limit: number | undefined,
): Promise<void> {
  const argv = ["scontrol", "update", `JobId=${jobId}`, `ArrayTaskThrottle=${limit ?? 0}`];
  const ended = await call(argv);
  if (ended.ok || onlyOver(ended)) return;
  const denied = /denied|permission/i.test(ended.stderr);
  throw new SchedulerError(
    denied ? "rejected" : "unreachable",
    `Cannot limit how many tasks of job ${jobId} run at once: ${said(ended)}`,
    { detail: ended.stderr },
  );
}
