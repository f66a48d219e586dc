import { NothingError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { renderTable } from "../lib/base/table.ts";
import type { Cell, Column } from "../lib/base/table.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { count } from "../lib/base/text.ts";
import type { Outside, View } from "../lib/daemon/outside.ts";
import { statusDocument } from "../lib/sweep/status-document.ts";
import type { TrialProgress } from "../lib/sweep/status-document.ts";
import { silences } from "../lib/sweep/silence.ts";
import { STATUSES } from "../lib/sweep/status.ts";
import { clockText, elapsedSeconds, totalsOf, trialViews } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { monitorNotes } from "../lib/words/monitor-notes.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openWorkspace, say } from "./open.ts";
import { statusCell } from "./paint-status.ts";

const OPTIONS = [
  {
    name: "brief",
    short: "b",
    description: "Most urgent first, without ready and cancelled trials",
  },
  { name: "watch", short: "w", description: "Stay and redraw until every trial has ended" },
  { name: "all", short: "a", description: "Also trials that the YAML no longer contains" },
  {
    name: "interval",
    value: "SECONDS",
    number: "whole",
    least: 1,
    description: "With --watch: seconds between two looks at the cluster (default 10)",
  },
] as const;

type StatusContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "status",
  summary: "Show each trial's status, step, speed and last log line",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd status", meaning: "every trial" },
    { line: "herd status -b --watch", meaning: "what matters, redrawn until all have ended" },
    { line: "herd status sweep --json", meaning: "for scripts" },
  ],
  async run(context) {
    if (context.values.watch && context.json) {
      throw new UserError("Cannot watch the sweep as one JSON document", {
        hint: "Leave out --json or --watch",
      });
    }
    const outside = await openWorkspace(context, context.positionals[0] ?? ".");
    return context.values.watch ? await watch(context, outside) : await showOnce(context, outside);
  },
});

async function showOnce(context: StatusContext, outside: Outside): Promise<number> {
  const { out, json, clock } = context;
  const view = await outside.look();
  const { views, progress } = await read(context, outside, view);
  const warnings = [...view.warnings, ...monitorNotes(view.state.monitor, clock.now())];
  const facts = { sweep: view.state.sweep, now: clock.now(), warnings };
  if (json) {
    out.json(statusDocument(views, progress, facts));
    return EXIT.done;
  }
  refuseEmpty(views);
  for (const warning of warnings) say(out, warning);
  for (const line of lines(context, views, progress)) out.print(line);
  return EXIT.done;
}

async function watch(context: StatusContext, outside: Outside): Promise<number> {
  const { out, clock, signal, values } = context;
  const region = out.live();
  const interval = (values.interval ?? 10) * 1000;
  try {
    for (;;) {
      const view = await outside.look();
      const { views, progress } = await read(context, outside, view);
      refuseEmpty(views);
      const totals = footer(out, views);
      const all = [...lines(context, views, progress).slice(0, -1), totals + looked(context)];
      const shown = fitScreen(all, process.stdout.rows ?? 24);
      const notes = monitorNotes(view.state.monitor, clock.now());
      region.draw([...view.warnings, ...notes, ...shown], totals);
      if (views.every(({ attempt }) => attempt === undefined || attempt.phase === "ended")) {
        return EXIT.done;
      }
      await clock.sleep(interval, signal);
    }
  } finally {
    region.end();
  }
}

/** So that a screen that stands still can be told from a sweep that does. */
function looked({ out, clock }: StatusContext): string {
  const time = new Date(clock.now()).toTimeString().slice(0, 8);
  return out.paint.dim(`; looked at ${time}`);
}

/** The table's head and its foot stay; what does not fit between is counted. */
function fitScreen(all: readonly string[], rows: number): string[] {
  if (all.length <= rows - 3) return [...all];
  const shown = Math.max(1, rows - 6);
  return [...all.slice(0, shown), `… ${all.length - shown - 1} more lines`, all.at(-1)!];
}

function refuseEmpty(views: readonly TrialView[]): void {
  if (views.length > 0) return;
  throw new NothingError("No trials yet: nothing was submitted from this workspace", {
    hint: "`herd ls` shows what the YAML asks for, `herd run` submits it",
  });
}

async function read(
  { values, clock }: StatusContext,
  outside: Outside,
  view: View,
): Promise<{ views: TrialView[]; progress: ReadonlyMap<number, TrialProgress> }> {
  const { readProgress } = await import("../lib/daemon/progress.ts");
  const silent = silences(view.state, view.observations, clock.now());
  const views = trialViews(view.state, { dropped: values.all, silent });
  return {
    views: values.brief ? brief(views) : views,
    progress: readProgress(outside.paths, views),
  };
}

function brief(views: readonly TrialView[]): TrialView[] {
  const order = new Map(STATUSES.map((status, i) => [status, i]));
  return views.filter(({ status }) => status !== "ready" && status !== "cancelled")
    .sort((a, b) => order.get(a.status)! - order.get(b.status)! || a.trial.index - b.trial.index);
}

function lines(
  { out, clock }: StatusContext,
  views: readonly TrialView[],
  progress: ReadonlyMap<number, TrialProgress>,
): string[] {
  const steps = views.some(({ trial }) => (progress.get(trial.index)?.step ?? null) !== null);
  const columns: Column[] = [
    { title: "Trial", align: "right" },
    { title: "Name", shrinkTo: 16, atMost: 60 },
    { title: "Status" },
    { title: "Time", align: "right" },
    ...(steps
      ? [{ title: "Step", align: "right" }, { title: "Steps/min", align: "right" }] as const
      : []),
    { title: "Note", shrinkTo: 12, atMost: 60 },
    { title: "Last log", shrinkTo: 8, atMost: 60 },
  ];
  const rows = views.map((view): Cell[] => {
    const at = progress.get(view.trial.index);
    const elapsed = elapsedSeconds(view.attempt, clock.now());
    return [
      `${view.trial.index}`,
      view.trial.name,
      statusCell(out.paint, view.status),
      elapsed === undefined ? "" : clockText(elapsed),
      ...(steps ? [`${at?.step ?? ""}`, `${at?.stepsPerMinute ?? ""}`] : []),
      { text: view.note ?? "", paint: out.paint.yellow },
      { text: at?.lastLogLine ?? "", paint: out.paint.dim },
    ];
  });
  return [
    ...renderTable(columns, rows, { width: out.columns, paintTitle: out.paint.bold }),
    "",
    footer(out, views),
  ];
}

function footer(out: Pick<Terminal, "paint">, views: readonly TrialView[]): string {
  const { total, ...totals } = totalsOf(views);
  const words = Object.entries(totals).map(([name, n]) => `${n} ${name}`).join(", ");
  return `${out.paint.bold(count(total ?? 0, "trial"))}: ${words}`;
}
