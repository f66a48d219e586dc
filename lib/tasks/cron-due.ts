import type { Cron } from "./cron.ts";
import { createZone } from "./cron-zone.ts";
import type { Zone } from "./cron-zone.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** A 29th of February that must be a Sunday comes after 40 years at the latest. */
const FARTHEST_DAYS = 41 * 366;

/**
 * The first time after `after` at which it is due; undefined when there is none in 40 years.
 * A time that the clock leaps over is due at the next minute that exists; one that it shows twice
 * is due once. What is due in every hour goes by the time that passes instead, so that no hour
 * is left out and none is filled up.
 */
export function nextDue(cron: Cron, timeZone: string, after: number): number | undefined {
  const zone = createZone(timeZone);
  const start = dayOf(zone.wallOf(after)) - 1;
  for (let day = start; day < start + FARTHEST_DAYS; day++) {
    if (!isDay(cron, day)) continue;
    // A clock that is set back at midnight mixes two days.
    const times = [...dueOn(cron, zone, day), ...dueOn(cron, zone, day + 1)];
    const next = times.filter((at) => at > after).sort((a, b) => a - b)[0];
    if (next !== undefined) return next;
  }
  return undefined;
}

/** The last times at which it was due after `after` and up to `until`, in order, at most so many. */
export function lastDue(
  cron: Cron,
  timeZone: string,
  { after, until, most }: { after: number; until: number; most: number },
): number[] {
  const zone = createZone(timeZone);
  const end = dayOf(zone.wallOf(until)) + 1;
  const start = Math.max(dayOf(zone.wallOf(after)) - 1, end - FARTHEST_DAYS);
  const found = new Set<number>();
  let enough: number | undefined;
  for (let day = end; day >= start; day--) {
    for (const at of dueOn(cron, zone, day)) if (at > after && at <= until) found.add(at);
    // One day more than is needed, as days may mix.
    if (found.size >= most) enough ??= day - 1;
    if (enough !== undefined && day <= enough) break;
  }
  return [...found].sort((a, b) => a - b).slice(-most);
}

function dayOf(wall: number): number {
  return Math.floor(wall / DAY_MS);
}

/** Days count from 1970-01-01. */
function isDay({ days, months, weekdays, either }: Cron, day: number): boolean {
  const date = new Date(day * DAY_MS);
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const [inMonth, inWeek] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return either ? inMonth || inWeek : inMonth && inWeek;
}

function dueOn(cron: Cron, zone: Zone, day: number): number[] {
  if (!isDay(cron, day)) return [];
  const walls = cron.hours.flatMap((hour) =>
    cron.minutes.map((minute) => day * DAY_MS + (hour * 60 + minute) * MINUTE_MS)
  );
  return zone.instantsOf(walls, cron.hours.length === 24);
}
