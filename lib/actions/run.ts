import { SchedulerError, UserError } from "../base/errors.ts";
import { compactRanges } from "../base/text.ts";
import type { Limits } from "../schedulers/scheduler.ts";
import type { Config } from "../sweep/config.ts";
import type { Expansion } from "../sweep/expand.ts";
import { misfits } from "../sweep/fit.ts";
import type { Row } from "../sweep/csv.ts";
import { planRun } from "../sweep/run-plan.ts";
import type { RunPlan, RunRequest } from "../sweep/run-plan.ts";
import type { SweepState } from "../sweep/state.ts";
import { LIVE, statusOf } from "../sweep/status.ts";
import { assertHeard, look } from "./look.ts";
import type { Refusal } from "./outcome.ts";
import { refuse } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import { planJobs, resourcesOf } from "./plan-jobs.ts";
import { recoverAll } from "./recover.ts";
import { stop } from "./stop.ts";
import { submitJobs } from "./submit.ts";
import type { Submitted } from "./submit.ts";

export interface RunAction {
  request: RunRequest;
  config: Config;
  expansion: Expansion;
  rows: readonly Row[] | undefined;
  scheduler: "slurm" | "local";
  maxConcurrent: number | undefined;
  /** Why, for the audit. */
  reason?: string;
}

export interface RunResult {
  done: true;
  plan: RunPlan;
  submitted: readonly Submitted[];
  /** No room under the site's submit limit now. */
  left: readonly number[];
  /** Their submission is being looked up; they are not submitted again before that is decided. */
  undecided: readonly number[];
  warnings: readonly string[];
  trouble: SchedulerError | undefined;
}

/** How long a run waits to learn what became of an earlier submission before it goes on without its trials. */
const RECOVER_WAIT_MS = 25_000;

/** Makes the sweep what the YAML says and submits what should run. */
export async function run(parts: Parts, action: RunAction): Promise<RunResult | Refusal> {
  await recoverAll(parts, RECOVER_WAIT_MS);
  const { warnings, observations } = await look(parts, action.config.pruneGraceSeconds, {
    ended: true,
  });
  const plan = planRun({ ...action, state: parts.state() });
  if ("refused" in plan) {
    return refuse(plan.reason, {
      hint: plan.hint,
      facts: { ...plan.facts, refused: plan.refused },
    });
  }
  if (plan.submit.length === 0) {
    if (plan.happenings.length > 0) parts.append(plan.happenings);
    return {
      done: true,
      plan,
      submitted: [],
      left: [],
      undecided: [],
      warnings,
      trouble: undefined,
    };
  }
  parts.assertWhole();
  assertHeard(parts.state(), observations, plan.submit);
  // Asked before anything is written: with the controller down a run changes nothing.
  const limits = await parts.scheduler(action.scheduler).limits(action.config.slurm);
  refuseMisfits(plan, action, parts.state(), limits);
  if (plan.happenings.length > 0) parts.append(plan.happenings);
  if (plan.stopFirst.length > 0) {
    const stopped = await stopLive(parts, plan, action.config.pruneGraceSeconds);
    if (stopped !== undefined) return stopped;
  }
  const { jobs, left } = planJobs(parts, {
    state: parts.state(),
    config: action.config,
    indices: plan.submit,
    limits,
    scheduler: action.scheduler,
    maxConcurrent: action.maxConcurrent ?? action.config.slurm.maxConcurrent,
  });
  const { submitted, trouble } = await submitJobs(parts, jobs);
  return {
    done: true,
    plan,
    submitted,
    left,
    undecided: trouble?.error.kind === "rejected" ? [] : trouble?.job.batch.indices ?? [],
    warnings,
    trouble: trouble?.error,
  };
}

/** A job that could never start would wait for ever: better said now. */
function refuseMisfits(plan: RunPlan, action: RunAction, state: SweepState, limits: Limits): void {
  if (action.scheduler !== "slurm") return;
  const planned = new Map([
    ...plan.reconciliation.kept.map((one) => [one.index, one.planned] as const),
    ...plan.reconciliation.added.map((one) => [one.index, one] as const),
  ]);
  const found = new Set<string>();
  for (const index of plan.submit) {
    const trial = planned.get(index) ?? state.trials.get(index)!;
    const resources = resourcesOf(action.config, trial);
    // The limits are those of the sweep's own partition; a trial sent elsewhere is SLURM's to judge.
    if (resources.partition !== action.config.slurm.partition) continue;
    for (const text of misfits(resources, limits)) found.add(text);
  }
  if (found.size === 0) return;
  throw new UserError(`Cannot submit the sweep: ${[...found].join("; ")}`, {
    hint: "Such jobs would wait for ever; `herd doctor` lists what each partition allows",
  });
}

async function stopLive(
  parts: Parts,
  { submit, stopFirst }: RunPlan,
  graceSeconds: number,
): Promise<Refusal | undefined> {
  const stopped = await stop(parts, { indices: stopFirst, reason: "run --force", graceSeconds });
  if (!stopped.done) return stopped;
  // All of them: while we waited for some, a job of another may have been requeued.
  const alive = submit.filter((index) => LIVE.has(statusOf(parts.state(), index)));
  if (alive.length === 0) return undefined;
  return refuse(`Cannot run trial ${compactRanges(alive)} again: its old job has not ended yet`, {
    hint: "It was told to stop; run the same command again in a moment",
    facts: { indices: alive },
  });
}
