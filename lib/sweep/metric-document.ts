import { curveOf } from "./metrics.ts";
import type { Point } from "./metrics.ts";

/** `MetricSummary` of the Desk. */
export interface MetricExtent {
  name: string;
  n: number;
  stepFirst: number | null;
  stepLast: number | null;
  /** Null for NaN, infinity and what is no number. */
  last: number | null;
}

/** `MetricDocument` of the Desk. */
export interface MetricFigures extends MetricExtent {
  mean: number | null;
  median: number | null;
  /** Of the sample; null for fewer than two numbers. */
  stddev: number | null;
  min: number | null;
  max: number | null;
  hasNanOrInf: boolean;
  recent: readonly (number | null)[];
  points: readonly { step: number; value: number | null }[];
}

/** `MetricQuery` of the Desk: which points count, and how many are given one by one. */
export interface MetricWindow {
  lastN?: number;
  stepMin?: number;
  stepMax?: number;
  sinceSeconds?: number;
  points?: number;
}

/** Most points that a document gives beside its numbers. */
export const MOST_POINTS = 2000;
/** Values that are given one by one: enough to see a trend. */
const RECENT = 8;

/** A metric's extent and last value, from its points in the order of the file. */
export function metricSummary(name: string, points: readonly Point[]): MetricExtent {
  const curve = curveOf(points);
  return {
    name,
    n: curve.length,
    stepFirst: curve[0]?.step ?? null,
    stepLast: curve.at(-1)?.step ?? null,
    last: curve.at(-1)?.value ?? null,
  };
}

/**
 * Statistics of the points that a query lets through, one per step. NaN and
 * infinities count in `n` and are null; the numbers are made of the others.
 * `now` is in milliseconds since the epoch.
 */
export function metricDocument(
  name: string,
  points: readonly Point[],
  query: MetricWindow,
  now: number,
): MetricFigures {
  const curve = windowOf(curveOf(points), query, now);
  const numbers = curve.flatMap(({ value }) => value ?? []);
  const { mean, stddev } = spreadOf(numbers);
  return {
    ...metricSummary(name, curve),
    mean,
    median: medianOf(numbers),
    stddev,
    min: numbers.reduce<number | null>((least, x) => least === null || x < least ? x : least, null),
    max: numbers.reduce<number | null>((most, x) => most === null || x > most ? x : most, null),
    hasNanOrInf: curve.some(isNanOrInf),
    recent: curve.slice(-RECENT).map(({ value }) => value),
    points: thinned(curve, Math.min(query.points ?? 0, MOST_POINTS))
      .map(({ step, value }) => ({ step, value })),
  };
}

/** Whether a trainer logged what is no number any more, not merely something else, such as a text. */
export function isNanOrInf({ value, raw }: Point): boolean {
  return value === null && raw !== undefined && /^[+-]?(nan|inf|infinity)$/i.test(raw.trim());
}

function windowOf(curve: readonly Point[], query: MetricWindow, now: number): readonly Point[] {
  const { lastN, stepMin = -Infinity, stepMax = Infinity, sinceSeconds } = query;
  const since = sinceSeconds === undefined ? -Infinity : now / 1000 - sinceSeconds;
  const within = curve.filter(({ step, at }) => step >= stepMin && step <= stepMax && at >= since);
  return lastN === undefined ? within : within.slice(Math.max(0, within.length - lastN));
}

/** Welford's way: neither a large sum nor a large square can overflow before its time. */
function spreadOf(numbers: readonly number[]): { mean: number | null; stddev: number | null } {
  let mean = 0;
  let squares = 0;
  for (const [i, x] of numbers.entries()) {
    const delta = x - mean;
    mean += delta / (i + 1);
    squares += delta * (x - mean);
  }
  return {
    mean: finite(numbers.length === 0 ? NaN : mean),
    stddev: finite(numbers.length < 2 ? NaN : Math.sqrt(squares / (numbers.length - 1))),
  };
}

function medianOf(numbers: readonly number[]): number | null {
  const sorted = Float64Array.from(numbers).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return finite(sorted[middle - 1]! / 2 + sorted[middle]! / 2);
}

/** JSON has no word for what is not finite. */
function finite(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}

/** Evenly, the first and the last among them. */
function thinned(curve: readonly Point[], most: number): readonly Point[] {
  if (most <= 0) return [];
  if (curve.length <= most) return curve;
  if (most === 1) return curve.slice(-1);
  const stride = (curve.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => curve[Math.round(i * stride)]!);
}
