import type { Status } from "./status.ts";
import type { Value } from "./value.ts";
import { elapsedSeconds, totalsOf } from "./view.ts";
import type { TrialView } from "./view.ts";

/** How far a trial is, by its own log and metrics. */
export interface TrialProgress {
  lastLogLine: string | null;
  step: number | null;
  /** Of running trials only; two decimals. */
  stepsPerMinute: number | null;
}

/** What `status --json` prints: HyperHerd's keys first, herd's after them. Unknown is null. */
export function statusDocument(
  views: readonly TrialView[],
  progress: ReadonlyMap<number, TrialProgress>,
  facts: { sweep: string | undefined; now: number; warnings: readonly string[] },
): object {
  return {
    totals: totalsOf(views),
    trials: views.map((view) => trialDocument(view, progress.get(view.trial.index), facts.now)),
    sweep: facts.sweep ?? null,
    warnings: facts.warnings,
  };
}

/** A trial as `status --json` shows it: at least these, and what docs/commands.md lists beside them. */
export interface StatusTrial {
  index: number;
  status: Status;
  experiment_name: string;
  params: Readonly<Record<string, Value>>;
  last_log_line: string | null;
  step: number | null;
  steps_per_min: number | null;
  note: string | null;
  elapsed_seconds: number | null;
  [key: string]: unknown;
}

/** One trial of that document. */
export function trialDocument(
  view: TrialView,
  progress: TrialProgress | undefined,
  now: number,
): StatusTrial {
  const { trial, status, attempt, attempts, wish, note } = view;
  const ending = attempt?.ending;
  return {
    index: trial.index,
    status,
    experiment_name: trial.name,
    params: trial.params,
    last_log_line: progress?.lastLogLine ?? null,
    step: progress?.step ?? null,
    steps_per_min: progress?.stepsPerMinute ?? null,
    attempts,
    job_id: attempt?.jobId === undefined ? null : `${attempt.jobId}_${attempt.task}`,
    scheduler_state: attempt?.schedulerState ?? null,
    cause: ending?.cause ?? null,
    exit_code: ending?.exitCode ?? null,
    signal: ending?.signal ?? null,
    reason: attempt?.reason ?? null,
    wish: wish ?? null,
    note: note ?? null,
    node: attempt?.node ?? null,
    restarts: attempt?.restarts ?? 0,
    silent_seconds: view.silentMs === undefined ? null : Math.round(view.silentMs / 1000),
    started_at: isoOf(attempt?.startedAt),
    ended_at: isoOf(attempt?.endedAt),
    elapsed_seconds: elapsedSeconds(attempt, now) ?? null,
    max_rss_bytes: attempt?.usage?.maxRssBytes ?? null,
    dropped: trial.dropped === true,
  };
}

export function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
