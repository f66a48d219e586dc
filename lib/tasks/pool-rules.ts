import { GRACE_MS, LEASE_MS, OFFER_MS } from "./exchange.ts";
import type { WorkerReport } from "./exchange.ts";
import type { PoolHappening, TaskEnd } from "./pool-event.ts";
import type { EnrolledWorker, PoolState } from "./pool-state.ts";
import { attemptName, isOver } from "./task.ts";
import type { Attempt, AttemptReport, Task } from "./task.ts";

/** When a worker was heard last, and what it said. In memory only: who lives says so again. */
export interface Sighting {
  report: WorkerReport;
  at: number;
}

export interface PoolLimits {
  /** Attempts of one task that may die or fail in passing before it is given up. */
  maxAttempts: number;
  /** Tasks that may run at the same time; undefined for as many as there are slots. */
  maxRunning: number | undefined;
  /** A worker that was silent for so long is offered nothing. Milliseconds. */
  quietMs: number;
}

/** What is known of the workers' lives, beside the journal. */
export interface Heard {
  /** When that life of a worker was heard last; for one that never was, when listening began. */
  lastOf(worker: string, incarnation: string): number;
  /**
   * How long it is certain that a life said nothing in its worker's mailbox, by the mailbox's own
   * clock and two looks. Milliseconds; 0 when nobody has looked.
   */
  provenMs(worker: string, incarnation: string): number;
  /**
   * The newest life of a worker, when it was heard twice: a single report may be a late copy of a
   * life long gone whose clock was ahead.
   */
  successorOf(worker: string): WorkerReport | undefined;
}

/** A worker that speaks through a mailbox says something so seldom while it has nothing to do. */
const MAILBOX_QUIET_MS = LEASE_MS + GRACE_MS;
const FIRST_BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 15 * 60_000;

/** Milliseconds before the next attempt, after so many. */
export function backOffAfter(attempts: number): number {
  return Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 4 ** Math.max(0, attempts - 1));
}

/** What follows from an attempt's last word, which is the event before. */
export function afterEnd(
  task: Task,
  { report, epoch }: { report: AttemptReport; epoch: number },
  { maxAttempts }: Pick<PoolLimits, "maxAttempts">,
): PoolHappening {
  const ended = (status: TaskEnd, why: string) =>
    ({ type: "task-ended", task: task.id, status, why }) as const;
  const { end, cause, passing } = report;
  // The work was done and paid for, whatever was asked for meanwhile.
  if (end === "done") return ended("succeeded", "");
  if (task.cancelAsked !== undefined) return ended("cancelled", cause);
  if (end === "timed-out") return ended("expired", cause);
  // Nobody asked for it: the worker was stopped or lost its lease, and the task is not to blame.
  const isWorkers = end === "cancelled" || end === "fenced";
  if (!passing && !isWorkers) return ended("failed", cause);
  const tried = triesOf({
    ...task,
    attempts: task.attempts.map((one) => one.epoch === epoch ? { ...one, report } : one),
  });
  if (tried >= maxAttempts) return ended("dead", `${cause}; given up after ${tried} attempts`);
  const backOffMs = isHandedBack(report) ? 0 : backOffAfter(tried);
  return { type: "task-requeued", task: task.id, epoch, why: cause, backOffMs };
}

/** A worker that had to go gave it back in good order. */
function isHandedBack({ end, passing }: Pick<AttemptReport, "end" | "passing">): boolean {
  return end === "cancelled" && passing;
}

/** A task that fits into no worker's time is given up in the end all the same. */
const MOST_HANDED_BACK = 20;

/** Attempts that had begun and count, since the task was submitted or somebody had it tried anew. */
function triesOf({ attempts, triesFrom = 0 }: Pick<Task, "attempts" | "triesFrom">): number {
  const begun = attempts.filter((one) => one.epoch > triesFrom && one.acceptedAt !== undefined);
  const back = begun.filter(({ report }) => report !== undefined && isHandedBack(report)).length;
  return begun.length - Math.min(back, MOST_HANDED_BACK);
}

/** What a coordinator that died between two events left undone. */
export function unfinished(
  state: PoolState,
  limits: Pick<PoolLimits, "maxAttempts">,
): readonly PoolHappening[] {
  return [...state.tasks.values()].flatMap((task) => {
    if (isOver(task)) return [];
    const heard = task.attempts.find(({ epoch, report }) =>
      report !== undefined &&
      (report.end === "done" || (epoch === task.epoch && task.status !== "queued"))
    );
    if (heard !== undefined) {
      return [afterEnd(task, { report: heard.report!, epoch: heard.epoch }, limits)];
    }
    return task.status === "queued" && task.cancelAsked !== undefined
      ? [{ type: "task-ended", task: task.id, status: "cancelled", why: task.why }]
      : [];
  });
}

/** Attempts that nobody will hear of again, each with what is done about it. */
export function lostAttempts(
  state: PoolState,
  heard: Heard,
  now: number,
  limits: Pick<PoolLimits, "maxAttempts">,
): readonly PoolHappening[] {
  return [...state.tasks.values()].flatMap((task) => {
    if (!isHeld(task)) return [];
    const attempt = task.attempts.at(-1)!;
    const why = whyLost(attempt, heard, now);
    return why === undefined ? [] : giveUp(task, attempt, why, limits);
  });
}

function whyLost(
  attempt: Attempt,
  heard: Heard,
  now: number,
): string | undefined {
  const { worker, incarnation, assignedAt, acceptedAt, epoch, byMail } = attempt;
  // It told first of what it found of its former life, and has ended the rest.
  if (isFollowed(attempt, heard.successorOf(worker))) return `worker "${worker}" was started anew`;
  const unheardMs = now - Math.max(heard.lastOf(worker, incarnation), acceptedAt ?? assignedAt);
  // Who cannot look into a mailbox knows nothing of who writes there: the worker may well live on.
  const silentMs = byMail ? Math.min(unheardMs, heard.provenMs(worker, incarnation)) : unheardMs;
  if (acceptedAt === undefined) {
    return silentMs > OFFER_MS ? `worker "${worker}" did not take up attempt ${epoch}` : undefined;
  }
  return silentMs > LEASE_MS + GRACE_MS
    ? `worker "${worker}" was not heard of for ${Math.round(silentMs / 60_000)} minutes`
    : undefined;
}

/** Whether a later life on the same machine has come; on another one, the former may still run. */
function isFollowed({ incarnation, life }: Attempt, newest: WorkerReport | undefined): boolean {
  return newest !== undefined && life !== undefined && newest.incarnation !== incarnation &&
    newest.host === life.host && newest.startedAt > life.startedAt;
}

/**
 * Attempts of a worker that its newest report does not tell of. What had begun is gone; an offer
 * is withdrawn when it should not be taken up any more. To be asked before that report is
 * answered: answers to earlier ones are void for the worker, so nobody can begin it afterwards.
 * `mayWithdraw`: whether the report cannot be one that an earlier coordinator has answered.
 */
export function untoldAttempts(
  state: PoolState,
  report: WorkerReport,
  { now, mayWithdraw, isUnwanted }: { now: number; mayWithdraw: boolean; isUnwanted: boolean },
  limits: Pick<PoolLimits, "maxAttempts">,
): readonly PoolHappening[] {
  const told = new Set(report.attempts.map(({ task, epoch }) => attemptName(task, epoch)));
  return [...state.tasks.values()].flatMap((task) => {
    if (!isHeld(task)) return [];
    const attempt = task.attempts.at(-1)!;
    const { worker, incarnation, epoch, acceptedAt, acceptedIn, assignedAt } = attempt;
    const isIts = worker === report.worker && incarnation === report.incarnation;
    if (!isIts || told.has(attemptName(task.id, epoch))) return [];
    if (acceptedAt !== undefined) {
      return report.number > (acceptedIn ?? Infinity)
        ? giveUp(task, attempt, `worker "${worker}" does not know of it any more`, limits)
        : [];
    }
    const isOld = now - assignedAt > OFFER_MS;
    return mayWithdraw && (isOld || isUnwanted || task.cancelAsked !== undefined)
      ? giveUp(task, attempt, `worker "${worker}" did not take up attempt ${epoch}`, limits)
      : [];
  });
}

/** All that a worker holds, of which nothing runs any more: whoever says so must know. */
export function buriedAttempts(
  state: PoolState,
  worker: string,
  why: string,
  limits: Pick<PoolLimits, "maxAttempts">,
): readonly PoolHappening[] {
  return [...state.tasks.values()].flatMap((task) => {
    const attempt = task.attempts.at(-1);
    return isHeld(task) && attempt?.worker === worker ? giveUp(task, attempt, why, limits) : [];
  });
}

function isHeld({ status }: Task): boolean {
  return status === "assigned" || status === "running";
}

function giveUp(
  task: Task,
  attempt: Attempt,
  why: string,
  { maxAttempts }: Pick<PoolLimits, "maxAttempts">,
): PoolHappening[] {
  // Its last word is there; what follows from it is for `unfinished`.
  if (attempt.report !== undefined) return [];
  const tried = triesOf(task);
  const lost: PoolHappening = {
    type: "attempt-lost",
    task: task.id,
    epoch: attempt.epoch,
    why,
    // An offer that was not taken up cost nothing.
    backOffMs: attempt.acceptedAt === undefined ? 0 : backOffAfter(tried),
  };
  if (task.cancelAsked !== undefined) {
    return [lost, { type: "task-ended", task: task.id, status: "cancelled", why }];
  }
  return tried < maxAttempts ? [lost] : [lost, {
    type: "task-ended",
    task: task.id,
    status: "dead",
    why: `${why}; given up after ${tried} attempts`,
  }];
}

/** Whether a task may be done by a worker, as far as the task has a wish. */
export function suits(
  { wish, attempts }: Pick<Task, "wish" | "attempts">,
  worker: Pick<EnrolledWorker, "name" | "labels">,
  { report }: Pick<Sighting, "report">,
): boolean {
  const labels = [...worker.labels, ...report.labels];
  const named = wish.worker === undefined || wish.worker === worker.name ||
    labels.includes(wish.worker);
  const refused = attempts.some((one) =>
    one.worker === worker.name && one.report?.end === "refused"
  );
  return named && !refused;
}

/** Who gets what now: the most urgent task first, the emptiest worker first. */
export function nextAssignments(
  state: PoolState,
  seen: ReadonlyMap<string, Sighting>,
  now: number,
  { quietMs, maxRunning }: Pick<PoolLimits, "quietMs" | "maxRunning">,
  fits: (task: Task, sighting: Sighting) => boolean,
): readonly Extract<PoolHappening, { type: "task-assigned" }>[] {
  if (state.stopped !== undefined) return [];
  const going = stillGoing(seen, now);
  const waiting = [...state.tasks.values()]
    .filter(({ id, status, notBefore, cancelAsked }) =>
      status === "queued" && notBefore <= now && cancelAsked === undefined && !going.has(id)
    )
    .sort(byUrgency);
  if (waiting.length === 0) return [];
  const free = freeSlots(state, seen, now, quietMs);
  let room = (maxRunning ?? Infinity) - runningCount(state);
  const made: Extract<PoolHappening, { type: "task-assigned" }>[] = [];
  for (const task of waiting) {
    if (room <= 0) break;
    const worker = [...free]
      .filter(([name, slots]) => {
        const enrolled = state.workers.get(name)!;
        return slots > 0 && suits(task, enrolled, seen.get(name)!) && fits(task, seen.get(name)!);
      })
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0];
    if (worker === undefined) continue;
    free.set(worker, free.get(worker)! - 1);
    room--;
    const { incarnation, startedAt, host } = seen.get(worker)!.report;
    made.push({
      type: "task-assigned",
      task: task.id,
      epoch: task.epoch + 1,
      revision: task.revision,
      worker,
      incarnation,
      life: { startedAt, host },
      ...(state.workers.get(worker)?.via === "discord" ? { byMail: true } : {}),
    });
  }
  return made;
}

export function byUrgency(a: Task, b: Task): number {
  return b.wish.priority - a.wish.priority || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

/** Tasks that were given up and of which a living worker still runs an attempt: its word may count. */
function stillGoing(seen: ReadonlyMap<string, Sighting>, now: number): ReadonlySet<string> {
  const fresh = [...seen.values()].filter(({ at }) => now - at <= LEASE_MS + GRACE_MS);
  return new Set(
    fresh.flatMap(({ report }) =>
      report.attempts.filter((one) => one.report === undefined).map(({ task }) => task)
    ),
  );
}

function freeSlots(
  state: PoolState,
  seen: ReadonlyMap<string, Sighting>,
  now: number,
  quietMs: number,
): Map<string, number> {
  const taken = new Map<string, Set<string>>();
  const hold = (worker: string, task: string, epoch: number) => {
    const held = taken.get(worker) ?? new Set();
    taken.set(worker, held.add(attemptName(task, epoch)));
  };
  for (const task of state.tasks.values()) {
    const last = task.attempts.at(-1);
    if (last !== undefined && isHeld(task)) hold(last.worker, task.id, last.epoch);
  }
  const free = new Map<string, number>();
  for (const { name, draining, via } of state.workers.values()) {
    const sighting = seen.get(name);
    if (sighting === undefined || draining || sighting.report.leaving) continue;
    if (now - sighting.at > (via === "discord" ? MAILBOX_QUIET_MS : quietMs)) continue;
    // What still runs there of an older epoch has its slot as well.
    for (const { task, epoch, report } of sighting.report.attempts) {
      if (report === undefined) hold(name, task, epoch);
    }
    free.set(name, sighting.report.slots - (taken.get(name)?.size ?? 0));
  }
  return free;
}

export function runningCount(state: PoolState): number {
  return [...state.tasks.values()].filter(isHeld).length;
}
