/** What the choice of the next tasks knows of a job. */
export interface Waiting {
  jobId: string;
  /** False while a job that it waits for has not ended. */
  ready: boolean;
  queued: readonly number[];
  running: number;
  /** How many at once; null: no limit. */
  limit: number | null;
  cpus: number;
  memoryMiB: number;
}

/** What there is, and what of it is taken. */
export interface Room {
  /** Tasks at once; null: as many as processors allow. */
  slots: number | null;
  cpus: number;
  memoryMiB: number;
  taken: { tasks: number; cpus: number; memoryMiB: number };
}

/**
 * Tasks to start now, jobs in the order given. A job held back by its own limit
 * or by another job lets later ones pass; one that lacks room does not, or small
 * tasks would keep a large one waiting for ever. On an empty machine one task
 * always starts, however large it says it is.
 */
export function chooseTasks(
  jobs: readonly Waiting[],
  room: Room,
): { jobId: string; task: number }[] {
  const chosen: { jobId: string; task: number }[] = [];
  const taken = { ...room.taken };
  for (const job of jobs) {
    if (!job.ready) continue;
    const most = job.limit === null ? Infinity : job.limit - job.running;
    for (let next = 0; next < job.queued.length && next < most; next++) {
      if (taken.tasks > 0 && !fits(job, room, taken)) return chosen;
      taken.tasks++;
      taken.cpus += job.cpus;
      taken.memoryMiB += job.memoryMiB;
      chosen.push({ jobId: job.jobId, task: job.queued[next]! });
    }
  }
  return chosen;
}

function fits(job: Waiting, room: Room, taken: Room["taken"]): boolean {
  if (taken.memoryMiB + job.memoryMiB > room.memoryMiB) return false;
  return room.slots === null
    ? taken.cpus + job.cpus <= room.cpus
    : taken.tasks < Math.max(1, room.slots);
}
