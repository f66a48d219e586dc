const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Every offset from UTC that there is lies within it. */
const WIDEST_MS = 15 * HOUR_MS;

/**
 * The clock on the wall somewhere. `wall` is what it shows, as if that were UTC: milliseconds
 * since 1970-01-01 00:00 of that clock.
 */
export interface Zone {
  wallOf(at: number): number;
  /** The instants at which the clock shows these walls of one day, in order, each once. */
  instantsOf(walls: readonly number[], repeats: boolean): number[];
}

export function isTimeZone(name: string): boolean {
  // Offsets such as "+02:00" know no summer time, and not every system has them.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Throws RangeError for a name that `isTimeZone` refuses. */
export function createZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });

  function wallOf(at: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const wall = Date.UTC(year, month - 1, day, hour, minute, second);
    return wall + (at - Math.floor(at / 1000) * 1000);
  }

  const offsetAt = (at: number) => wallOf(at) - at;

  /** The first whole minute at or after the change between the two. */
  function changeBetween(early: number, late: number): number {
    const after = offsetAt(late);
    let [from, to] = [Math.floor(early / MINUTE_MS), Math.ceil(late / MINUTE_MS)];
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2);
      if (offsetAt(middle * MINUTE_MS) === after) to = middle;
      else from = middle;
    }
    return to * MINUTE_MS;
  }

  function instantsOf(walls: readonly number[], repeats: boolean): number[] {
    const first = walls[0];
    if (first === undefined) return [];
    const [early, late] = [first - WIDEST_MS, walls.at(-1)! + WIDEST_MS];
    const offsets = [offsetAt(early), offsetAt(late)] as const;
    if (offsets[0] === offsets[1]) return walls.map((wall) => wall - offsets[0]);
    const found = walls.flatMap((wall) => {
      const shown = offsets.map((offset) => wall - offset)
        .filter((at, i) => offsetAt(at) === offsets[i]);
      if (shown.length === 0) return repeats ? [] : [changeBetween(early, late)];
      return repeats ? shown : [Math.min(...shown)];
    });
    return [...new Set(found)].sort((a, b) => a - b);
  }

  return { wallOf, instantsOf };
}
