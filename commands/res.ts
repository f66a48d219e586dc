import { delimitedLine } from "../lib/base/delimited.ts";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges } from "../lib/base/text.ts";
import { matchesPins } from "../lib/sweep/pin.ts";
import type { Trial } from "../lib/sweep/trial.ts";
import { defineCommand } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { PIN_OPTION } from "./pin-option.ts";
import { parameterNames, readPins, remember } from "./remembered.ts";
import { showBest } from "./res-best.ts";
import { metricCell, metricsJson, paramCell } from "./res-cells.ts";
import { RES_OPTIONS } from "./res-rows.ts";
import type { ResContext, Row, Selection } from "./res-rows.ts";
import { showSteps } from "./res-steps.ts";

/** More notices of one kind than this are only counted. */
const MOST_NOTICES = 10;

export const command = defineCommand({
  name: "res",
  summary: "Print what trials logged: a table of results, their history, or the best ones",
  details:
    "A row per trial that logged something: its values, then each metric. A metric that was\n" +
    "only logged by step shows the value logged last. Tab-separated, with cells in quotes\n" +
    "where they hold tabs, quotes or line breaks; numbers have six digits, in --csv and\n" +
    "--json all. --steps is CSV: trial_id,step,metric,timestamp,value.",
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
    const now = remember(outside, clock.now());
    const pins = readPins(values.pin, now);
    const { createResults } = await import("../lib/daemon/results.ts");
    const results = createResults({ dir: outside.paths.results });
    const listed = results.listTrials();
    const known = listed.flatMap((index): Trial[] => {
      const trial = now.state.trials.get(index);
      return trial === undefined || (trial.dropped === true && !values.all) ? [] : [trial];
    });
    const trials = known.filter(({ params }) => matchesPins(params, pins));
    const foreign = listed.filter((index) => !now.state.trials.has(index));
    if (foreign.length > 0) {
      say(out, `Results of ${compactRanges(foreign)} belong to no trial of this sweep`);
    }
    const selection = { now, trials, results };
    if (values.steps) return showSteps(context, selection);
    const rows = await readRows(context, selection);
    if (rows.length === 0) {
      const why = values.pin.length > 0 ? ` of trials with ${values.pin.join(" ")}` : "";
      say(out, `There are no results${why} yet`);
    }
    if (values.best !== undefined) return showBest(context, selection, rows);
    return showTable(context, selection, rows);
  },
});

function refuseMixes({ values }: ResContext): void {
  const { best, steps, metric, direction } = values;
  if (best !== undefined && steps) {
    throw new UserError("Cannot rank single steps: --best and --steps were both given");
  }
  if (best === undefined && direction !== undefined) {
    throw new UserError("Cannot use --direction without --best");
  }
  if (best === undefined && !steps && metric !== undefined) {
    throw new UserError("Cannot use --metric without --best or --steps");
  }
}

async function readRows({ out }: ResContext, { trials, results }: Selection): Promise<Row[]> {
  const { latestValues } = await import("../lib/daemon/results.ts");
  const notices: string[] = [];
  const rows = trials.flatMap((trial): Row[] => {
    const { values, notices: more } = latestValues(results, trial.index);
    notices.push(...more.map(({ message }) => message));
    return Object.keys(values).length === 0 ? [] : [{ trial, values }];
  });
  for (const notice of notices.slice(0, MOST_NOTICES)) say(out, notice);
  const rest = notices.length - MOST_NOTICES;
  if (rest > 0) say(out, `… and ${rest} more results files like these`);
  return rows;
}

function showTable(
  { out, json, values }: ResContext,
  { now }: Selection,
  rows: readonly Row[],
): number {
  if (json) {
    out.json({
      trials: rows.map(({ trial, values: metrics }) => ({
        index: trial.index,
        experiment_name: trial.name,
        params: trial.params,
        metrics: metricsJson(metrics),
      })),
    });
    return EXIT.done;
  }
  const [separator, digits] = values.csv ? [",", "all"] as const : ["\t", "six"] as const;
  const names = parameterNames(now.state);
  const metrics = metricNames(rows);
  out.print(delimitedLine(["trial_id", "experiment_name", ...names, ...metrics], separator));
  for (const { trial, values: logged } of rows) {
    const cells = [
      `${trial.index}`,
      trial.name,
      ...names.map((name) => paramCell(ownOf(trial.params, name))),
      ...metrics.map((name) => metricCell(ownOf(logged, name), digits)),
    ];
    out.print(delimitedLine(cells, separator));
  }
  return EXIT.done;
}

/** In the order in which they are first seen. */
function metricNames(rows: readonly Row[]): string[] {
  const names = new Set<string>();
  for (const { values } of rows) for (const name of Object.keys(values)) names.add(name);
  return [...names];
}

/** A metric may be called "constructor". */
function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
