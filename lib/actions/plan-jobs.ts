import type { Limits } from "../schedulers/scheduler.ts";
import { batches } from "../sweep/batches.ts";
import type { Config, Resources } from "../sweep/config.ts";
import type { Bump } from "../sweep/monitor-event.ts";
import { overrideTokens, runDigest } from "../sweep/overrides.ts";
import type { SweepState } from "../sweep/state.ts";
import type { Trial } from "../sweep/trial.ts";
import type { Parts } from "./parts.ts";
import type { PlannedJob } from "./submit.ts";

export interface JobsRequest {
  /** In which every trial to submit is defined. */
  state: SweepState;
  config: Config;
  indices: readonly number[];
  limits: Limits;
  scheduler: "slurm" | "local";
  maxConcurrent: number | undefined;
}

export interface JobsPlan {
  jobs: readonly PlannedJob[];
  /** Trials for which the site's submit limit leaves no room now. */
  left: readonly number[];
}

/** Turns trials into array jobs within the site's limits. Writes nothing. */
export function planJobs(
  parts: Pick<Parts, "compose" | "newNonce">,
  request: JobsRequest,
): JobsPlan {
  const { state, config, limits } = request;
  const room = limits.maxSubmit === undefined
    ? Infinity
    : Math.max(0, limits.maxSubmit - (limits.submittedNow ?? 0));
  const now = request.indices.slice(0, room);
  const trials = now.map((index) => {
    const trial = state.trials.get(index)!;
    return { index, resources: resourcesOf(config, trial, state.monitor.bumps) };
  });
  const list = batches({
    trials,
    maxArraySize: limits.maxArraySize,
    maxConcurrent: request.maxConcurrent,
  });
  const fixed = { staticOverrides: config.staticOverrides, launcher: config.launcher };
  const jobs = list.map((batch): PlannedJob => {
    const submission = parts.newNonce();
    const jobName = `hyperherd_${config.name}_${submission}`;
    const rows = batch.indices.map((index) => {
      const trial = state.trials.get(index)!;
      return {
        task: index - batch.base,
        trial: index,
        attempt: attemptsMade(state, index) + 1,
        name: trial.name,
        tokens: overrideTokens(trial, config.staticOverrides),
        as: runDigest(trial, fixed),
      };
    });
    return {
      batch,
      submission,
      jobName,
      scheduler: request.scheduler,
      fixed: state.definition?.fixed ?? "",
      tasks: rows.map(({ task, trial, attempt, as }) => ({ task, trial, attempt, as })),
      ...parts.compose({
        ...{ scheduler: request.scheduler, submission, jobName, batch, config, rows },
      }),
    };
  });
  return { jobs, left: request.indices.slice(now.length) };
}

/**
 * What a trial asks of the cluster: the sweep's settings, with what conditions
 * change for it, and at least what bumps of its own gave it.
 */
export function resourcesOf(
  config: Config,
  trial: Pick<Trial, "resources"> & { index?: number },
  bumps: readonly (Bump & { applied: boolean })[] = [],
): Resources {
  // The sweep's settings hold more than resources (export, signal); only resources make a batch.
  const { maxConcurrent: _m, signal: _s, export: _e, host: _h, path: _p, ...resources } =
    config.slurm;
  const changed = Object.entries(trial.resources).filter(([, value]) => value !== undefined);
  return raised({ ...resources, ...Object.fromEntries(changed) }, trial.index, bumps);
}

/** All of a node (0) and no limit (null) are more than any bump gives. */
function raised(
  resources: Resources,
  index: number | undefined,
  bumps: readonly (Bump & { applied: boolean })[],
): Resources {
  let { memoryMiB, timeSeconds } = resources;
  for (const { what, to, trials, applied } of bumps) {
    if (!applied || trials === "sweep" || index === undefined || !trials.includes(index)) continue;
    if (what === "memory" && memoryMiB !== 0) memoryMiB = Math.max(memoryMiB, to);
    if (what === "time" && timeSeconds !== null) timeSeconds = Math.max(timeSeconds, to);
  }
  return { ...resources, memoryMiB, timeSeconds };
}

/** Attempts that reached the scheduler; one that was refused was none. */
function attemptsMade(state: SweepState, trial: number): number {
  const keys = state.attemptsOf.get(trial) ?? [];
  return keys.filter((key) => state.attempts.get(key)?.ending?.cause !== "not-submitted").length;
}

/** Whether an attempt of this trial was ever submitted, for commands that must not overwrite its output. */
export function wasSubmitted(state: SweepState, trial: number): boolean {
  return attemptsMade(state, trial) > 0;
}
