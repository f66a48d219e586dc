import type { Objective } from "../sweep/config.ts";
import type { Point } from "../sweep/metrics.ts";
import type { TrialView } from "../sweep/view.ts";
import { isLossLike, isNonFinite, ownPoints } from "./non-finite.ts";

/** So many of a metric's latest records in a row must be NaN or infinite. */
const IN_A_ROW = 3;

export interface Sick {
  trial: number;
  metric: string;
  /** Where the metric stopped being finite. */
  step: number;
}

export interface Streams {
  /** Undefined or `none`: only losses are watched. */
  objective: Objective | undefined;
  /** A trial's metrics, each in the order of its file. */
  streamsOf(trial: number): ReadonlyMap<string, readonly Point[]>;
}

/**
 * Live trials that are lost: the objective or a loss is NaN or infinite, three
 * records in a row, and no other loss has been finite since. Nothing else is a
 * reason to end a live trial; anything else is a warning at the most.
 */
export function sickTrials(
  views: readonly TrialView[],
  { objective, streamsOf }: Streams,
): Sick[] {
  const target = objective === undefined || objective === "none" ? undefined : objective;
  return views.flatMap(({ trial, status, attempt, wish }) => {
    if (status !== "running" || wish !== undefined) return [];
    const watched = new Map<string, Point[]>();
    for (const [metric, points] of streamsOf(trial.index)) {
      if (metric !== target?.metric && !isLossLike(metric)) continue;
      watched.set(metric, ownPoints(points, attempt));
    }
    const found = lostMetric(watched, target);
    return found === undefined ? [] : [{ trial: trial.index, ...found }];
  });
}

function lostMetric(
  watched: ReadonlyMap<string, readonly Point[]>,
  target: { metric: string; direction: "min" | "max" } | undefined,
): { metric: string; step: number } | undefined {
  const lost = [...watched].flatMap(([metric, points]) => {
    const first = firstOfRow(points);
    return first === undefined ? [] : [{ metric, first }];
  });
  const own = lost.find(({ metric }) => metric === target?.metric);
  if (own !== undefined) return { metric: own.metric, step: own.first.step };
  // One part of a loss may be undefined while the whole is fine. An accuracy stays finite whatever happens.
  const witness = [...watched].filter(([metric]) =>
    isLossLike(metric) || (metric === target?.metric && target.direction === "min")
  );
  const dead = lost.find(({ first }) =>
    !witness.some(([, points]) => {
      const latest = points.at(-1);
      return latest !== undefined && latest.value !== null && latest.at >= first.at;
    })
  );
  return dead === undefined ? undefined : { metric: dead.metric, step: dead.first.step };
}

/** The record with which the metric stopped being finite, when it has been so for long enough. */
function firstOfRow(points: readonly Point[]): Point | undefined {
  let from = points.length;
  while (from > 0 && isNonFinite(points[from - 1]!)) from--;
  return points.length - from >= IN_A_ROW ? points[from] : undefined;
}
