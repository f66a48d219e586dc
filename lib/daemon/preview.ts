import { planJobs } from "../actions/plan-jobs.ts";
import type { PlannedJob } from "../actions/submit.ts";
import type { Limits } from "../schedulers/scheduler.ts";
import { afterwards, planRun } from "../sweep/run-plan.ts";
import type { RunPlan, RunRefusal, RunRequest } from "../sweep/run-plan.ts";
import type { SweepState } from "../sweep/state.ts";
import type { Outside } from "./outside.ts";

export interface Preview {
  plan: RunPlan;
  jobs: readonly PlannedJob[];
  left: readonly number[];
  /** The state as it would be before anything is submitted. */
  state: SweepState;
  warnings: readonly string[];
}

/** Where the site's limits cannot be learnt, SLURM's own defaults. */
export const DEFAULT_LIMITS: Limits = {
  maxArraySize: 1001,
  maxSubmit: undefined,
  submittedNow: undefined,
  maxTimeSeconds: undefined,
  maxMemoryMiB: undefined,
  maxCpusPerNode: undefined,
  accounting: true,
  partitions: [],
  version: undefined,
};

/** What a run would do now. Asks the cluster, writes nothing. */
export async function preview(
  outside: Outside,
  action: { request: RunRequest; scheduler: "slurm" | "local"; maxConcurrent: number | undefined },
): Promise<Preview | RunRefusal> {
  outside.assertTakeable();
  const { state, warnings } = await outside.watch();
  const sweep = outside.sweep();
  const plan = planRun({ ...sweep, state, request: action.request });
  if ("refused" in plan) return plan;
  const after = afterwards(state, plan.happenings, Date.now());
  const more: string[] = [];
  const limits = await outside.scheduler(action.scheduler).limits(sweep.config.slurm)
    .catch((error: unknown) => {
      more.push(
        `Cannot learn the site's limits, SLURM's defaults are shown: ${(error as Error).message}`,
      );
      return DEFAULT_LIMITS;
    });
  const { jobs, left } = planJobs(outside, {
    state: after,
    config: sweep.config,
    indices: plan.submit,
    limits,
    scheduler: action.scheduler,
    maxConcurrent: action.maxConcurrent ?? sweep.config.slurm.maxConcurrent,
  });
  return { plan, jobs, left, state: after, warnings: [...warnings, ...more] };
}
