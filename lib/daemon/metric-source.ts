import type { Clock } from "../base/clock.ts";
import { createResults } from "../store/results.ts";
import type { Results } from "../store/results.ts";
import { createWandb } from "../store/wandb.ts";
import type { MetricSource, Objective } from "../sweep/config.ts";
import type { Point } from "../sweep/metrics.ts";
import { createTrialOf } from "../sweep/wandb-trial.ts";
import { createMemo } from "./desk-memo.ts";
import { fileStamp, streamPath } from "./desk-stamp.ts";
import type { Outside } from "./outside.ts";

/** Where the monitor reads trials' numbers: the results files, or W&B's run folders. */
export interface MetricReading {
  streams(trial: number): ReadonlyMap<string, readonly Point[]>;
  /** The final result, else the latest point; null for NaN, undefined when it never logged it. */
  valueOf(trial: number, metric: string): number | null | undefined;
}

const REMEMBERED_POINTS = 200_000;
const REFRESH_MS = 5_000;

export function createMetricSource(
  { outside, clock, source, objective }: {
    outside: Outside;
    clock: Clock;
    source(): MetricSource;
    objective(): Objective;
  },
): MetricReading {
  const files = createResults({ dir: outside.paths.results });
  const memo = createMemo<readonly Point[]>(REMEMBERED_POINTS);
  let wandb: ReturnType<typeof createWandb> | undefined;
  let refreshedAt = -Infinity;

  function results(): Results {
    if (source() !== "wandb") return files;
    wandb ??= openWandb();
    if (clock.now() - refreshedAt >= REFRESH_MS) {
      refreshedAt = clock.now();
      wandb.refresh();
    }
    return wandb;
  }

  function openWandb(): ReturnType<typeof createWandb> {
    const { state, paths } = outside;
    const aim = objective();
    return createWandb({
      roots: [paths.root],
      trialOf: (facts) =>
        createTrialOf({ sweep: outside.sweep().config.name, trials: [...state().trials.values()] })(
          facts,
        ),
      wanted: aim === "none" ? [] : [aim.metric],
      clock,
    });
  }

  function read(from: Results, trial: number, metric: string): readonly Point[] {
    if (from !== files) return from.readStream(trial, metric).points;
    const stamp = fileStamp(streamPath(outside.paths.results, trial, metric));
    const key = `${trial}/${metric}`;
    const known = memo.get(key, stamp);
    if (known !== undefined) return known;
    const { points } = files.readStream(trial, metric);
    memo.set(key, stamp, points, points.length + 1);
    return points;
  }

  return {
    streams(trial) {
      const from = results();
      return new Map(from.listStreams(trial).map((name) => [name, read(from, trial, name)]));
    },
    valueOf(trial, metric) {
      const from = results();
      const final = from.readFinal(trial).values[metric];
      if (typeof final === "number") return Number.isFinite(final) ? final : null;
      if (!from.listStreams(trial).includes(metric)) return undefined;
      return from.lastPoints(trial, metric, 1).at(-1)?.value;
    },
  };
}
