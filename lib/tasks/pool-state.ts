import type { Event } from "../sweep/event.ts";
import type { PoolHappening, WorkerMailbox, WorkerVia } from "./pool-event.ts";
import { isOver } from "./task.ts";
import type { Attempt, Task } from "./task.ts";

/** What the pool knows of a worker for good; where it is now is told by its reports. */
export interface EnrolledWorker {
  name: string;
  labels: readonly string[];
  proof: string;
  via: WorkerVia;
  mailbox?: WorkerMailbox | undefined;
  enrolledAt: number;
  draining: boolean;
}

/** The fold of the pool's journal. */
export interface PoolState {
  tasks: Map<string, Task>;
  /** Key of a submission to its task. */
  keys: Map<string, string>;
  workers: Map<string, EnrolledWorker>;
  stopped: { now: boolean; why: string; by: string; at: number } | undefined;
  /** Schedule to the time that it was due last. */
  fired: Map<string, number>;
  /** US dollars by day (UTC, `2026-11-21`), model and worker; `null` models have no price. */
  spent: Spent[];
  /** The last day of which people were told that its budget is used up. */
  budgetTold: string | undefined;
  /** How many workers are SLURM jobs; undefined before anybody said so. */
  scale: Scale | undefined;
  /** By worker: jobs that are not known to be over. */
  jobs: Map<string, WorkerJob>;
  /** The highest number of a worker that was a job. */
  jobsMade: number;
}

/** What was wished of workers that are SLURM jobs; what is undefined is as configured. */
export interface Scale {
  /** When the jobs were last said to be other ones: partition, time, options. */
  shapedAt?: number | undefined;
  /** In the names of this pool's jobs. */
  id: string;
  least: number;
  most: number;
  slots: number | undefined;
  partition: string | undefined;
  timeMinutes: number | undefined;
  options: readonly string[] | undefined;
}

/** A worker that is a SLURM job. Milliseconds since the epoch. */
export interface WorkerJob {
  worker: string;
  jobName: string;
  slots: number;
  intendedAt: number;
  /** Undefined as long as nobody knows whether it was submitted. */
  jobId: string | undefined;
  submittedAt: number | undefined;
}

export interface Spent {
  day: string;
  model: string;
  worker: string;
  attempts: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  usd: number;
  /** Attempts whose price nobody knows. */
  unpriced: number;
}

/** Raised when the same events fold into something else. */
export const POOL_STATE_VERSION = 2;

export function emptyPool(): PoolState {
  return {
    tasks: new Map(),
    keys: new Map(),
    workers: new Map(),
    stopped: undefined,
    fired: new Map(),
    spent: [],
    budgetTold: undefined,
    scale: undefined,
    jobs: new Map(),
    jobsMade: 0,
  };
}

/** Changes the state in place. Throws when an event does not fit what was before it. */
export function applyToPool(state: PoolState, event: Event<PoolHappening>): void {
  const { what } = event;
  if ("task" in what && what.type !== "task-submitted" && what.type !== "schedule-fired") {
    applyToTask(state, known(state, what.task), event);
    return;
  }
  switch (what.type) {
    case "task-submitted":
      return submit(state, what, event.at);
    case "schedule-fired":
      state.fired.set(what.schedule, what.due);
      return;
    case "worker-enrolled":
      state.workers.set(what.worker, {
        name: what.worker,
        labels: what.labels,
        proof: what.proof,
        via: what.via,
        mailbox: what.mailbox,
        enrolledAt: event.at,
        draining: false,
      });
      return;
    case "worker-removed":
      state.workers.delete(what.worker);
      return;
    case "worker-drained":
    case "worker-resumed": {
      const worker = state.workers.get(what.worker);
      if (worker !== undefined) worker.draining = what.type === "worker-drained";
      return;
    }
    case "pool-stopped":
      state.stopped = { now: what.now, why: what.why, by: event.by, at: event.at };
      return;
    case "pool-resumed":
      state.stopped = undefined;
      return;
    case "budget-told":
      state.budgetTold = what.day;
      return;
    case "pool-scaled":
      state.scale = {
        shapedAt: isShapedAs(state.scale, what) ? state.scale!.shapedAt : event.at,
        id: state.scale?.id ?? what.id,
        least: what.least,
        most: what.most,
        slots: what.slots,
        partition: what.partition,
        timeMinutes: what.timeMinutes,
        options: what.options,
      };
      return;
    case "worker-job-intended":
      return intendJob(state, what, event.at);
    case "worker-job-submitted": {
      const job = state.jobs.get(what.worker);
      if (job === undefined) throw new Error(`worker "${what.worker}" has no job`);
      job.jobId = what.jobId;
      job.submittedAt = event.at;
      return;
    }
    case "worker-job-ended":
      state.jobs.delete(what.worker);
      return;
    default:
      return;
  }
}

/** Whether the jobs are the same as before, however many they are. */
function isShapedAs(
  known: Scale | undefined,
  { slots, partition, timeMinutes, options }: Extract<PoolHappening, { type: "pool-scaled" }>,
): boolean {
  return known !== undefined && known.slots === slots && known.partition === partition &&
    known.timeMinutes === timeMinutes &&
    (known.options ?? []).join("\0") === (options ?? []).join("\0");
}

function intendJob(
  state: PoolState,
  { worker, number, jobName, slots }: Extract<PoolHappening, { type: "worker-job-intended" }>,
  at: number,
): void {
  if (number <= state.jobsMade) throw new Error(`worker ${number} of SLURM was there before`);
  state.jobsMade = number;
  state.jobs.set(worker, {
    worker,
    jobName,
    slots,
    intendedAt: at,
    jobId: undefined,
    submittedAt: undefined,
  });
}

function submit(
  state: PoolState,
  { task, wish, origin }: Extract<PoolHappening, { type: "task-submitted" }>,
  at: number,
): void {
  if (state.tasks.has(task)) throw new Error(`task "${task}" is submitted twice`);
  if (wish.key !== undefined) state.keys.set(wish.key, task);
  state.tasks.set(task, {
    id: task,
    revision: 1,
    wish,
    origin,
    status: "queued",
    epoch: 0,
    attempts: [],
    createdAt: at,
    notBefore: at,
    cancelAsked: undefined,
    endedAt: undefined,
    why: "",
    acknowledged: false,
  });
}

function applyToTask(state: PoolState, task: Task, { what, at, by }: Event<PoolHappening>): void {
  switch (what.type) {
    case "task-revised":
      task.wish = what.wish;
      task.revision++;
      return;
    case "task-cancel-asked":
      task.cancelAsked ??= { by, at, why: what.why };
      return;
    case "task-assigned":
      return assign(task, what, at);
    case "attempt-accepted": {
      const attempt = counting(task, what.epoch);
      attempt.acceptedAt = at;
      attempt.acceptedIn = what.number;
      task.status = "running";
      return;
    }
    case "attempt-used":
      attemptOf(task, what.epoch).use = what.use;
      return;
    case "attempt-ended": {
      const attempt = committable(task, what.epoch);
      if (attempt === undefined) throw new Error(`attempt ${what.epoch} may not end "${task.id}"`);
      unbook(state, attempt);
      attempt.report = what.report;
      attempt.use = what.report.use;
      attempt.endedAt = at;
      return book(state, attempt, at);
    }
    case "attempt-lost": {
      const attempt = counting(task, what.epoch);
      attempt.lost = what.why;
      attempt.endedAt = at;
      book(state, attempt, at);
      return requeue(task, what.why, at + what.backOffMs);
    }
    case "result-discarded": {
      const attempt = attemptOf(task, what.epoch);
      unbook(state, attempt);
      attempt.use = what.use;
      attempt.discarded = true;
      attempt.endedAt ??= at;
      // On the day of its end, where a later correction looks for it.
      return book(state, attempt, attempt.endedAt);
    }
    case "task-requeued":
      counting(task, what.epoch);
      return requeue(task, what.why, at + what.backOffMs);
    case "task-ended":
      if (isOver(task)) throw new Error(`task "${task.id}" ended twice`);
      task.status = what.status;
      task.why = what.why;
      task.endedAt = at;
      return;
    case "task-retried":
      task.cancelAsked = undefined;
      task.endedAt = undefined;
      task.acknowledged = false;
      task.triesFrom = task.epoch;
      return requeue(task, "", at);
    case "task-acknowledged":
      task.acknowledged = true;
      return;
    case "answer-told":
      task.told = what.told;
      return;
    case "proposal-decided":
      if (task.told?.epoch === what.epoch) {
        task.told = { ...task.told, proposal: what.proposal };
      }
      return;
    default:
      return;
  }
}

function assign(
  task: Task,
  what: Extract<PoolHappening, { type: "task-assigned" }>,
  at: number,
): void {
  if (what.epoch !== task.epoch + 1) {
    throw new Error(`attempt ${what.epoch} of "${task.id}" follows attempt ${task.epoch}`);
  }
  task.epoch = what.epoch;
  task.status = "assigned";
  task.attempts.push({
    epoch: what.epoch,
    revision: what.revision,
    worker: what.worker,
    incarnation: what.incarnation,
    life: what.life,
    as: what.as,
    byMail: what.byMail,
    assignedAt: at,
    acceptedAt: undefined,
    acceptedIn: undefined,
    endedAt: undefined,
    report: undefined,
    lost: undefined,
    use: [],
    discarded: false,
  });
}

function requeue(task: Task, why: string, notBefore: number): void {
  task.status = "queued";
  task.why = why;
  task.notBefore = notBefore;
}

function known(state: PoolState, id: string): Task {
  const task = state.tasks.get(id);
  if (task === undefined) throw new Error(`task "${id}" was never submitted`);
  return task;
}

function attemptOf(task: Task, epoch: number): Attempt {
  const attempt = task.attempts.find((one) => one.epoch === epoch);
  if (attempt === undefined) throw new Error(`task "${task.id}" has no attempt ${epoch}`);
  return attempt;
}

/** Nothing but the attempt that counts can change a task. */
function counting(task: Task, epoch: number): Attempt {
  if (epoch !== task.epoch || isOver(task)) {
    throw new Error(`attempt ${epoch} of "${task.id}" does not count`);
  }
  return attemptOf(task, epoch);
}

/**
 * The attempt whose last word may be taken: the newest, or an older one as long as no newer
 * one has begun. Undefined when the task is over, another one has its place, or it was told
 * that its word does not count: what a worker was answered once stays true.
 */
export function committable(task: Task, epoch: number): Attempt | undefined {
  if (isOver(task)) return undefined;
  const attempt = task.attempts.find((one) => one.epoch === epoch);
  if (attempt === undefined || attempt.report !== undefined || attempt.discarded) return undefined;
  const newer = task.attempts.filter((one) => one.epoch > epoch);
  return newer.every(({ acceptedAt }) => acceptedAt === undefined) ? attempt : undefined;
}

function book(state: PoolState, attempt: Attempt, at: number): void {
  const day = new Date(at).toISOString().slice(0, 10);
  for (const { model, usd, ...tokens } of attempt.use) {
    const entry = spentOn(state, day, model, attempt.worker);
    entry.attempts++;
    for (const kind of ["input", "output", "cacheRead", "cacheWrite"] as const) {
      entry[kind] += tokens[kind];
    }
    entry.usd += usd ?? 0;
    if (usd === null) entry.unpriced++;
  }
}

/** A late word says anew what the attempt used; what was counted for it before is taken back. */
function unbook(state: PoolState, { endedAt, use, worker }: Attempt): void {
  if (endedAt === undefined) return;
  const day = new Date(endedAt).toISOString().slice(0, 10);
  for (const { model, usd, ...tokens } of use) {
    const entry = spentOn(state, day, model, worker);
    entry.attempts--;
    for (const kind of ["input", "output", "cacheRead", "cacheWrite"] as const) {
      entry[kind] -= tokens[kind];
    }
    entry.usd -= usd ?? 0;
    if (usd === null) entry.unpriced--;
  }
}

function spentOn(state: PoolState, day: string, model: string, worker: string): Spent {
  const found = state.spent.find((one) =>
    one.day === day && one.model === model && one.worker === worker
  );
  if (found !== undefined) return found;
  const entry = {
    day,
    model,
    worker,
    attempts: 0,
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    usd: 0,
    unpriced: 0,
  };
  state.spent.push(entry);
  return entry;
}
