import type { WorkerReport } from "./exchange.ts";
import { GRACE_MS, LEASE_MS, OFFER_MS } from "./exchange.ts";
import type { PoolHappening, TaskEnd } from "./pool-event.ts";
import type { EnrolledWorker, PoolState } from "./pool-state.ts";
import { isOver } from "./task.ts";
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

const FIRST_BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 15 * 60_000;

/** Milliseconds before the next attempt, after so many. */
export function backOffAfter(attempts: number): number {
  return Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 4 ** Math.max(0, attempts - 1));
}

/** What follows from an attempt's last word, which is the next event. */
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
  if (task.cancelAsked !== undefined || end === "cancelled") return ended("cancelled", cause);
  if (end === "timed-out") return ended("expired", cause);
  if (!passing) return ended("failed", cause);
  const tried = task.attempts.filter((one) => one.acceptedAt !== undefined).length;
  if (tried >= maxAttempts) return ended("dead", `${cause}; given up after ${tried} attempts`);
  return {
    type: "task-requeued",
    task: task.id,
    epoch,
    why: cause,
    backOffMs: backOffAfter(tried),
  };
}

/** Attempts that nobody will hear of again, each with what is done about it. */
export function lostAttempts(
  state: PoolState,
  seen: ReadonlyMap<string, Sighting>,
  now: number,
  limits: Pick<PoolLimits, "maxAttempts">,
): readonly PoolHappening[] {
  const found: PoolHappening[] = [];
  for (const task of state.tasks.values()) {
    if (task.status !== "assigned" && task.status !== "running") continue;
    const attempt = task.attempts.at(-1)!;
    const why = whyLost(attempt, seen.get(attempt.worker), now, state);
    if (why !== undefined) found.push(...giveUp(task, attempt, why, limits));
  }
  return found;
}

function whyLost(
  { worker, incarnation, assignedAt, acceptedAt, epoch }: Attempt,
  sighting: Sighting | undefined,
  now: number,
  state: PoolState,
): string | undefined {
  if (!state.workers.has(worker)) return `worker "${worker}" was removed`;
  const same = sighting?.report.incarnation === incarnation;
  if (acceptedAt === undefined) {
    return now - assignedAt > OFFER_MS
      ? `worker "${worker}" did not take up attempt ${epoch}`
      : undefined;
  }
  // Its next life tells of what it found; what it does not tell of by then is gone.
  if (sighting !== undefined && !same) return `worker "${worker}" was started anew`;
  const last = Math.max(same ? sighting!.at : 0, acceptedAt);
  return now - last > LEASE_MS + GRACE_MS
    ? `worker "${worker}" was not heard of for ${Math.round((now - last) / 60_000)} minutes`
    : undefined;
}

function giveUp(
  task: Task,
  attempt: Attempt,
  why: string,
  { maxAttempts }: Pick<PoolLimits, "maxAttempts">,
): PoolHappening[] {
  const tried = task.attempts.filter((one) => one.acceptedAt !== undefined).length;
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
  const waiting = [...state.tasks.values()]
    .filter(({ status, notBefore, cancelAsked }) =>
      status === "queued" && notBefore <= now && cancelAsked === undefined
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
    made.push({
      type: "task-assigned",
      task: task.id,
      epoch: task.epoch + 1,
      revision: task.revision,
      worker,
      incarnation: seen.get(worker)!.report.incarnation,
    });
  }
  return made;
}

export function byUrgency(a: Task, b: Task): number {
  return b.wish.priority - a.wish.priority || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

function freeSlots(
  state: PoolState,
  seen: ReadonlyMap<string, Sighting>,
  now: number,
  quietMs: number,
): Map<string, number> {
  const taken = new Map<string, number>();
  for (const task of state.tasks.values()) {
    const { worker } = task.attempts.at(-1) ?? {};
    const holds = task.status === "assigned" || task.status === "running";
    if (worker !== undefined && holds) taken.set(worker, (taken.get(worker) ?? 0) + 1);
  }
  const free = new Map<string, number>();
  for (const { name, draining } of state.workers.values()) {
    const sighting = seen.get(name);
    if (sighting === undefined || draining || sighting.report.leaving) continue;
    if (now - sighting.at > quietMs) continue;
    // What still runs there of an older epoch has its slot as well.
    const here = sighting.report.attempts.filter(({ report }) => report === undefined).length;
    free.set(name, sighting.report.slots - Math.max(taken.get(name) ?? 0, here));
  }
  return free;
}

export function runningCount(state: PoolState): number {
  return [...state.tasks.values()]
    .filter(({ status }) => status === "assigned" || status === "running").length;
}

export function waitingCount(state: PoolState): number {
  return [...state.tasks.values()].filter((task) => !isOver(task) && task.status === "queued")
    .length;
}
