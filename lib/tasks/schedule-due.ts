import { parseCron } from "./cron.ts";
import { lastDue } from "./cron-due.ts";
import type { PoolSchedule } from "./pool-config.ts";

/** More than these are no longer worth doing; the newest count. */
const MOST_CAUGHT_UP = 50;
/** Due so lately that nobody was late: steps are seconds apart. */
const ON_TIME_MS = 120_000;

/**
 * When the schedule was due since `lastFired` and has not been seen to, up to `now`, in order.
 * `lastFired` is when it was due last; for one that never was, when it was first seen: undefined
 * is as if that were just now. A clock that was set back gives nothing.
 */
export function dueBetween(
  { cron: text, timeZone, catchUp }: Pick<PoolSchedule, "cron" | "timeZone" | "catchUp">,
  lastFired: number | undefined,
  now: number,
): number[] {
  const cron = parseCron(text);
  if ("wrong" in cron) return [];
  const lately = now - ON_TIME_MS;
  const since = lastFired ?? lately;
  const after = catchUp === "none" ? Math.max(since, lately) : since;
  if (after >= now) return [];
  return lastDue(cron, timeZone, {
    after,
    until: now,
    most: catchUp === "all" ? MOST_CAUGHT_UP : 1,
  });
}
