import { SLURM_LABEL } from "./slurm-worker.ts";
import type { PoolState } from "./pool-state.ts";
import type { Task } from "./task.ts";

/** A worker that is a SLURM job, as far as it matters for how many there should be. */
export interface JobWorker {
  worker: string;
  slots: number;
  /** `asked`: nobody knows yet whether SLURM has it; `waiting`: in SLURM's queue. */
  phase: "asked" | "waiting" | "running";
  /** It was asked for before its options were changed. */
  outdated?: boolean;
  /** It takes nothing new and ends. */
  leaving: boolean;
  /** Tasks that it has. */
  held: number;
  /** Since when it has had nothing to do; when it was submitted for one that has not begun. */
  idleSince: number;
}

export interface ScaleFacts {
  least: number;
  most: number;
  /** Tasks that one new worker does at once. */
  slots: number;
  idleMs: number;
  /** Tasks that wait and that such a worker may do. */
  waiting: number;
  /** Nothing is given out now: no worker is started for work. */
  held: boolean;
  workers: readonly JobWorker[];
  now: number;
}

export interface ScaleSteps {
  /** So many more workers. */
  submit: number;
  /** Let these finish and end. */
  drain: readonly string[];
  /** These have not begun: take them out of SLURM's queue. */
  cancel: readonly string[];
}

/**
 * How many workers there should be: up at once, down after a time without work and never in the
 * middle of a task.
 */
export function decideScale(facts: ScaleFacts): ScaleSteps {
  const { least, most, slots, workers } = facts;
  const staying = workers.filter(({ leaving }) => !leaving);
  // What has not begun waits for what is not wanted any more, perhaps for ever.
  const outdated = staying.filter((one) => one.outdated === true && one.phase === "waiting");
  if (outdated.length > 0) {
    return { submit: 0, drain: [], cancel: outdated.map(({ worker }) => worker) };
  }
  const busy = staying.reduce((sum, { held }) => sum + held, 0);
  const needed = Math.ceil(((facts.held ? 0 : facts.waiting) + busy) / Math.max(1, slots));
  const wanted = Math.min(most, Math.max(least, needed));
  if (staying.length < wanted) {
    return { submit: facts.held ? 0 : wanted - staying.length, drain: [], cancel: [] };
  }
  const steps = { drain: [] as string[], cancel: [] as string[] };
  let surplus = staying.length - wanted;
  // Above the limit at once; within it only what has been idle for long.
  let forced = Math.max(0, staying.length - most);
  for (const one of [...staying].sort(byWorth)) {
    if (surplus === 0) break;
    const isIdle = one.held === 0 && facts.now - one.idleSince >= facts.idleMs;
    if (forced === 0 && !isIdle) continue;
    // Whether SLURM has it is found out first.
    if (one.phase === "asked") continue;
    (one.phase === "waiting" ? steps.cancel : steps.drain).push(one.worker);
    surplus--;
    forced = Math.max(0, forced - 1);
  }
  return { submit: 0, ...steps };
}

/** What is let go first: what has the least to do, of these what waits, then what was idle longest. */
function byWorth(a: JobWorker, b: JobWorker): number {
  const waits = ({ phase }: JobWorker) => phase === "running" ? 1 : 0;
  return a.held - b.held || waits(a) - waits(b) || a.idleSince - b.idleSince ||
    (a.worker < b.worker ? 1 : -1);
}

/** Tasks that wait now and that a worker of SLURM may do. */
export function waitingForSlurm({ tasks, jobs }: Pick<PoolState, "tasks" | "jobs">, now: number) {
  return [...tasks.values()].filter((task) => isDue(task, now) && mayDo(task, jobs)).length;
}

function isDue({ status, notBefore, cancelAsked }: Task, now: number): boolean {
  return status === "queued" && notBefore <= now && cancelAsked === undefined;
}

function mayDo({ wish }: Task, jobs: PoolState["jobs"]): boolean {
  return wish.worker === undefined || wish.worker === SLURM_LABEL || jobs.has(wish.worker);
}
