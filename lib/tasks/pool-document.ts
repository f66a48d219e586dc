import { byUrgency } from "./pool-rules.ts";
import type { PoolDesk, WorkerStatus } from "./pool-desk.ts";
import { SLURM_LABEL } from "./slurm-worker.ts";
import { isOver } from "./task.ts";
import type { Task } from "./task.ts";
import { workerStatus } from "./worker-status.ts";

/** The pool as JSON. Times are milliseconds since the epoch. */
export interface PoolDocument {
  stopped: { now: boolean; why: string; by: string; at: number } | null;
  /** Why no new work begins now. */
  holdback: string | null;
  /** What does not work beside it, each a sentence. */
  troubles: readonly string[];
  queue: {
    waiting: number;
    running: number;
    oldest_at: number | null;
    next: readonly string[];
    /** Tasks that ask for a worker, or a label, that nobody in the pool has. */
    unmet: readonly { worker: string; tasks: number }[];
  };
  totals: Readonly<Record<string, number>>;
  workers: readonly WorkerDocument[];
  /** Workers that are SLURM jobs; null when nobody asked for any. */
  slurm: { least: number; most: number; trouble: string | null } | null;
  today: { usd: number; budget_usd: number | null; unpriced: number };
}

export interface WorkerDocument {
  worker: string;
  status: WorkerStatus;
  labels: readonly string[];
  via: string;
  draining: boolean;
  host: string | null;
  version: string | null;
  slots: number | null;
  seen_at: number | null;
  running: readonly { task: string; epoch: number; phase: string }[];
  /** For one that is a SLURM job. */
  job: { id: string | null; state: string; node: string | null; reason: string | null } | null;
}

export function poolDocument(desk: PoolDesk, now: number): PoolDocument {
  const state = desk.state();
  const tasks = [...state.tasks.values()];
  const waiting = tasks.filter(({ status }) => status === "queued").sort(byUrgency);
  const today = new Date(now).toISOString().slice(0, 10);
  const spent = state.spent.filter(({ day }) => day === today);
  const totals: Record<string, number> = {};
  for (const { status } of tasks) totals[status] = (totals[status] ?? 0) + 1;
  return {
    stopped: state.stopped ?? null,
    holdback: desk.holdback() ?? null,
    troubles: desk.troubles(),
    queue: {
      waiting: waiting.length,
      running: tasks.filter((task) => !isOver(task) && task.status !== "queued").length,
      oldest_at: waiting.reduce<number | null>(
        (oldest, { createdAt }) => Math.min(oldest ?? createdAt, createdAt),
        null,
      ),
      next: waiting.slice(0, 10).map(({ id }) => id),
      unmet: unmetOf(desk, waiting),
    },
    totals,
    workers: [...state.workers.values()].map((worker) => {
      const sighting = desk.sightings().get(worker.name);
      return {
        worker: worker.name,
        status: workerStatus(state, worker.name, sighting, now),
        labels: [...new Set([...worker.labels, ...sighting?.report.labels ?? []])],
        via: worker.via,
        draining: worker.draining,
        host: sighting?.report.host ?? null,
        version: sighting?.report.version ?? null,
        slots: sighting?.report.slots ?? null,
        seen_at: sighting?.at ?? null,
        running: (sighting?.report.attempts ?? [])
          .filter(({ report }) => report === undefined)
          .map(({ task, epoch, phase }) => ({ task, epoch, phase })),
        job: jobOf(desk, worker.name),
      };
    }),
    slurm: state.scale === undefined ? null : {
      least: state.scale.least,
      most: state.scale.most,
      trouble: desk.jobs().trouble ?? null,
    },
    today: {
      usd: spent.reduce((sum, { usd }) => sum + usd, 0),
      budget_usd: desk.config().budget.usdPerDay ?? null,
      unpriced: spent.reduce((sum, { unpriced }) => sum + unpriced, 0),
    },
  };
}

function unmetOf(desk: PoolDesk, waiting: readonly Task[]): PoolDocument["queue"]["unmet"] {
  const { workers, scale } = desk.state();
  const known = new Set([
    ...(scale === undefined ? [] : [SLURM_LABEL]),
    ...[...workers.values()].flatMap(({ name, labels }) => [name, ...labels]),
    ...[...desk.sightings().values()].flatMap(({ report }) => report.labels),
  ]);
  const counts = new Map<string, number>();
  for (const { wish: { worker } } of waiting) {
    if (worker === undefined || known.has(worker)) continue;
    counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  return [...counts].map(([worker, tasks]) => ({ worker, tasks }));
}

function jobOf(desk: PoolDesk, worker: string): WorkerDocument["job"] {
  const line = desk.jobs().jobs.get(worker);
  if (line === undefined) return null;
  const { jobId, state, node, reason } = line;
  return { id: jobId ?? null, state, node: node ?? null, reason: reason ?? null };
}
