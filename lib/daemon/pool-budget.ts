import type { PoolState } from "../tasks/pool-state.ts";

/** US dollars of today (UTC); what runs counts with what it said last. */
export function spentToday(state: PoolState, now: number): number {
  const day = new Date(now).toISOString().slice(0, 10);
  let usd = 0;
  for (const entry of state.spent) if (entry.day === day) usd += entry.usd;
  for (const { status, attempts } of state.tasks.values()) {
    if (status !== "running") continue;
    for (const use of attempts.at(-1)?.use ?? []) usd += use.usd ?? 0;
  }
  return usd;
}
