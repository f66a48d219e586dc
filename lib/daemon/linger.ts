import { trialViews } from "../sweep/view.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { isOver } from "../tasks/task.ts";
import type { HeldSweep } from "./held-sweep.ts";
import { pathOf } from "./sweep-doors.ts";

/** For an agent at work, and for a person who is to decide about its proposal. */
const WORK_MS = 24 * 60 * 60_000;
/** For somebody who sees a failure and may let an agent look at it. */
const FAILED_MS = 10 * 60_000;

/**
 * How long a sweep that is done stays in the daemon because of the pool's agents: with the sweep its
 * channel would go, and in it the button under a failed trial and the answer. Milliseconds.
 */
export function lingerMs(
  held: Pick<HeldSweep, "outside">,
  pool: Pick<PoolDesk, "state"> | undefined,
  /** People see its channel and can press buttons there. */
  isSeen: boolean,
): number {
  if (pool === undefined) return 0;
  const path = pathOf(held);
  for (const task of pool.state().tasks.values()) {
    if (task.origin.sweepPath !== path) continue;
    const isTold = task.told?.epoch === task.epoch && task.told.status === task.status;
    if (!isOver(task) || !isTold) return WORK_MS;
    if (isSeen && task.told?.proposal?.state === "open") return WORK_MS;
  }
  const isFailed = isSeen &&
    trialViews(held.outside.state()).some(({ status }) => status === "failed");
  return isFailed ? FAILED_MS : 0;
}
