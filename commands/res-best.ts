import { delimitedLine } from "../lib/base/delimited.ts";
import { NothingError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { renderTable } from "../lib/base/table.ts";
import type { Column } from "../lib/base/table.ts";
import { compactRanges, nearest } from "../lib/base/text.ts";
import {
  bestDocument,
  bestRepeats,
  bestRepeatsDocument,
  bestRows,
} from "../lib/sweep/results-document.ts";
import type { RankedRow, Ranking, ResultRow } from "../lib/sweep/results-document.ts";
import { say } from "./open.ts";
import { parameterNames } from "./remembered.ts";
import { metricCell, metricTitles, paramCell } from "../lib/sweep/result-text.ts";
import type { ResContext, Selection } from "./res-rows.ts";

/** `res --best`: trials, or choices averaged over their repeats, best first. */
export function showBest(
  context: ResContext,
  selection: Selection,
  rows: readonly ResultRow[],
): number {
  const finals = namesIn(rows.map((row) => row.finals));
  const last = namesIn(rows.map((row) => row.last ?? {}));
  const names = { finals, last, all: [...new Set([...finals, ...last])] };
  if (names.all.length === 0 && !context.json) {
    throw new NothingError("There is nothing to rank yet");
  }
  const ranking = rankingOf(context, selection, names);
  const { metric } = ranking;
  const isFinal = finals.includes(metric);
  if (!isFinal && names.all.length > 0) {
    say(
      context.out,
      `No trial has a final result "${metric}"; ranked by what was logged last of it`,
    );
  }
  const logged = rows.flatMap(({ trial, finals, last = {} }): RankedRow[] => {
    const from = Object.hasOwn(finals, metric) ? finals : last;
    if (!Object.hasOwn(from, metric)) return [];
    // A value from the middle of a training is not to be compared with results, unless asked for.
    if (from === last && isFinal && !context.values.last) return [];
    return [{ trial, finals, value: from[metric] }];
  });
  const seed = selection.now.sweep?.config.repeats?.parameter;
  return seed === undefined
    ? showTrials(context, selection, logged, ranking)
    : showRepeats(context, selection, logged, { ...ranking, seed });
}

function namesIn(records: readonly object[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}

function rankingOf(
  { values }: ResContext,
  { now }: Selection,
  { finals, all: known }: { finals: readonly string[]; all: readonly string[] },
): Ranking {
  const halving = now.sweep?.config.halving;
  const metric = values.metric ?? halving?.metric ??
    onlyMetric(finals.length > 0 ? finals : known);
  if (known.length > 0 && !known.includes(metric)) {
    const near = nearest(metric, known);
    throw new UserError(`Cannot rank by "${metric}": no trial logged it`, {
      hint: near === undefined ? `Logged are ${known.join(", ")}` : `Did you mean "${near}"?`,
    });
  }
  const direction = values.direction ??
    (metric === halving?.metric ? halving.direction : undefined);
  if (direction === undefined) {
    throw new UserError(
      `Cannot rank by "${metric}": whether small or large is better is not known`,
      {
        hint:
          "Add --direction min or --direction max, or give the YAML a successive_halving section",
      },
    );
  }
  return { metric, direction, most: values.best ?? Infinity };
}

function onlyMetric(known: readonly string[]): string {
  if (known.length === 1) return known[0]!;
  throw new UserError("Cannot rank the trials: no metric was named", {
    hint: known.length === 0
      ? "Name one with --metric"
      : `Name one with --metric; logged are ${known.join(", ")}`,
  });
}

function showTrials(
  { out, json, values }: ResContext,
  { now }: Selection,
  rows: readonly RankedRow[],
  ranking: Ranking,
): number {
  if (json) {
    out.json(bestDocument(rows, ranking));
    return EXIT.done;
  }
  const { metric } = ranking;
  const names = parameterNames(now.state);
  const others = ["rank", "trial_id", ...names, "experiment_name"];
  const titles = others.toSpliced(2, 0, ...metricTitles([metric], others));
  const digits = values.csv ? "all" : "six";
  const lines = bestRows(rows, ranking).map(({ index, params, row }, i) => [
    `${i + 1}`,
    `${index}`,
    metricCell(row.value, digits),
    ...names.map((name) => paramCell(params[name])),
    row.trial.name,
  ]);
  printTable({ out, values }, titles, lines);
  return EXIT.done;
}

function showRepeats(
  { out, json, values }: ResContext,
  { now }: Selection,
  rows: readonly RankedRow[],
  { seed, ...ranking }: Ranking & { seed: string },
): number {
  const of = now.sweep?.config.repeats?.count ?? null;
  if (json) {
    out.json(bestRepeatsDocument(rows, ranking, { parameter: seed, count: of }));
    return EXIT.done;
  }
  const { metric } = ranking;
  const names = parameterNames(now.state).filter((name) => name !== seed);
  const digits = values.csv ? "all" : "six";
  const lines = bestRepeats(rows, ranking, seed).map(({ indices, params, mean, std }, i) => [
    `${i + 1}`,
    metricCell(mean ?? NaN, digits),
    metricCell(std, digits),
    `${indices.length}/${of}`,
    ...names.map((name) => paramCell(params[name])),
    compactRanges(indices),
  ]);
  const titles = ["rank", `${metric} (mean)`, "± std", "n", ...names, "trials"];
  printTable({ out, values }, titles, lines);
  return EXIT.done;
}

function printTable(
  { out, values }: Pick<ResContext, "out" | "values">,
  titles: readonly string[],
  lines: readonly (readonly string[])[],
): void {
  if (values.csv) {
    for (const cells of [titles, ...lines]) out.print(delimitedLine(cells, ","));
    return;
  }
  const columns = titles.map((title, i): Column =>
    i === titles.length - 1 ? { title, shrinkTo: 12, atMost: 80 } : { title, atMost: 40 }
  );
  const options = { width: out.columns, paintTitle: out.paint.bold };
  out.print(renderTable(columns, lines, options).join("\n"));
}
