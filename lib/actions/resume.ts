import type { Config } from "../sweep/config.ts";
import { readyToResume } from "./mark.ts";
import type { Refusal } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import { planJobs } from "./plan-jobs.ts";
import { submitJobs } from "./submit.ts";
import type { SubmitResult } from "./submit.ts";

export interface ResumeResult {
  done: true;
  indices: readonly number[];
  submitted: SubmitResult["submitted"];
  left: readonly number[];
  trouble: SubmitResult["trouble"];
}

interface Where {
  config: Config;
  scheduler: "slurm" | "local";
  maxConcurrent: number | undefined;
}

/** Submits paused or pruned trials again, once their old attempts have ended. */
export async function resume(
  parts: Parts,
  action: Where & { indices: readonly number[] },
): Promise<ResumeResult | Refusal> {
  const ready = await readyToResume(parts, action.indices, action.config.pruneGraceSeconds);
  if (!Array.isArray(ready)) return ready;
  return { done: true, indices: ready, ...await submitAgain(parts, { ...action, indices: ready }) };
}

/** Submits trials that are known to have no live attempt. */
export async function submitAgain(
  parts: Parts,
  action: Where & { indices: readonly number[] },
): Promise<SubmitResult & { left: readonly number[] }> {
  if (action.indices.length === 0) return { submitted: [], left: [], trouble: undefined };
  parts.assertWhole();
  const limits = await parts.scheduler(action.scheduler).limits(action.config.slurm);
  const { jobs, left } = planJobs(parts, {
    state: parts.state(),
    config: action.config,
    indices: action.indices,
    limits,
    scheduler: action.scheduler,
    maxConcurrent: action.maxConcurrent ?? action.config.slurm.maxConcurrent,
  });
  return { ...await submitJobs(parts, jobs), left };
}
