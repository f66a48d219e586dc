import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ARRIVAL_MS } from "../actions/recover.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import { VOID_FILE } from "../schedulers/worker-script.ts";
import type { WorkerJob } from "../tasks/pool-state.ts";
import type { JobRecords } from "./open-pool.ts";
import type { PoolPlace } from "./pool-place.ts";

export interface PoolJobRecoveryParts {
  place: Pick<PoolPlace, "jobs">;
  clock: Clock;
  log: Log;
  records: Pick<JobRecords, "submitted">;
}

/** `found`: it is a job again; `never`: it was never submitted, and cannot run any more. */
export type Recovered = "found" | "never" | "unknown";

/** What became of a worker whose submission was not answered. A second job of its name is cancelled. */
export async function recoverJob(
  slurm: Pick<Scheduler, "find" | "cancel">,
  job: WorkerJob,
  { place, clock, log, records }: PoolJobRecoveryParts,
): Promise<Recovered> {
  async function adopt(jobIds: readonly string[]): Promise<Recovered> {
    const [jobId, ...more] = [...jobIds].sort((a, b) => Number(a) - Number(b));
    if (jobId === undefined) return "unknown";
    records.submitted(job.worker, jobId);
    log.write("info", `Found SLURM job ${jobId} of worker "${job.worker}" again`);
    if (more.length > 0) await slurm.cancel(more.map((one) => ({ jobId: one, task: 0 })));
    return "found";
  }

  const found = await slurm.find(job.jobName, job.intendedAt);
  if (found.jobIds.length > 0) return await adopt(found.jobIds);
  const isLate = clock.now() - job.intendedAt >= ARRIVAL_MS;
  if (!found.conclusive || !isLate) return "unknown";
  // First the mark, then a second look: a job that slips in between is seen, or sees the mark.
  const mark = join(place.jobs, job.worker, VOID_FILE);
  mkdirSync(join(place.jobs, job.worker), { recursive: true, mode: 0o700 });
  closeSync(openSync(mark, "a", 0o600));
  const again = await slurm.find(job.jobName, job.intendedAt);
  if (again.jobIds.length === 0 && again.conclusive) return "never";
  rmSync(mark, { force: true });
  return await adopt(again.jobIds);
}
