import { UserError } from "../base/errors.ts";
import { nearest } from "../base/text.ts";
import { guessDirection } from "../monitor/direction.ts";
import { lastValues } from "../store/last-values.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import type { Results } from "../store/results.ts";
import type { Config, Objective } from "../sweep/config.ts";
import { bestDocument, bestRepeatsDocument, resultTrial } from "../sweep/results-document.ts";
import type { RankedRow, Ranking, ResultRow } from "../sweep/results-document.ts";
import type { TrialView } from "../sweep/view.ts";
import { createMemo } from "./desk-memo.ts";
import { pageOf, whole } from "./desk-page.ts";
import { fileStamp, streamPath } from "./desk-stamp.ts";
import { join } from "node:path";

/** Trials and streams whose values are remembered. */
const REMEMBERED = 50_000;
const USUAL_BEST = 10;

export interface ResultsQuery {
  best?: boolean;
  metric?: string;
  offset?: number;
  limit?: number;
}

interface Situation {
  views: readonly TrialView[];
  config: Config | undefined;
  objective: Objective | undefined;
}

/** Reads what trials logged; a file that has not been written to since is not read again. */
export function createResultReading(paths: WorkspacePaths, results: Results) {
  const finals = createMemo<Record<string, unknown>>(REMEMBERED);
  const lasts = createMemo<Record<string, unknown>>(REMEMBERED);
  const points = createMemo<{ value: unknown }>(REMEMBERED);

  function finalsOf(trial: number): Readonly<Record<string, unknown>> {
    const stamp = fileStamp(join(paths.results, `${trial}.json`));
    if (stamp === "") return {};
    const known = finals.get(`${trial}`, stamp);
    if (known !== undefined) return known;
    const { values } = results.readFinal(trial);
    finals.set(`${trial}`, stamp, values);
    return values;
  }

  function lastsOf(trial: number): Readonly<Record<string, unknown>> {
    const stamp = results.listStreams(trial)
      .map((metric) => `${metric}=${fileStamp(streamPath(paths.results, trial, metric))}`)
      .join("\n");
    if (stamp === "") return {};
    const known = lasts.get(`${trial}`, stamp);
    if (known !== undefined) return known;
    const values = lastValues(results, trial);
    lasts.set(`${trial}`, stamp, values);
    return values;
  }

  /** The last value of one metric's stream; undefined when the trial never logged it. */
  function lastOf(trial: number, metric: string): { value: unknown } | undefined {
    const stamp = fileStamp(streamPath(paths.results, trial, metric));
    if (stamp === "") return undefined;
    const known = points.get(`${trial}/${metric}`, stamp);
    if (known !== undefined) return known;
    const point = results.lastPoints(trial, metric, 1).at(-1);
    if (point === undefined) return undefined;
    const last = { value: point.value ?? point.raw ?? null };
    points.set(`${trial}/${metric}`, stamp, last);
    return last;
  }

  /** Those with any file of results: one listing instead of a question for each trial. */
  function withResults(views: readonly TrialView[]): TrialView[] {
    const listed = new Set(results.listTrials());
    return views.filter(({ trial }) => listed.has(trial.index));
  }

  function table(views: readonly TrialView[], query: ResultsQuery): object {
    const page = pageOf(views, query);
    const trials = page.items.map(({ trial }): ResultRow => ({
      trial,
      finals: finalsOf(trial.index),
      last: lastsOf(trial.index),
    }));
    return { trials: trials.map(resultTrial), total: page.total, offset: page.offset };
  }

  function best({ views, config, objective }: Situation, query: ResultsQuery): object {
    const noted = withResults(views);
    const rows = noted.map(({ trial }) => ({ trial, finals: finalsOf(trial.index) }));
    const ranking = rankingOf(query, { config, objective }, () => names(rows));
    const isFinal = rows.some(({ finals }) => Object.hasOwn(finals, ranking.metric));
    const ranked = rows.flatMap(({ trial, finals }): RankedRow[] => {
      if (Object.hasOwn(finals, ranking.metric)) {
        return [{ trial, finals, value: finals[ranking.metric] }];
      }
      // A value from the middle of a training is not to be compared with results.
      const last = isFinal ? undefined : lastOf(trial.index, ranking.metric);
      return last === undefined ? [] : [{ trial, finals, value: last.value }];
    });
    if (ranked.length === 0 && rows.length > 0) refuseUnknown(ranking.metric, names(rows));
    const { repeats } = config ?? {};
    const document = repeats === undefined
      ? bestDocument(ranked, ranking)
      : bestRepeatsDocument(ranked, ranking, repeats);
    return {
      ...document,
      total: ranked.length,
      by: isFinal ? "final results" : "last values",
      direction_guessed: ranking.guessed,
    };
  }

  function names(rows: readonly { trial: { index: number }; finals: object }[]): string[] {
    const known = new Set(rows.flatMap(({ finals }) => Object.keys(finals)));
    // Trials of one sweep log the same metrics: some tell enough.
    for (const { trial } of rows.slice(0, 20)) {
      for (const metric of results.listStreams(trial.index)) known.add(metric);
    }
    return [...known].sort();
  }

  return {
    /** Throws UserError where it cannot be told what to rank by. */
    document: (situation: Situation, query: ResultsQuery): object =>
      query.best === true ? best(situation, query) : table(situation.views, query),
  };
}

/** What is ranked by: the metric asked for, the objective, that of halving, or the only one. */
function rankingOf(
  { metric: asked, limit = USUAL_BEST }: ResultsQuery,
  { config, objective }: Pick<Situation, "config" | "objective">,
  names: () => string[],
): Ranking & { guessed: boolean } {
  const goals = [objective, config?.halving].flatMap((goal) =>
    goal === undefined || goal === "none" ? [] : [goal]
  );
  const metric = asked ?? goals[0]?.metric ?? onlyName(names());
  const goal = goals.find((one) => one.metric === metric);
  const direction = goal?.direction ?? guessDirection(metric) ?? "max";
  return { metric, direction, most: whole(limit, 1, 1000), guessed: goal === undefined };
}

function onlyName(known: readonly string[]): string {
  if (known.length === 1) return known[0]!;
  throw new UserError("Cannot rank the trials: no metric was named", {
    hint: known.length === 0 ? "No trial logged one yet" : `Logged are ${known.join(", ")}`,
  });
}

function refuseUnknown(metric: string, known: readonly string[]): void {
  const near = nearest(metric, known);
  throw new UserError(`Cannot rank by "${metric}": no trial logged it`, {
    hint: near !== undefined
      ? `Did you mean "${near}"?`
      : known.length === 0
      ? "No trial logged a metric yet"
      : `Logged are ${known.join(", ")}`,
  });
}
