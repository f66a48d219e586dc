import type { Attempt } from "../sweep/attempt.ts";
import type { Point } from "../sweep/metrics.ts";

/** NaN and the infinities as Python, C and JavaScript write them. Other text says nothing of the trial. */
const NON_FINITE = /^[+-]?(nan|inf(inity)?)$/i;

export function isNonFinite({ value, raw }: Point): boolean {
  return value === null && raw !== undefined && NON_FINITE.test(raw.trim());
}

/**
 * What the attempt that is running now has recorded, in its order. Without a
 * time a record may be of an earlier attempt, which wrote into the same file.
 */
export function ownPoints(points: readonly Point[], attempt: Attempt | undefined): Point[] {
  const since = attempt?.startedAt;
  if (since === undefined) return [];
  return points.filter(({ at }) => at * 1000 >= since);
}

/** A metric of which NaN means that training is lost: any kind of loss, but not the scale of one. */
export function isLossLike(name: string): boolean {
  return /loss/i.test(name) && !/lossless|gloss|loss[^a-z]?(scale|scaling|weight|coef)/i.test(name);
}
