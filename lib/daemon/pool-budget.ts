import { spentOnDay } from "../tasks/cost-report.ts";
import type { PoolState } from "../tasks/pool-state.ts";

/** US dollars of today (UTC); what runs counts with what it said last. */
export function spentToday(state: PoolState, now: number): number {
  let { usd } = spentOnDay(state, new Date(now).toISOString().slice(0, 10));
  for (const { status, attempts } of state.tasks.values()) {
    if (status !== "running") continue;
    for (const use of attempts.at(-1)?.use ?? []) usd += use.usd ?? 0;
  }
  return usd;
}
