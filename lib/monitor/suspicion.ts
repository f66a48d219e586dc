import { curveOf, pointAtRung } from "../sweep/metrics.ts";
import type { Point } from "../sweep/metrics.ts";
import { formatG } from "../sweep/number-text.ts";
import type { TrialView } from "../sweep/view.ts";
import { spanText } from "../words/duration-text.ts";
import { oneLine } from "./log-lines.ts";
import { isLossLike, isNonFinite, ownPoints } from "./non-finite.ts";
import type { Streams } from "./sickness.ts";

/** Worth a word to a person once, never a reason to act. */
export interface Suspicion {
  trial: number;
  about: "far-behind" | "silent" | "no-records" | "frozen" | "not-finite";
  /** A sentence without its final period. */
  detail: string;
}

export interface SuspicionInput extends Streams {
  /** All trials; peers are found among them. */
  views: readonly TrialView[];
  /** Milliseconds since the epoch. */
  now: number;
  /** `state.monitor.warned`: what was said of a trial is not said again. */
  warned: Readonly<Record<string, number>>;
}

/** So much worse than the peers' median, with so many steps and peers to compare by. */
const FAR_BEHIND = { times: 5, steps: 30, peers: 3 };
/** No sign of life of the job, which writes one every half minute. */
const SILENT_MS = 15 * 60_000;
/** A metric that comes regularly has not come for so many of its intervals, and for so long. */
const OVERDUE = { records: 5, intervals: 10, ms: 30 * 60_000 };
/** The very same value so often, over so long. */
const FROZEN = { records: 20, ms: 10 * 60_000 };

/** What the numbers say of running trials that a person may want to know; one of each kind per trial. */
export function suspicions(input: SuspicionInput): Suspicion[] {
  const target = input.objective === "none" ? undefined : input.objective;
  const curves = new Map<number, readonly Point[]>();
  const curve = (trial: number) => {
    const known = curves.get(trial);
    if (known !== undefined) return known;
    const made = target === undefined
      ? []
      : curveOf(input.streamsOf(trial).get(target.metric) ?? []);
    curves.set(trial, made);
    return made;
  };
  const found: Suspicion[] = [];
  for (const view of input.views) {
    if (view.status !== "running" || view.wish !== undefined) continue;
    const { index } = view.trial;
    const own = ownStreams(view, input);
    const all = [
      silent(view),
      target === undefined ? undefined : farBehind(
        view,
        ownPoints(curve(index), view.attempt),
        target,
        { views: input.views, curve },
      ),
      noRecords(index, own, input.now),
      ...[...own].flatMap(([metric, points]) => {
        const isWatched = metric === target?.metric || isLossLike(metric);
        return isWatched ? [frozen(index, metric, points), notFinite(index, metric, points)] : [];
      }),
    ];
    for (const one of all) {
      if (one === undefined || input.warned[`${one.trial}/${one.about}`] !== undefined) continue;
      if (!found.some(({ trial, about }) => trial === one.trial && about === one.about)) {
        found.push(one);
      }
    }
  }
  return found;
}

function ownStreams(view: TrialView, { streamsOf }: Streams): Map<string, Point[]> {
  const all = [...streamsOf(view.trial.index)];
  return new Map(all.map(([metric, points]) => [metric, ownPoints(points, view.attempt)]));
}

function silent({ trial, silentMs }: TrialView): Suspicion | undefined {
  if (silentMs === undefined || silentMs < SILENT_MS) return undefined;
  const detail = `Its job has given no sign of life for ${spanText(silentMs)}`;
  return { trial: trial.index, about: "silent", detail };
}

function farBehind(
  { trial }: TrialView,
  points: readonly Point[],
  { metric, direction }: { metric: string; direction: "min" | "max" },
  others: {
    views: readonly TrialView[];
    curve: (trial: number) => readonly Point[];
  },
): Suspicion | undefined {
  const latest = points.at(-1);
  if (latest === undefined || latest.value === null || latest.step < FAR_BEHIND.steps) {
    return undefined;
  }
  const peers = others.views.flatMap((peer) => {
    const reached = others.curve(peer.trial.index);
    if (peer.trial.index === trial.index || (reached.at(-1)?.step ?? -1) < latest.step) return [];
    return pointAtRung(reached, latest.step)?.value ?? [];
  });
  if (peers.length < FAR_BEHIND.peers) return undefined;
  const middle = median(peers);
  // "Five times" means nothing of values around and below zero.
  if (middle <= 0 || latest.value < 0) return undefined;
  const isFar = direction === "min"
    ? latest.value > middle * FAR_BEHIND.times
    : latest.value * FAR_BEHIND.times < middle;
  if (!isFar) return undefined;
  const detail = `${nameOf(metric)} is ${formatG(latest.value, 4)} at step ${
    formatG(latest.step, 9)
  }, the median of ${peers.length} others there is ${formatG(middle, 4)}`;
  return { trial: trial.index, about: "far-behind", detail };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Judged by the metric that was written last: some come once an hour and are no sign of trouble. */
function noRecords(
  trial: number,
  streams: ReadonlyMap<string, readonly Point[]>,
  now: number,
): Suspicion | undefined {
  let last: readonly Point[] = [];
  for (const points of streams.values()) {
    if ((points.at(-1)?.at ?? 0) > (last.at(-1)?.at ?? 0)) last = points;
  }
  if (last.length < OVERDUE.records) return undefined;
  const span = (last.at(-1)!.at - last[0]!.at) * 1000;
  const interval = span / (last.length - 1);
  const waited = now - last.at(-1)!.at * 1000;
  if (waited < Math.max(OVERDUE.ms, OVERDUE.intervals * interval)) return undefined;
  const detail = `It has logged nothing for ${spanText(waited)}, before about every ${
    spanText(interval)
  }`;
  return { trial, about: "no-records", detail };
}

function frozen(trial: number, metric: string, points: readonly Point[]): Suspicion | undefined {
  const latest = points.slice(-FROZEN.records);
  const value = latest.at(-1)?.value;
  if (latest.length < FROZEN.records || value === undefined || value === null) return undefined;
  // The best that there is may well stay.
  if (value === 0 || value === 1 || latest.some((point) => point.value !== value)) return undefined;
  const span = (latest.at(-1)!.at - latest[0]!.at) * 1000;
  if (span < FROZEN.ms) return undefined;
  const detail = `${nameOf(metric)} has been ${formatG(value, 6)} for ${spanText(span)}`;
  return { trial, about: "frozen", detail };
}

/** Not often enough in a row to end it, or beside a loss that is finite. */
function notFinite(trial: number, metric: string, points: readonly Point[]): Suspicion | undefined {
  const latest = points.at(-1);
  if (latest === undefined || !isNonFinite(latest)) return undefined;
  const said = oneLine(latest.raw ?? "", 20);
  const detail = `${nameOf(metric)} is ${said} at step ${formatG(latest.step, 9)}`;
  return { trial, about: "not-finite", detail };
}

/** Names come from the trial: they are data. */
function nameOf(metric: string): string {
  return JSON.stringify(oneLine(metric, 60));
}
