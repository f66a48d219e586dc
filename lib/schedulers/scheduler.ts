import type { Resources } from "../sweep/config.ts";
import type { Answer, Look } from "../sweep/sighting.ts";

/** Where jobs run. One contract suite (tests/contract) holds every implementation to this. */
export interface Scheduler {
  readonly name: "slurm" | "local";
  /** What the site allows; discovered, never assumed. Throws SchedulerError when it cannot be learnt. */
  limits(
    request?: {
      partition?: string | undefined;
      account?: string | undefined;
      qos?: string | undefined;
    },
  ): Promise<Limits>;
  /**
   * Submits one array. Throws SchedulerError: `rejected` when the scheduler said
   * no and nothing was submitted; `unreachable` when nobody knows: it may have
   * been submitted, so look for `jobName` before submitting again.
   */
  submit(job: JobRequest): Promise<{ jobId: string }>;
  /**
   * One look: every task of this user in the queue, and accounting for the tasks
   * asked for. At most one call to each view whatever their number.
   * Never throws for an outage: the answer says which view was silent.
   */
  look(question: LookQuestion): Promise<Look>;
  /** Job ids that carry this name, in the queue and in accounting. */
  find(jobName: string, since: number): Promise<Found>;
  /** Asks for an end. What really happened is seen by the next look. */
  cancel(tasks: readonly TaskRef[]): Promise<{ ok: boolean; detail: string }>;
  /** How many tasks of an array may run at once; undefined lifts the limit. */
  throttle(jobId: string, limit: number | undefined): Promise<void>;
  /**
   * Why these tasks wait and when the scheduler thinks that they start: one call
   * whatever their number. Tasks that do not wait are left out of the answer.
   * Never throws for an outage. Absent where nobody can tell.
   */
  estimate?(tasks: readonly TaskRef[]): Promise<Estimate>;
}

export interface Estimate {
  answer: Answer;
  tasks: readonly (TaskRef & {
    /** In the scheduler's own words. */
    reason: string | undefined;
    /** Milliseconds since the epoch; undefined where it has no idea. */
    startsAt: number | undefined;
  })[];
  /** Tasks at once, where that is a fixed number. */
  slots?: number;
}

export interface TaskRef {
  jobId: string;
  task: number;
}

export interface JobRequest {
  submission: string;
  /** Unique per submission: how an orphan is found again. */
  jobName: string;
  /** Path of the batch script; standard output and error are named in it. */
  script: string;
  /** Array task ids, ascending. */
  tasks: readonly number[];
  resources: Resources;
  maxConcurrent: number | undefined;
  /** Job ids that must have ended first, whatever way. */
  after: readonly string[];
  cwd: string;
  /** The whole environment that the job may see. */
  environment: Readonly<Record<string, string>>;
  /** Patterns of the files that the scheduler writes the streams to. `%a` is the task id. */
  output: string;
  error: string;
  signal: { name: string; seconds: number } | undefined;
}

export interface LookQuestion {
  /** Job ids whose tasks matter; others may be left out of the answer. */
  jobs: readonly { jobId: string; jobName: string }[];
  /** Which of them to ask accounting for, given what the queue just said. */
  wanted: (inQueue: Look["inQueue"], queue: Look["queue"]) => readonly TaskRef[];
  /** Milliseconds since the epoch of the oldest submission asked for. */
  since: number;
}

export interface Found {
  jobIds: readonly string[];
  /** True when every view answered, so that an empty list means something. */
  conclusive: boolean;
  detail: string;
}

export interface Limits {
  /** Array task ids go from 0 to this minus 1. */
  maxArraySize: number;
  /** Most tasks of this user in the queue at once, and how many are there now; undefined: no limit known. */
  maxSubmit: number | undefined;
  submittedNow: number | undefined;
  /** The partition's longest time in seconds; null is unlimited, undefined unknown. */
  maxTimeSeconds: number | null | undefined;
  /** Largest memory of a node of the partition, MiB. */
  maxMemoryMiB: number | undefined;
  maxCpusPerNode: number | undefined;
  /** False where finished jobs are forgotten: no accounting. */
  accounting: boolean;
  partitions: readonly Partition[];
  version: string | undefined;
}

export interface Partition {
  name: string;
  isDefault: boolean;
  up: boolean;
  maxTimeSeconds: number | null | undefined;
  defaultTimeSeconds: number | null | undefined;
  nodes: number;
  cpusPerNode: number | undefined;
  memoryMiBPerNode: number | undefined;
  gres: string | undefined;
}
