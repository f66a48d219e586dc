/** One record of a metric's stream. */
export interface Point {
  step: number;
  /** Null for NaN, infinities and whatever is no number. */
  value: number | null;
  /** Seconds since the epoch, as the trainer's clock said; 0 when it did not say. */
  at: number;
  /** What was logged when it is no finite number, such as "NaN". */
  raw?: string;
}

/** Records over which a rate is measured: recent enough to follow a change, many enough to be calm. */
const RATE_RECORDS = 80;

/**
 * Reads a stream (`results/<i>/stream/<metric>.jsonl`) in the order of the file.
 * Torn and foreign lines are left out: trainers are killed while they write.
 */
export function parseStream(text: string): Point[] {
  return readStream(text).points;
}

/** As `parseStream`, and the number of lines that were left out. */
export function readStream(text: string): { points: Point[]; bad: number } {
  const points: Point[] = [];
  let bad = 0;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const point = readRecord(line);
    if (point === undefined) bad += 1;
    else points.push(point);
  }
  return { points, bad };
}

function readRecord(line: string): Point | undefined {
  const record = parseJson(line);
  if (typeof record !== "object" || record === null || !("step" in record)) return undefined;
  const { step } = record;
  if (typeof step !== "number" || !Number.isFinite(step)) return undefined;
  if (!("value" in record)) return undefined;
  const at = "ts" in record && typeof record.ts === "number" ? record.ts : 0;
  const { value } = record;
  if (typeof value === "number") return { step, value, at };
  const raw = typeof value === "string" ? value : JSON.stringify(value);
  return { step, value: null, at, raw };
}

/** JSON, and the `NaN`, `Infinity` and `-Infinity` that Python's json module writes. */
function parseJson(line: string): unknown {
  try {
    return withoutInfinities(JSON.parse(line));
  } catch {
    if (!/NaN|Infinity/.test(line)) return undefined;
  }
  try {
    return JSON.parse(line.replace(
      /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g,
      (token) => token.startsWith('"') ? token : `"${token}"`,
    ));
  } catch {
    return undefined;
  }
}

/** `1e999` is JSON, and infinite. */
function withoutInfinities(record: unknown): unknown {
  if (typeof record !== "object" || record === null || !("value" in record)) return record;
  const infinite = typeof record.value === "number" && !Number.isFinite(record.value);
  return infinite ? { ...record, value: `${record.value}` } : record;
}

/**
 * A stream by rising step, one point per step: of two records of a step (a
 * resumed trainer repeats some) the younger counts, the later line among equals.
 */
export function curveOf(points: readonly Point[]): readonly Point[] {
  if (isRising(points)) return points;
  const byStep = new Map<number, Point>();
  for (const point of points) {
    const known = byStep.get(point.step);
    if (known === undefined || point.at >= known.at) byStep.set(point.step, point);
  }
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

function isRising(points: readonly Point[]): boolean {
  return points.every((point, i) => i === 0 || points[i - 1]!.step < point.step);
}

/**
 * The value that a trial had when it came to `rung` (in steps): that of its
 * largest step up to there, else its earliest. Null for NaN and for no points.
 * `curve` as `curveOf` gives it.
 */
export function valueAtRung(curve: readonly Point[], rung: number): number | null {
  return pointAtRung(curve, rung)?.value ?? null;
}

/** The point behind `valueAtRung`. */
export function pointAtRung(curve: readonly Point[], rung: number): Point | undefined {
  let low = 0;
  let high = curve.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (curve[middle]!.step <= rung) low = middle + 1;
    else high = middle;
  }
  return curve[Math.max(0, low - 1)];
}

/** What `status` shows of a trial's streams. */
export interface Progress {
  /** The highest step that any stream logged. */
  step: number | null;
  /** Steps per minute over the last records of the stream that owns that step; null when unknown. */
  stepsPerMinute: number | null;
  /** When that stream was last written, in seconds since the epoch. */
  at: number | null;
}

/** How far a trial is, from all its metrics' streams in the order of their files. */
export function summarise(
  streams: Iterable<readonly Point[]>,
  options: { records?: number } = {},
): Progress {
  let owner: readonly Point[] | undefined;
  let step = -Infinity;
  for (const points of streams) {
    const highest = points.reduce((most, point) => Math.max(most, point.step), -Infinity);
    if (highest > step) [owner, step] = [points, highest];
  }
  if (owner === undefined) return { step: null, stepsPerMinute: null, at: null };
  const records = options.records ?? RATE_RECORDS;
  return { step, stepsPerMinute: rateOf(owner.slice(-records)), at: owner.at(-1)!.at };
}

/** Only the records since the last restart count: a resumed trainer steps back and lost time between. */
function rateOf(points: readonly Point[]): number | null {
  let from = points.length - 1;
  while (from > 0 && points[from - 1]!.step < points[from]!.step) from -= 1;
  const [first, last] = [points[from], points.at(-1)];
  if (first === undefined || last === undefined) return null;
  const seconds = last.at - first.at;
  if (first.at === 0 || seconds <= 0) return null;
  return Math.round((last.step - first.step) / seconds * 6000) / 100;
}
