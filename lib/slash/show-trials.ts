import type { Desk, TrialDocument } from "../actions/desk.ts";
import { fit, visible } from "../base/width.ts";
import { clockText } from "../sweep/view.ts";
import { memoryText } from "../sweep/efficiency.ts";
import { totalsText } from "../words/amount-text.ts";
import { lines, pageFoot, pageOf, ROWS, say, table, WIDTH } from "./answer.ts";
import type { SlashAnswer } from "./answer.ts";
import { list, number, record, text } from "./json.ts";

/** `/status`: totals and trials, the live and the failed ones where all have no room. */
export function showStatus(desk: Desk, args: readonly string[]): SlashAnswer {
  const page = pageOf(args);
  const { items, total, totals } = desk.status({ offset: (page - 1) * ROWS, limit: ROWS });
  if (total === 0) return say("There are no trials: the sweep is empty, or its YAML is broken.");
  return trialTable(items, [
    `${totalsText(totals)} of ${total}`,
    pageFoot("status", { page, total, shown: items.length }),
    ...(total > ROWS && page === 1 ? ["/running shows those that run or wait"] : []),
  ]);
}

/** `/running`: what the cluster works on. */
export function showRunning(desk: Desk, args: readonly string[]): SlashAnswer {
  const page = pageOf(args);
  const statuses = ["running", "queued", "submitted", "unknown"];
  const found = desk.status({ statuses, offset: (page - 1) * ROWS, limit: ROWS });
  if (found.total === 0) return say(`Nothing runs or waits. ${totalsText(found.totals)}.`);
  return trialTable(found.items, [
    totalsText(found.totals),
    pageFoot("running", { page, total: found.total, shown: found.items.length }),
  ]);
}

function trialTable(items: readonly TrialDocument[], foot: readonly string[]): SlashAnswer {
  const steps = items.some((item) => number(item["step"]) !== undefined);
  const rows = items.map((item) => {
    const elapsed = number(item["elapsed_seconds"]);
    return [
      `${item.index}`,
      item.status,
      elapsed === undefined ? "" : clockText(elapsed),
      ...(steps ? [text(item["step"])] : []),
      item.experiment_name,
      text(item["note"]) || text(item["last_log_line"]),
    ];
  });
  const columns = [
    { title: "Trial", align: "right" },
    { title: "Status" },
    { title: "Time", align: "right" },
    ...(steps ? [{ title: "Step", align: "right" }] as const : []),
    { title: "Name", shrinkTo: 8, atMost: 30 },
    { title: "Note", shrinkTo: 8, atMost: 40 },
  ] as const;
  return table(columns, rows, foot);
}

/** `/stats`: time and memory per trial, and advice. */
export function showStats(desk: Desk, args: readonly string[]): SlashAnswer {
  const page = pageOf(args);
  const rows = ROWS - 4;
  const document = record(desk.stats(undefined, { offset: (page - 1) * rows, limit: rows }));
  const trials = list(document["trials"]).map(record);
  const total = number(document["total"]) ?? trials.length;
  if (total === 0) return say("No trial was started yet.");
  const cells = trials.map((one) => [
    text(one["index"]),
    text(one["slurm_state"]) || text(one["status"]),
    seconds(one["elapsed_seconds"]),
    one["time_limit_seconds"] === null ? "" : seconds(one["time_limit_seconds"]),
    bytes(one["max_rss_bytes"]),
    bytes(one["req_mem_bytes"]),
    share(one["memory_efficiency"]),
    share(one["cpu_efficiency"]),
  ]);
  const advice = page === 1 ? list(document["advice"]).map(text).slice(0, 4) : [];
  return table(STATS_COLUMNS, cells, [
    ...advice,
    pageFoot("stats", { page, total, shown: trials.length, rows }),
  ]);
}

const STATS_COLUMNS = [
  { title: "Trial", align: "right" },
  { title: "State", shrinkTo: 8, atMost: 16 },
  { title: "Elapsed", align: "right" },
  { title: "Limit", align: "right" },
  { title: "Max RSS", align: "right" },
  { title: "Asked", align: "right" },
  { title: "Memory", align: "right" },
  { title: "CPU", align: "right" },
] as const;

function seconds(value: unknown): string {
  const n = number(value);
  return n === undefined ? "" : clockText(n);
}

function bytes(value: unknown): string {
  const n = number(value);
  return n === undefined ? "" : memoryText(n);
}

function share(value: unknown): string {
  const n = number(value);
  return n === undefined ? "" : `${Math.round(n * 100)} %`;
}

/** `/params`: parameters and grid, and on further pages every trial's values. */
export function showParams(desk: Desk, args: readonly string[]): SlashAnswer {
  const page = pageOf(args);
  const document = record(desk.parameters({ offset: (page - 1) * ROWS, limit: ROWS }));
  const trials = list(document["trials"]).map(record);
  const total = number(document["total"]) ?? trials.length;
  const head = page === 1 ? sweepLines(document) : [];
  const body = trials.map((one) =>
    `${text(one["index"]).padStart(5)}  ${
      Object.entries(record(one["params"])).map(([name, value]) => `${name}=${text(value)}`).join(
        " ",
      )
    }`
  );
  const shown = body.map((line) => cut(line));
  return lines([...head, ...shown], [
    pageFoot("params", { page, total, shown: trials.length }),
  ]);
}

function sweepLines(document: Readonly<Record<string, unknown>>): string[] {
  const grid = record(document["grid"]);
  const trouble = text(document["trouble"]);
  const parameters = list(document["parameters"]).map(record).map((one) => {
    const range = one["type"] === "continuous"
      ? `${text(one["low"])} to ${text(one["high"])}, ${text(one["scale"])}, ${
        text(one["steps"])
      } steps`
      : list(one["values"]).map(text).join(", ");
    const preset = one["default"] === null ? "" : ` (default ${text(one["default"])})`;
    return cut(`  ${text(one["name"])}: ${range}${preset}`);
  });
  const conditions = list(document["conditions"]).map(record).map((one) => text(one["name"]));
  return [
    ...(trouble === "" ? [] : [cut(`The YAML cannot be read: ${trouble}`)]),
    cut(`Sweep ${text(document["sweep"])}, grid: ${text(grid["kind"]) || "unknown"}`),
    ...parameters.slice(0, 8),
    ...(parameters.length > 8 ? [`  … and ${parameters.length - 8} more parameters`] : []),
    ...(conditions.length === 0 ? [] : [cut(`Conditions: ${conditions.join(", ")}`)]),
    "",
  ];
}

/** One line of the width of the page, whatever a name holds. */
function cut(line: string): string {
  return fit(visible(line), WIDTH);
}
