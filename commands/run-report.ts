import { compactRanges, count } from "../lib/base/text.ts";
import type { RunResult } from "../lib/actions/run.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { SweepState } from "../lib/sweep/state.ts";
import { trialViews } from "../lib/sweep/view.ts";
import type { Context } from "./command.ts";
import { say } from "./open.ts";

/** Tells a person what a run did. */
export function printRun(
  { out, json }: Pick<Context, "out" | "json">,
  outside: Outside,
  outcome: RunResult,
): void {
  for (const warning of outcome.warnings) say(out, warning);
  for (const change of outcome.plan.changes) say(out, change);
  if (json) return;
  for (const { indices, jobId } of outcome.submitted) {
    out.print(
      `Submitted ${count(indices.length, "trial")} (${compactRanges(indices)}) as job ${jobId}`,
    );
  }
  const total = trialViews(outside.state()).length;
  if (outcome.plan.submit.length === 0) {
    out.print(`Nothing to submit: all ${count(total, "trial")} are live, done or set aside`);
  }
  if (outcome.left.length > 0) {
    say(
      out,
      `${count(outcome.left.length, "trial")} (${
        compactRanges(outcome.left)
      }) did not fit under the site's submit limit; run again when others have ended, or use --wait`,
    );
  }
  if (outcome.undecided.length > 0) {
    say(
      out,
      `Whether the scheduler took trials ${
        compactRanges(outcome.undecided)
      } is not known; \`herd status\` finds out, and nothing is submitted twice`,
    );
  }
}

/** What `run --json` prints: HyperHerd's keys first. */
export function runDocument(
  outside: Outside,
  run: {
    outcome: Pick<RunResult, "submitted" | "left" | "undecided" | "warnings" | "plan">;
    dryRun: boolean;
    script: string | undefined;
    state?: SweepState;
  },
): object {
  const { outcome, dryRun, script } = run;
  const first = outcome.submitted[0];
  const submitted = dryRun
    ? outcome.plan.submit
    : outcome.submitted.flatMap(({ indices }) => indices).sort((a, b) => a - b);
  return {
    dry_run: dryRun,
    slurm_job_id: first?.jobId ?? null,
    sbatch_path: first === undefined ? null : outside.paths.batchScript(first.submission),
    submitted_indices: submitted,
    sbatch_script: script ?? null,
    trials: trialViews(run.state ?? outside.state()).map(({ trial, status }) => ({
      index: trial.index,
      status,
      experiment_name: trial.name,
      params: trial.params,
    })),
    jobs: outcome.submitted.map(({ jobId, submission, indices }) => ({
      job_id: jobId,
      submission,
      indices,
      sbatch_path: outside.paths.batchScript(submission),
    })),
    left_indices: outcome.left,
    undecided_indices: outcome.undecided,
    changes: outcome.plan.changes,
    warnings: outcome.warnings,
  };
}
