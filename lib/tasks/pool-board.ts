import { spentOnDay } from "./cost-report.ts";
import type { WorkerStatus } from "./pool-desk.ts";
import { byUrgency } from "./pool-rules.ts";
import type { Sighting } from "./pool-rules.ts";
import type { PoolState } from "./pool-state.ts";
import { isOver } from "./task.ts";
import type { Task, TaskStatus } from "./task.ts";
import { totalUse } from "./use-price.ts";
import type { UseTotal } from "./use-price.ts";
import { attemptWords, inHand, statusLine, workerStatus } from "./worker-status.ts";

/** The pool at a glance, for every surface; plain data. Times are milliseconds. */
export interface PoolBoard {
  waiting: {
    tasks: number;
    /** Of these, how many wait for the end of a back-off. */
    backingOff: number;
    oldest: { task: string; ageMs: number } | undefined;
    /** Task ids in the order in which they go out. */
    next: readonly string[];
  };
  running: readonly {
    worker: string;
    tasks: readonly { task: string; epoch: number; words: string; sinceMs: number }[];
  }[];
  workers: readonly { name: string; status: WorkerStatus; line: string }[];
  byStatus: Readonly<Partial<Record<WorkerStatus, number>>>;
  spent: {
    /** UTC. */
    day: string;
    /** US dollars of attempts that ended today. */
    usd: number;
    /** Of those that run, as far as it is known. */
    runningUsd: number;
    /** Attempts of today without a price. */
    unpriced: number;
    budgetUsd: number | undefined;
  };
  stopped: PoolState["stopped"];
  /** The newest first. */
  last: readonly {
    task: string;
    status: TaskStatus;
    worker: string | undefined;
    endedAt: number;
    why: string;
    use: UseTotal;
  }[];
}

const MOST_NEXT = 5;
const MOST_LAST = 5;

export function poolBoard(
  state: PoolState,
  sightings: ReadonlyMap<string, Sighting>,
  now: number,
  options: { usdPerDay?: number | undefined; timeoutMs?: number } = {},
): PoolBoard {
  const workers = [...state.workers.keys()].sort().map((name) => ({
    name,
    status: workerStatus(state, name, sightings.get(name), now, options.timeoutMs),
    line: statusLine(state, name, sightings.get(name), now, options.timeoutMs),
  }));
  const byStatus: Partial<Record<WorkerStatus, number>> = {};
  for (const { status } of workers) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return {
    waiting: waitingOf(state, now),
    running: runningOf(state, sightings, now),
    workers,
    byStatus,
    spent: spentToday(state, sightings, now, options.usdPerDay),
    stopped: state.stopped === undefined ? undefined : { ...state.stopped },
    last: lastOf(state),
  };
}

function waitingOf(state: PoolState, now: number): PoolBoard["waiting"] {
  const queued = [...state.tasks.values()].filter(({ status }) => status === "queued");
  const oldest = queued.reduce<Task | undefined>(
    (first, task) => first === undefined || task.createdAt < first.createdAt ? task : first,
    undefined,
  );
  const ready = queued.filter(({ notBefore }) => notBefore <= now).sort(byUrgency);
  return {
    tasks: queued.length,
    backingOff: queued.length - ready.length,
    oldest: oldest === undefined
      ? undefined
      : { task: oldest.id, ageMs: Math.max(0, now - oldest.createdAt) },
    next: ready.slice(0, MOST_NEXT).map(({ id }) => id),
  };
}

function runningOf(
  state: PoolState,
  sightings: ReadonlyMap<string, Sighting>,
  now: number,
): PoolBoard["running"] {
  const live = [...state.tasks.values()].filter((task) =>
    !isOver(task) && task.status !== "queued"
  );
  const names = new Set(live.map(({ attempts }) => attempts.at(-1)!.worker));
  return [...names].sort().map((worker) => ({
    worker,
    tasks: inHand(state, worker, sightings.get(worker)).map((one) => ({
      task: one.task.id,
      epoch: one.attempt.epoch,
      words: attemptWords(one),
      sinceMs: Math.max(0, now - (one.attempt.acceptedAt ?? one.attempt.assignedAt)),
    })),
  }));
}

function spentToday(
  state: PoolState,
  sightings: ReadonlyMap<string, Sighting>,
  now: number,
  budgetUsd: number | undefined,
): PoolBoard["spent"] {
  const day = new Date(now).toISOString().slice(0, 10);
  const runningUsd = [...state.workers.keys()]
    .flatMap((name) => inHand(state, name, sightings.get(name)))
    // The worker tells more often than the journal is written.
    .flatMap(({ attempt, told }) => told?.use ?? attempt.use)
    .reduce((sum, { usd }) => sum + (usd ?? 0), 0);
  return { day, ...spentOnDay(state, day), runningUsd, budgetUsd };
}

function lastOf(state: PoolState): PoolBoard["last"] {
  return [...state.tasks.values()]
    .filter((task) => isOver(task) && task.endedAt !== undefined)
    .sort((a, b) => b.endedAt! - a.endedAt! || (a.id < b.id ? 1 : -1))
    .slice(0, MOST_LAST)
    .map(({ id, status, attempts, endedAt, why }) => ({
      task: id,
      status,
      worker: attempts.at(-1)?.worker,
      endedAt: endedAt!,
      why,
      use: totalUse(attempts.flatMap(({ use }) => use)),
    }));
}
