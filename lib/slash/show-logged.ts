import type { Desk, LogPage } from "../actions/desk.ts";
import { delimitedLine } from "../base/delimited.ts";
import { metricCell } from "../sweep/result-text.ts";
import { logText } from "../words/log-text.ts";
import { keepBeginning, keepEnd, POST_LIMIT, quoted } from "../words/post-text.ts";
import { lines, pageFoot, pageOf, ROWS, say, table } from "./answer.ts";
import type { SlashAnswer } from "./answer.ts";
import { list, number, record, text } from "./json.ts";

const USUAL_LINES = 20;
/** Trials of which names of metrics are asked: those of one sweep log the same. */
const SAMPLED = 5;
/** Columns of metrics that 80 cells have room for. */
const METRICS = 4;
/** Rows of the file beside a table. */
const FILE_ROWS = 10_000;
const FILE_PAGE = 1000;

/** `/tail`: the newest lines; what has no room is in the file beside them. */
export function showTail(desk: Desk, args: readonly string[]): SlashAnswer {
  const [word, count, stream] = args;
  const index = Number(word);
  const wanted = Math.min(1000, Number(count ?? USUAL_LINES));
  if (desk.trial(index) === undefined) return say(`There is no trial ${index}.`);
  const found = pick(desk, index, wanted, stream);
  if (found === undefined) return say(`Trial ${index} has written nothing yet.`);
  const whole = logText(found.page.text);
  const head = `${found.stream} of trial ${index}:`;
  const shown = `${head}\n${keepEnd(whole, POST_LIMIT - head.length - 1)}`;
  const cut = shown.length < head.length + 1 + whole.length;
  return {
    text: shown,
    code: true,
    ...(cut ? { attachment: { name: `trial-${index}.${found.stream}.log`, text: whole } } : {}),
  };
}

/** Standard error, as the user page says, unless nothing is there or the other one is asked for. */
function pick(
  desk: Desk,
  index: number,
  wanted: number,
  asked: string | undefined,
): { stream: "stderr" | "stdout"; page: LogPage } | undefined {
  const order = asked === undefined ? ["stderr", "stdout"] as const : [asked as "stderr"];
  for (const stream of order) {
    const page = desk.log(index, { stream, lines: wanted });
    if (page.text.split("\n").some(isSaid)) return { stream, page };
  }
  return undefined;
}

/** Each run of a job begins with a line of herd's own. */
export function isSaid(line: string): boolean {
  return line.trim() !== "" && !/^===== herd: trial \d+, attempt .* =====$/.test(line);
}

/** `/metrics`: the names, or one metric over all trials, best first. */
export function showMetrics(desk: Desk, args: readonly string[]): SlashAnswer {
  const [metric] = args;
  return metric === undefined ? metricNames(desk) : metricValues(desk, metric);
}

function metricNames(desk: Desk): SlashAnswer {
  const { items } = desk.status({ statuses: ["running", "completed", "failed"], limit: SAMPLED });
  const found = new Map<string, { n: number; last: string }>();
  for (const { index } of items) {
    for (const { name, n, last } of desk.metricNames(index)) {
      const known = found.get(name);
      if (known === undefined || n > known.n) {
        found.set(name, { n, last: last === null ? "no number" : metricCell(last, "six") });
      }
    }
  }
  if (found.size === 0) return say("No metric was logged by step yet; /results shows final ones.");
  const rows = [...found].map(([name, { n, last }]) => [name, `${n}`, last]);
  const columns = [
    { title: "Metric", shrinkTo: 12, atMost: 50 },
    { title: "Steps", align: "right" },
    { title: "Last", align: "right" },
  ] as const;
  return table(columns, rows.slice(0, ROWS), [
    rows.length > ROWS ? `and ${rows.length - ROWS} more` : "",
    "/metrics <name> shows it for each trial",
  ]);
}

function metricValues(desk: Desk, metric: string): SlashAnswer {
  const document = record(desk.results({ best: true, metric, limit: ROWS }));
  const groups = list(document["groups"]).map(record);
  const trials = list(document["trials"]).map(record);
  const rows = groups.length > 0
    ? groups.map((one) => [
      text(one["rank"]),
      list(one["indices"]).map(text).join(","),
      metricCell(one["mean"] ?? NaN, "six"),
      params(one["params"]),
    ])
    : trials.map((one) => [
      text(one["rank"]),
      text(one["index"]),
      metricCell(one["value"] ?? NaN, "six"),
      params(one["params"]),
    ]);
  if (rows.length === 0) return say(`No trial logged "${quoted(metric, 60)}" yet.`);
  const total = number(document["total"]) ?? rows.length;
  const better = document["direction"] === "min" ? "smallest first" : "largest first";
  const guess = document["direction_guessed"] === true ? " (guessed from the name)" : "";
  const columns = [
    { title: "Rank", align: "right" },
    { title: "Trial", align: "right", shrinkTo: 5, atMost: 20 },
    { title: groups.length > 0 ? "Mean" : "Value", align: "right" },
    { title: "Values", shrinkTo: 10, atMost: 50 },
  ] as const;
  return table(columns, rows, [
    `${quoted(metric, 60)}, ${better}${guess}, by ${text(document["by"]) || "what was logged"}`,
    total > rows.length ? `the best ${rows.length} of ${total}` : "",
  ]);
}

function params(value: unknown): string {
  return Object.entries(record(value)).map(([name, one]) => `${name}=${text(one)}`).join(" ");
}

/** `/results`: a page as a table, and all of it as a file. */
export function showResults(desk: Desk, args: readonly string[]): SlashAnswer {
  const page = pageOf(args);
  const document = record(desk.results({ offset: (page - 1) * ROWS, limit: ROWS }));
  const trials = list(document["trials"]).map(record);
  const total = number(document["total"]) ?? trials.length;
  const names = metricsOf(trials);
  if (total === 0) return say("There are no trials.");
  if (names.length === 0 && page === 1 && total <= ROWS) return say("There are no results yet.");
  const shown = names.slice(0, METRICS);
  const rows = trials.map((one) => [
    text(one["index"]),
    text(one["experiment_name"]),
    ...shown.map((name) => metricCell(valueOf(one, name), "six")),
  ]);
  const columns = [
    { title: "Trial", align: "right" } as const,
    { title: "Name", shrinkTo: 8, atMost: 30 },
    ...shown.map((name) => ({ title: quoted(name, 14), align: "right" as const, atMost: 14 })),
  ];
  const answer = table(columns, rows, [
    names.length > METRICS ? `${names.length - METRICS} more metrics are in the file` : "",
    pageFoot("results", { page, total, shown: trials.length }),
  ]);
  const needsFile = total > ROWS || names.length > METRICS;
  if (!needsFile || page > 1) return answer;
  return { ...answer, attachment: { name: "results.tsv", text: resultsFile(desk, total) } };
}

function resultsFile(desk: Desk, total: number): string {
  const all: Readonly<Record<string, unknown>>[] = [];
  for (let offset = 0; offset < Math.min(total, FILE_ROWS); offset += FILE_PAGE) {
    const { trials } = record(desk.results({ offset, limit: FILE_PAGE }));
    const page = list(trials).map(record);
    all.push(...page);
    if (page.length === 0) break;
  }
  const names = metricsOf(all);
  const parameters = [...new Set(all.flatMap((one) => Object.keys(record(one["params"]))))];
  const head = ["trial_id", "experiment_name", ...parameters, ...names];
  const rows = all.map((one) => [
    text(one["index"]),
    text(one["experiment_name"]),
    ...parameters.map((name) => text(own(one["params"], name))),
    ...names.map((name) => metricCell(valueOf(one, name), "all")),
  ]);
  return [head, ...rows].map((cells) => delimitedLine(cells, "\t")).join("\n") + "\n";
}

/** Final results before what was only logged by step. */
function metricsOf(trials: readonly Readonly<Record<string, unknown>>[]): string[] {
  const names = new Set<string>();
  for (const key of ["metrics", "last"]) {
    for (const one of trials) for (const name of Object.keys(record(one[key]))) names.add(name);
  }
  return [...names];
}

function valueOf(trial: Readonly<Record<string, unknown>>, name: string): unknown {
  return own(trial["metrics"], name) ?? own(trial["last"], name);
}

/** A metric may be called "constructor". */
function own(value: unknown, name: string): unknown {
  const from = record(value);
  return Object.hasOwn(from, name) ? from[name] : undefined;
}

/** `/plan`: a page of it, and the whole as a file. */
export function showPlan(desk: Desk, args: readonly string[]): SlashAnswer {
  const plan = desk.plan();
  if (plan === undefined) return say("There is no plan yet: the setup questions come first.");
  const page = pageOf(args);
  const pages = paged(plan.split("\n"));
  const body = pages[page - 1];
  if (body === undefined) return say(`The plan has ${pages.length} pages.`);
  const foot = pages.length > page ? `page ${page} of ${pages.length}; /plan ${page + 1}` : "";
  const answer = lines(body, [foot]);
  return pages.length > 1 && page === 1
    ? { ...answer, attachment: { name: "MONITOR_PLAN.md", text: plan } }
    : answer;
}

/** Lines in pages of one post each; a line that is too long for any is cut. */
function paged(all: readonly string[]): string[][] {
  const pages: string[][] = [[]];
  let length = 0;
  for (const raw of all) {
    const line = keepBeginning(raw.replace(/[^\P{Cc}\t]/gu, ""), 1000);
    if (length + line.length > 1700) {
      pages.push([]);
      length = 0;
    }
    pages.at(-1)!.push(line);
    length += line.length + 1;
  }
  return pages;
}
