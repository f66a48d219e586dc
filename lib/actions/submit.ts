import { SchedulerError } from "../base/errors.ts";
import type { JobRequest } from "../schedulers/scheduler.ts";
import type { Batch } from "../sweep/batches.ts";
import type { Parts } from "./parts.ts";

/** One array, ready to go: everything that is decided before the intent is written. */
export interface PlannedJob {
  batch: Batch;
  submission: string;
  jobName: string;
  scheduler: "slurm" | "local";
  fixed: string;
  tasks: readonly { task: number; trial: number; attempt: number; as: string }[];
  script: string;
  table: string;
  request: Omit<JobRequest, "after" | "script">;
}

export interface Submitted {
  submission: string;
  jobId: string;
  indices: readonly number[];
}

export interface SubmitResult {
  submitted: readonly Submitted[];
  /** What ended the round early: the scheduler said no, or nobody knows. */
  trouble: { error: SchedulerError; job: PlannedJob } | undefined;
}

/**
 * Submits arrays one after the other: intent, act, result. The intent is in the
 * journal before sbatch runs and the result after it, so that a kill at any point
 * leaves a submission that can be found by its name. Stops at the first trouble.
 */
export async function submitJobs(parts: Parts, jobs: readonly PlannedJob[]): Promise<SubmitResult> {
  const submitted: Submitted[] = [];
  for (const job of jobs) {
    const after = job.batch.after === undefined ? [] : [submitted[job.batch.after]!.jobId];
    try {
      const jobId = await submitOne(parts, job, after);
      submitted.push({ submission: job.submission, jobId, indices: job.batch.indices });
    } catch (error) {
      if (!(error instanceof SchedulerError)) throw error;
      return { submitted, trouble: { error, job } };
    }
  }
  return { submitted, trouble: undefined };
}

async function submitOne(parts: Parts, job: PlannedJob, after: readonly string[]): Promise<string> {
  parts.signal.throwIfAborted();
  parts.fault("before-files");
  parts.files.writeSubmission(job.submission, { script: job.script, table: job.table });
  parts.files.clearSignals(job.tasks);
  parts.fault("before-intent");
  const home = parts.files.home();
  const there = job.scheduler === "slurm" ? parts.place?.() : undefined;
  parts.append([{
    type: "submission-intended",
    submission: job.submission,
    scheduler: job.scheduler,
    jobName: job.jobName,
    fixed: job.fixed,
    tasks: job.tasks,
    ...(home === undefined ? {} : { home }),
    ...(there === undefined ? {} : { there }),
    timeSeconds: job.batch.resources.timeSeconds,
  }]);
  parts.fault("after-intent");
  try {
    const script = parts.files.scriptPath(job.submission);
    const { jobId } = await parts.scheduler(job.scheduler).submit({
      ...job.request,
      script,
      after,
    });
    parts.fault("after-submit");
    parts.append([{ type: "submission-accepted", submission: job.submission, jobId }]);
    parts.fault("after-record");
    return jobId;
  } catch (error) {
    // Only a clear no ends a submission; after anything else the job may be there.
    if (error instanceof SchedulerError && error.kind === "rejected") {
      // Should the no have been misread, the job that is there after all does nothing.
      parts.files.voidSubmission(job.submission);
      parts.append([{
        type: "submission-ended",
        submission: job.submission,
        why: "refused",
        detail: error.message,
      }]);
    }
    throw error;
  }
}
