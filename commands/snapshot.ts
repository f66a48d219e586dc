import { EXIT } from "../lib/base/exit-codes.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { totalsOf, trialViews } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openWorkspace } from "./open.ts";
import { remember } from "./remembered.ts";
import { metricsJson } from "../lib/sweep/result-text.ts";
import { usageFields } from "../lib/sweep/usage-document.ts";

/** Changes when a reader of the document would have to change. */
const SCHEMA = 1;
const DEFAULTS = { lines: 20, failed: 20 };

const OPTIONS = [
  {
    name: "lines",
    short: "n",
    value: "N",
    number: "whole",
    least: 0,
    description: "Lines of standard error of each failed trial (default 20)",
  },
  {
    name: "max-failed",
    value: "N",
    number: "whole",
    least: 0,
    description: "Standard error of the N trials that failed last (default 20)",
  },
  {
    name: "offset",
    value: "N",
    number: "whole",
    least: 0,
    description: "Leave out the first N trials (default 0)",
  },
  {
    name: "limit",
    value: "N",
    number: "whole",
    least: 0,
    description: "At most N trials (default all)",
  },
] as const;

type SnapshotContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "snapshot",
  summary: "Print all that is known of the sweep as one JSON document",
  details:
    "For programs. `totals` and `failed_stderr` are of the whole sweep, `trials` is the page that\n" +
    "--offset and --limit ask for; `page.total` says how many there are. `failed_stderr` begins\n" +
    "with the trial that failed last.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd snapshot", meaning: "everything" },
    { line: "herd snapshot --limit 100 --offset 200", meaning: "the third hundred of trials" },
    { line: "herd snapshot -n 50 --max-failed 3", meaning: "more of the last failures" },
  ],
  async run(context) {
    const { positionals, out, clock } = context;
    const outside = await openWorkspace(context, positionals[0] ?? ".");
    const { state, warnings } = await outside.look();
    // Before the first run there are the trials that it would make.
    const now = state.trials.size > 0 ? state : remember(outside, clock.now()).state;
    out.json(await snapshotDocument(context, outside, { views: trialViews(now), now, warnings }));
    return EXIT.done;
  },
});

async function snapshotDocument(
  { values, clock }: SnapshotContext,
  outside: Outside,
  { views, now, warnings }: {
    views: readonly TrialView[];
    now: { sweep: string | undefined };
    warnings: readonly string[];
  },
): Promise<unknown> {
  const { isDivider, tailLines } = await import("../lib/daemon/logs.ts");
  const offset = values.offset ?? 0;
  const page = views.slice(offset, offset + (values.limit ?? Infinity));
  const lines = values.lines ?? DEFAULTS.lines;
  return {
    schema: SCHEMA,
    sweep_name: now.sweep ?? null,
    workspace: outside.paths.root,
    at: new Date(clock.now()).toISOString(),
    totals: totalsOf(views),
    page: { offset, limit: values.limit ?? null, total: views.length },
    trials: await trialDocuments(outside, page, clock.now()),
    failed_stderr: lastFailed(views, values["max-failed"] ?? DEFAULTS.failed).map(({ trial }) => {
      const path = outside.paths.stderr(trial.index);
      // One line more than is shown tells whether there are more.
      const tail = unlessUnreadable(() => tailLines(path, lines + 1));
      // What earlier runs of the trial said is not why this one failed.
      const start = tail?.lines.findLastIndex(isDivider) ?? -1;
      const said = tail?.lines.slice(start + 1);
      const cut = said !== undefined && (said.length > lines || (start < 0 && !tail!.whole));
      const shown = said?.slice(Math.max(0, said.length - lines)) ?? null;
      return {
        index: trial.index,
        stderr_path: path,
        stderr_lines: shown,
        stderr_truncated: cut,
      };
    }),
    warnings,
  };
}

async function trialDocuments(
  outside: Outside,
  views: readonly TrialView[],
  now: number,
): Promise<unknown[]> {
  const { readProgress } = await import("../lib/daemon/progress.ts");
  const { createResults, lastValues } = await import("../lib/daemon/results.ts");
  const progress = readProgress(outside.paths, views);
  const results = createResults({ dir: outside.paths.results });
  const withResults = new Set(results.listTrials());
  return views.map((view) => {
    const { trial, status, attempt } = view;
    const has = withResults.has(trial.index);
    return {
      index: trial.index,
      status,
      experiment_name: trial.name,
      params: trial.params,
      slurm_job_id: attempt?.jobId ?? null,
      ...usageFields(view, now),
      metrics: has ? metricsJson(results.readFinal(trial.index).values) : {},
      last: has ? metricsJson(lastValues(results, trial.index)) : {},
      last_log_line: progress.get(trial.index)?.lastLogLine ?? null,
      step: progress.get(trial.index)?.step ?? null,
      note: view.note ?? null,
    };
  });
}

/** Newest first, by the time at which they ended. */
function lastFailed(views: readonly TrialView[], most: number): TrialView[] {
  return views.filter(({ status }) => status === "failed")
    .sort((a, b) =>
      (b.attempt?.endedAt ?? 0) - (a.attempt?.endedAt ?? 0) || b.trial.index - a.trial.index
    )
    .slice(0, most);
}

/** One log that may not be read must not cost the whole document. */
function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
