import { planJobs } from "../actions/plan-jobs.ts";
import type { PlannedJob } from "../actions/submit.ts";
import { SchedulerError, UserError } from "../base/errors.ts";
import { nearest } from "../base/text.ts";
import { isInstalled } from "../schedulers/choose.ts";
import type { Limits } from "../schedulers/scheduler.ts";
import type { Resources } from "../sweep/config.ts";
import { misfits } from "../sweep/fit.ts";
import { effectiveResources } from "../sweep/resource-text.ts";
import { afterwards, planRun } from "../sweep/run-plan.ts";
import type { RunPlan, RunRefusal } from "../sweep/run-plan.ts";
import type { SweepState } from "../sweep/state.ts";
import { checkElsewhere, type ElsewhereCheck } from "./check-elsewhere.ts";
import type { Outside } from "./outside.ts";
import { preflight } from "./preflight.ts";
import { DEFAULT_LIMITS } from "./preview.ts";

export interface Problem {
  message: string;
  hint: string | undefined;
}

export interface Check {
  /** What keeps a run from working. */
  problems: readonly Problem[];
  warnings: readonly string[];
  /** Of the sweep's own partition; undefined when the cluster was not asked or did not answer. */
  limits: Limits | undefined;
  /** Why the cluster told nothing. */
  silence: SchedulerError | undefined;
  plan: RunPlan | RunRefusal;
  jobs: readonly PlannedJob[];
  /** Trials that have no room under the submit limit now. */
  left: readonly number[];
  /** Undefined where jobs run on this machine, or on the SLURM of it. */
  elsewhere: ElsewhereCheck | undefined;
}

const EVERYTHING = {
  indices: undefined,
  pins: [],
  force: false,
  skip: false,
  changed: undefined,
} as const;

/**
 * Finds what would keep a run from working, and what it would submit. With
 * `cluster` the scheduler is asked; nothing is written. The YAML's own mistakes
 * throw, all of them at once.
 */
export async function checkSweep(
  outside: Outside,
  options: { scheduler: "slurm" | "local"; cluster: boolean },
): Promise<Check> {
  const { scheduler, cluster } = options;
  const sweep = outside.sweep();
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const isFar = scheduler === "slurm" && outside.host() !== undefined;
  // What a login shell there sets is compared with what the launcher reads; silence is told later.
  if (isFar && cluster) await outside.mirror()?.survey().catch(() => {});
  collect(problems, () => {
    // Without the cluster its programs are not needed either.
    warnings.push(...preflight(outside, cluster ? scheduler : "local", { preview: true }));
  });
  let state: SweepState = outside.state();
  if (cluster && state.seq > 0) {
    const view = await outside.watch();
    state = view.state;
    warnings.push(...view.warnings);
  }
  const reachable = scheduler === "local" || isFar || isInstalled("sbatch", process.env);
  const asked = cluster && reachable
    ? await askCluster(outside, scheduler)
    : { limits: undefined, silence: undefined, problems: [] };
  problems.push(...asked.problems);
  const elsewhere = isFar
    ? await checkElsewhere(outside, { cluster: cluster && asked.silence === undefined })
    : undefined;
  problems.push(...elsewhere?.problems ?? []);
  warnings.push(...elsewhere?.warnings ?? []);
  const found = { ...asked, elsewhere, warnings };
  const plan = planRun({ ...sweep, state, request: EVERYTHING });
  if ("refused" in plan) return { ...found, problems, plan, jobs: [], left: [] };
  const after = afterwards(state, plan.happenings, Date.now());
  let planned: { jobs: readonly PlannedJob[]; left: readonly number[] } = { jobs: [], left: [] };
  collect(problems, () => {
    planned = planJobs(outside, {
      state: after,
      config: sweep.config,
      indices: plan.submit,
      limits: asked.limits ?? DEFAULT_LIMITS,
      // Of the text nothing is shown, and what it says of the host may not be known.
      scheduler: isFar ? "local" : scheduler,
      maxConcurrent: sweep.config.slurm.maxConcurrent,
    });
  });
  return { ...found, problems, plan, ...planned };
}

function collect(problems: Problem[], act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push({ message: error.message, hint: error.hint });
  }
}

/** One question for each partition, account and QOS that the sweep uses. */
async function askCluster(
  outside: Outside,
  name: "slurm" | "local",
): Promise<
  { limits: Limits | undefined; silence: SchedulerError | undefined; problems: Problem[] }
> {
  const { config, expansion } = outside.sweep();
  const problems = new Map<string, Problem>();
  const wanted = distinct([
    config.slurm,
    ...expansion.trials.map((trial) => effectiveResources(config.slurm, trial.resources)),
  ]);
  const known = new Map<string, Limits>();
  let own: Limits | undefined;
  for (const resources of wanted) {
    const key = placeOf(resources);
    try {
      const limits = known.get(key) ?? await outside.scheduler(name).limits(resources);
      known.set(key, limits);
      own ??= limits;
      for (const found of problemsOf(resources, limits, name)) problems.set(found.message, found);
    } catch (error) {
      if (!(error instanceof SchedulerError)) throw error;
      if (error.kind !== "rejected") {
        return { limits: own, silence: error, problems: [...problems.values()] };
      }
      problems.set(error.message, { message: error.message, hint: undefined });
    }
  }
  return { limits: own, silence: undefined, problems: [...problems.values()] };
}

function distinct(list: readonly Resources[]): Resources[] {
  const found = new Map<string, Resources>();
  for (const resources of list) {
    const { partition, account, qos, memoryMiB, timeSeconds, cpusPerTask } = resources;
    const key = JSON.stringify([partition, account, qos, memoryMiB, timeSeconds, cpusPerTask]);
    if (!found.has(key)) found.set(key, resources);
  }
  return [...found.values()];
}

function placeOf({ partition, account, qos }: Resources): string {
  return JSON.stringify([partition, account, qos]);
}

function problemsOf(resources: Resources, limits: Limits, name: "slurm" | "local"): Problem[] {
  // This machine runs a trial that asks for more than it has, as well as it can.
  if (name === "local") return [];
  const where = partitionProblem(resources.partition, limits);
  if (where !== undefined) return [where];
  return misfits(resources, limits).map((text) => ({
    message: `Cannot run the sweep: ${text}`,
    hint: "Such jobs would wait for ever",
  }));
}

/** SLURM takes several partitions with commas and uses the first that is free. */
function partitionProblem(wanted: string | undefined, limits: Limits): Problem | undefined {
  const { partitions } = limits;
  const names = partitions.map((one) => one.name);
  if (names.length === 0) return undefined;
  const listed = `Partitions are ${names.join(", ")}`;
  if (wanted === undefined) {
    if (partitions.some(({ isDefault }) => isDefault)) return undefined;
    return {
      message: "Cannot run the sweep: slurm.partition is not set and the cluster has no default",
      hint: listed,
    };
  }
  for (const name of wanted.split(",")) {
    const partition = partitions.find((one) => one.name === name);
    if (partition === undefined) {
      const near = nearest(name, names);
      return {
        message: `Cannot run the sweep: partition "${name}" does not exist`,
        hint: near === undefined ? listed : `Did you mean "${near}"? ${listed}`,
      };
    }
  }
  const up = wanted.split(",").some((name) => partitions.find((one) => one.name === name)?.up);
  if (up) return undefined;
  return {
    message: `Cannot run the sweep now: partition "${wanted}" is down`,
    hint: "Jobs would wait until the site opens it again",
  };
}
