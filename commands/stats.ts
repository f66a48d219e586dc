import { NothingError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { renderTable } from "../lib/base/table.ts";
import type { Cell, Column } from "../lib/base/table.ts";
import { compactRanges } from "../lib/base/text.ts";
import { adviceOf, efficiencyOf, memoryText } from "../lib/sweep/efficiency.ts";
import type { SweepState } from "../lib/sweep/state.ts";
import { clockText, trialViews } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { statusCell } from "./paint-status.ts";
import { smartWorkspace } from "./smart-workspace.ts";
import { statsTrial, usageRow } from "../lib/sweep/usage-document.ts";

export const command = defineCommand({
  name: "stats",
  summary: "Show what trials used of memory, time and processors, and what would have done",
  details:
    "Of each trial the latest attempt counts. Shares: memory is the largest resident set against\n" +
    "the memory asked for, time the elapsed time against the limit, CPU the processor time\n" +
    "against elapsed time × processors. A blank is not known (yet).",
  arguments: [
    { name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." },
    { name: "INDEX", optional: true, description: "Only this trial" },
  ],
  examples: [
    { line: "herd stats", meaning: "every trial that was started" },
    { line: "herd stats 3 --json", meaning: "trial 3 of the sweep in this folder" },
  ],
  async run(context) {
    const { positionals, cwd, out, json, clock } = context;
    const { workspace, index } = smartWorkspace(positionals, cwd);
    const outside = await openWorkspace(context, workspace);
    const { state, warnings } = await outside.look();
    const views = select(state, index);
    for (const warning of warnings) say(out, warning);
    const advice = adviceOf(views.map((view) => usageRow(view, state, clock.now())));
    if (json) {
      const trials = views.map((view) => statsTrial(view, state, clock.now()));
      out.json({ trials, advice, warnings });
      return EXIT.done;
    }
    if (views.length === 0) {
      throw new NothingError("No trial was started yet", { hint: "`herd run` submits them" });
    }
    for (const line of table(context, state, views)) out.print(line);
    if (advice.length > 0) out.print(["", ...advice].join("\n"));
    return EXIT.done;
  },
});

function select(state: SweepState, index: number | undefined): TrialView[] {
  const views = trialViews(state, { dropped: index !== undefined });
  if (index === undefined) return views.filter(({ attempt }) => attempt !== undefined);
  const view = views.find(({ trial }) => trial.index === index);
  if (view === undefined) {
    const known = compactRanges(state.trials.keys());
    throw new UserError(`Cannot show trial ${index}: the sweep has no such trial`, {
      hint: known === "" ? "It has none yet; `herd run` submits them" : `Its trials are ${known}`,
    });
  }
  if (view.attempt !== undefined) return [view];
  throw new NothingError(`Nothing is known of what trial ${index} used: it was never started`);
}

const COLUMNS: readonly Column[] = [
  { title: "Trial", align: "right" },
  { title: "State" },
  { title: "Elapsed", align: "right" },
  { title: "Limit", align: "right" },
  { title: "Time", align: "right" },
  { title: "Max RSS", align: "right" },
  { title: "Ave RSS", align: "right" },
  { title: "Asked", align: "right" },
  { title: "Memory", align: "right" },
  { title: "CPU time", align: "right" },
  { title: "CPU", align: "right" },
  { title: "Name", shrinkTo: 12, atMost: 60 },
];

function table(
  { out, clock }: Pick<Context, "out" | "clock">,
  state: SweepState,
  views: readonly TrialView[],
): string[] {
  const rows = views.map((view): Cell[] => {
    const row = usageRow(view, state, clock.now());
    const used = efficiencyOf(row);
    const { usage } = row;
    const cell = statusCell(out.paint, view.status);
    const text = view.attempt?.schedulerState ?? view.status;
    return [
      `${view.trial.index}`,
      typeof cell === "string" ? text : { text, paint: cell.paint },
      row.elapsedSeconds === undefined ? "" : clockText(row.elapsedSeconds),
      row.limitSeconds === null
        ? "none"
        : row.limitSeconds === undefined
        ? ""
        : clockText(row.limitSeconds),
      percent(used.time),
      bytes(usage?.maxRssBytes),
      bytes(usage?.aveRssBytes),
      bytes(usage?.requestedMemoryBytes),
      percent(used.memory),
      usage?.cpuSeconds === undefined ? "" : clockText(usage.cpuSeconds),
      percent(used.cpu),
      view.trial.name,
    ];
  });
  return renderTable(COLUMNS, rows, { width: out.columns, paintTitle: out.paint.bold });
}

function percent(share: number | null): string {
  return share === null ? "" : `${Math.round(share * 100)} %`;
}

function bytes(size: number | undefined): string {
  return size === undefined ? "" : memoryText(size);
}
