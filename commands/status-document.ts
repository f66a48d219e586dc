import type { TrialProgress } from "../lib/daemon/progress.ts";
import { elapsedSeconds, totalsOf } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";

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

function trialDocument(view: TrialView, progress: TrialProgress | undefined, now: number): unknown {
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

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
