import { rank, rankRepeats } from "./ranking.ts";
import type { Direction, Repeated } from "./ranking.ts";
import { metricNumber, metricsJson } from "./result-text.ts";
import type { Trial } from "./trial.ts";
import type { Value } from "./value.ts";

/** What one trial came to. */
export interface ResultRow {
  trial: Trial;
  /** Its final results. */
  finals: Readonly<Record<string, unknown>>;
  /** Of each metric that it logged by step the last value; undefined where nobody asked. */
  last: Readonly<Record<string, unknown>> | undefined;
}

/** A trial that logged what is ranked by. */
export interface RankedRow {
  trial: Trial;
  finals: ResultRow["finals"];
  value: unknown;
}

export interface Ranking {
  metric: string;
  direction: Direction;
  /** This many of the best. */
  most: number;
}

export interface ResultTrial {
  index: number;
  experiment_name: string;
  params: Readonly<Record<string, Value>>;
  metrics: Record<string, unknown>;
  last: Record<string, unknown> | null;
}

/** One trial of what `res --json` prints; NaN and the infinities become text. */
export function resultTrial({ trial, finals, last }: ResultRow): ResultTrial {
  return {
    index: trial.index,
    experiment_name: trial.name,
    params: trial.params,
    metrics: metricsJson(finals),
    last: last === undefined ? null : metricsJson(last),
  };
}

/** Those with a number best first, then those without one. */
export function bestRows(rows: readonly RankedRow[], { direction, most }: Ranking) {
  const contenders = rows.map((row) => ({
    index: row.trial.index,
    params: row.trial.params,
    value: metricNumber(row.value),
    row,
  }));
  return rank(contenders, direction).slice(0, most);
}

/** What `res --best --json` prints. */
export function bestDocument(rows: readonly RankedRow[], ranking: Ranking): object {
  const trials = bestRows(rows, ranking).map(({ index, params, value, row }, i) => ({
    rank: i + 1,
    index,
    experiment_name: row.trial.name,
    params,
    value,
    metrics: metricsJson(row.finals),
  }));
  return { metric: ranking.metric, direction: ranking.direction, trials };
}

/** Choices averaged over their repeats, best first. */
export function bestRepeats(
  rows: readonly RankedRow[],
  { direction, most }: Ranking,
  parameter: string,
): Repeated[] {
  const contenders = rows.map(({ trial, value }) => ({
    index: trial.index,
    params: trial.params,
    value: metricNumber(value),
  }));
  return rankRepeats(contenders, parameter, direction).slice(0, most);
}

/** What `res --best --json` prints of a sweep with repeats. */
export function bestRepeatsDocument(
  rows: readonly RankedRow[],
  ranking: Ranking,
  repeats: { parameter: string; count: number | null },
): object {
  const groups = bestRepeats(rows, ranking, repeats.parameter)
    .map(({ indices, params, mean, std }, i) => ({
      rank: i + 1,
      indices,
      params,
      mean,
      std,
      n: indices.length,
      repeats: repeats.count,
    }));
  const { metric, direction } = ranking;
  return { metric, direction, repeats: repeats.parameter, groups };
}
