import { delimitedLine } from "../lib/base/delimited.ts";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges } from "../lib/base/text.ts";
import type { Results } from "../lib/daemon/results.ts";
import { matchesPins } from "../lib/sweep/pin.ts";
import { resultTrial } from "../lib/sweep/results-document.ts";
import type { ResultRow } from "../lib/sweep/results-document.ts";
import type { Trial } from "../lib/sweep/trial.ts";
import { defineCommand } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { PIN_OPTION } from "./pin-option.ts";
import { parameterNames, readPins, remember } from "./remembered.ts";
import { showBest } from "./res-best.ts";
import { metricCell, metricTitles, paramCell } from "../lib/sweep/result-text.ts";
import { RES_OPTIONS } from "./res-rows.ts";
import type { ResContext, Selection } from "./res-rows.ts";
import { showSteps } from "./res-steps.ts";

/** More notices of one kind than this are only counted. */
const MOST_NOTICES = 10;

export const command = defineCommand({
  name: "res",
  summary: "Print what trials logged: a table of results, their history, or the best ones",
  details:
    "A row per trial: its values, then the final result of each metric, blank where it has\n" +
    "none. Metrics that were only logged by step show their last value with --last, or when no\n" +
    "trial has a final result yet. Tab-separated, with cells in quotes where they hold tabs,\n" +
    "quotes or line breaks; numbers have six digits, in --csv and --json all. --steps is CSV:\n" +
    "trial_id,step,metric,timestamp,value.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: [...RES_OPTIONS, PIN_OPTION],
  examples: [
    { line: "herd res > results.tsv", meaning: "for a spreadsheet or pandas" },
    { line: "herd res --best 5", meaning: "by the metric of successive_halving" },
    { line: "herd res --best --metric loss --direction min", meaning: "by another one" },
    { line: "herd res --steps --pin lr=0.01", meaning: "every logged step of some trials" },
  ],
  async run(context) {
    const { values, positionals, out, clock } = context;
    const outside = await openWorkspace(context, positionals[0] ?? ".");
    refuseMixes(context);
    await outside.fetch();
    const now = remember(outside, clock.now());
    const pins = readPins(values.pin, now);
    const { createResults } = await import("../lib/daemon/results.ts");
    const results = createResults({ dir: outside.paths.results });
    const listed = new Set(results.listTrials());
    const known = [...now.state.trials.values()]
      .filter(({ dropped }) => dropped !== true || values.all)
      .sort((a, b) => a.index - b.index);
    const trials = known.filter(({ params }) => matchesPins(params, pins));
    const foreign = [...listed].filter((index) => !now.state.trials.has(index));
    if (foreign.length > 0) {
      say(out, `Results of ${compactRanges(foreign)} belong to no trial of this sweep`);
    }
    const selection = { now, trials, results };
    if (values.steps) return showSteps(context, selection);
    const noted = trials.filter(({ index }) => listed.has(index));
    const finals = readFinals(context, noted, results);
    const without = finals.size === 0 &&
      !known.some(({ index }) => listed.has(index) && hasFinal(results, index));
    const { lastValues } = await import("../lib/daemon/results.ts");
    const wanted = values.last || without || values.best !== undefined;
    const rows = trials.map((trial): ResultRow => ({
      trial,
      finals: finals.get(trial.index) ?? {},
      last: wanted ? listed.has(trial.index) ? lastValues(results, trial.index) : {} : undefined,
    }));
    const hasLast = rows.some(({ last }) => Object.keys(last ?? {}).length > 0);
    if (finals.size === 0 && !hasLast) {
      const why = values.pin.length > 0 ? ` of trials with ${values.pin.join(" ")}` : "";
      say(out, `There are no results${why} yet`);
    }
    if (values.best !== undefined) return showBest(context, selection, rows);
    if (without && hasLast && !values.last) {
      say(out, "No trial has a final result yet; shown is what was logged last by step");
    }
    return showTable(context, selection, rows);
  },
});

function refuseMixes({ values }: ResContext): void {
  const { best, steps, metric, direction, last } = values;
  if (best !== undefined && steps) {
    throw new UserError("Cannot rank single steps: --best and --steps were both given");
  }
  if (last && steps) {
    throw new UserError("Cannot use --last with --steps, which shows every step");
  }
  if (best === undefined && direction !== undefined) {
    throw new UserError("Cannot use --direction without --best");
  }
  if (best === undefined && !steps && metric !== undefined) {
    throw new UserError("Cannot use --metric without --best or --steps");
  }
}

/** The final results of those trials that have any. */
function readFinals(
  { out }: ResContext,
  trials: readonly Trial[],
  results: Results,
): Map<number, ResultRow["finals"]> {
  const notices: string[] = [];
  const finals = new Map<number, ResultRow["finals"]>();
  for (const { index } of trials) {
    const { values, notices: more } = results.readFinal(index);
    notices.push(...more.map(({ message }) => message));
    if (Object.keys(values).length > 0) finals.set(index, values);
  }
  for (const notice of notices.slice(0, MOST_NOTICES)) say(out, notice);
  const rest = notices.length - MOST_NOTICES;
  if (rest > 0) say(out, `… and ${rest} more results files like these`);
  return finals;
}

function hasFinal(results: Results, index: number): boolean {
  return Object.keys(results.readFinal(index).values).length > 0;
}

function showTable(
  { out, json, values }: ResContext,
  { now }: Selection,
  rows: readonly ResultRow[],
): number {
  if (json) {
    out.json({ trials: rows.map(resultTrial) });
    return EXIT.done;
  }
  const [separator, digits] = values.csv ? [",", "all"] as const : ["\t", "six"] as const;
  const names = parameterNames(now.state);
  const lines = rows.map(({ trial, finals, last }) => ({
    trial,
    logged: new Map([...Object.entries(last ?? {}), ...Object.entries(finals)]),
  }));
  const metrics = metricNames(rows);
  const before = ["trial_id", "experiment_name", ...names];
  out.print(delimitedLine([...before, ...metricTitles(metrics, before)], separator));
  for (const { trial, logged } of lines) {
    const cells = [
      `${trial.index}`,
      trial.name,
      ...names.map((name) => paramCell(ownOf(trial.params, name))),
      ...metrics.map((name) => metricCell(logged.get(name), digits)),
    ];
    out.print(delimitedLine(cells, separator));
  }
  return EXIT.done;
}

/** In the order in which they are first seen, final results before others. */
function metricNames(rows: readonly ResultRow[]): string[] {
  const names = new Set<string>();
  for (const { finals } of rows) for (const name of Object.keys(finals)) names.add(name);
  for (const { last } of rows) for (const name of Object.keys(last ?? {})) names.add(name);
  return [...names];
}

/** A parameter may be called "constructor". */
function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
