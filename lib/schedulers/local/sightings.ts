import { existsSync } from "node:fs";
import type { Sighting } from "../../sweep/sighting.ts";
import { type JobTrace, readTrace, type TaskTrace } from "./log.ts";
import { donePath, type JobFile, logPath, readJob } from "./spool.ts";

/** One job as both views tell it. */
export interface JobSightings {
  queue: readonly Sighting[];
  /** The ended tasks, with what they used. */
  accounting: readonly Sighting[];
  /** Whether a task has not ended. */
  unfinished: boolean;
}

/** Reads one job from the spool; undefined when there is none. Two files, whatever the number of tasks. */
export function readSightings(
  spool: string,
  jobId: string,
  supervised: boolean,
): JobSightings | undefined {
  const job = readJob(spool, jobId);
  if (job === undefined) return undefined;
  const trace = readTrace(logPath(spool, jobId));
  const reason = waitReason(spool, job, trace, supervised);
  const queue: Sighting[] = [];
  const accounting: Sighting[] = [];
  for (const task of job.tasks) {
    const known = trace.tasks.get(task);
    queue.push(sighting(job, task, known, reason));
    if (known?.end !== undefined) accounting.push(counted(job, task, known, known.end));
  }
  return { queue, accounting, unfinished: accounting.length < queue.length };
}

function sighting(
  job: JobFile,
  task: number,
  trace: TaskTrace | undefined,
  reason: string,
): Sighting {
  const waits = trace?.start === undefined && trace?.end === undefined;
  return {
    jobId: job.id,
    task,
    jobName: job.jobName,
    state: trace?.end?.state ?? (waits ? "pending" : "running"),
    raw: trace?.end?.raw ?? (waits ? "PENDING" : "RUNNING"),
    view: "queue",
    reason: waits ? reason : trace?.end?.detail,
    startedAt: trace?.start?.at,
    endedAt: trace?.end?.at,
    node: trace?.start?.host,
    exitCode: trace?.end?.exitCode,
    signal: trace?.end?.signal,
    restarts: 0,
    usage: undefined,
  };
}

function counted(
  job: JobFile,
  task: number,
  trace: TaskTrace,
  end: NonNullable<TaskTrace["end"]>,
): Sighting {
  const ran = trace.start !== undefined;
  return {
    ...sighting(job, task, trace, ""),
    view: "accounting",
    usage: {
      elapsedSeconds: ran ? Math.max(0, (end.at - trace.start!.at) / 1000) : 0,
      maxRssBytes: end.maxRssBytes,
      aveRssBytes: undefined,
      requestedMemoryBytes: job.memoryMiB === 0 ? undefined : job.memoryMiB * 1024 * 1024,
      cpuSeconds: end.cpuSeconds,
      allocatedCpus: job.cpusPerTask,
    },
  };
}

/** Why the job's waiting tasks wait, in SLURM's words where it has one. */
function waitReason(spool: string, job: JobFile, trace: JobTrace, supervised: boolean): string {
  if (!supervised) return "SupervisorStarting";
  if (
    job.after.some((id) => readJob(spool, id) !== undefined && !existsSync(donePath(spool, id)))
  ) {
    return "Dependency";
  }
  const limit = trace.limit === undefined ? job.maxConcurrent : trace.limit;
  let running = 0;
  for (const { start, end } of trace.tasks.values()) {
    if (start !== undefined && end === undefined) running++;
  }
  return limit !== null && running >= limit ? "JobArrayTaskLimit" : "Resources";
}
