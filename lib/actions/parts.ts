import type { Clock } from "../base/clock.ts";
import type { JobRequest, Scheduler, TaskRef } from "../schedulers/scheduler.ts";
import type { Batch } from "../sweep/batches.ts";
import type { Config } from "../sweep/config.ts";
import type { Happening } from "../sweep/event.ts";
import type { Home } from "../sweep/home.ts";
import type { Point } from "../sweep/metrics.ts";
import type { Place } from "../sweep/place.ts";
import type { JobRecord } from "../sweep/sighting.ts";
import type { SweepState } from "../sweep/state.ts";

/** What a verb works with. The caller holds the workspace's lease. */
export interface Parts {
  /** The fold of the journal, up to date while the lease is held. */
  state(): SweepState;
  /** One write and one fsync; the state has it when this returns. */
  append(whats: readonly Happening[], by?: string): void;
  /** Throws RefusedError where the journal is damaged, so that it may hide a submission. */
  assertWhole(): void;
  scheduler(name: "slurm" | "local"): Scheduler;
  /** The computer whose scheduler "slurm" is; undefined for this one. */
  place?(): Place | undefined;
  files: WorkspaceFiles;
  clock: Clock;
  /** Makes a job's texts and request: the schedulers' pure functions, handed in. */
  compose(
    job: JobText,
  ): { script: string; table: string; request: Omit<JobRequest, "after" | "script"> };
  /** Short and unique: names a submission in job names, paths and the journal. */
  newNonce(): string;
  /** Marks a point where a test may end the process; does nothing otherwise. */
  fault(point: string): void;
  signal: AbortSignal;
}

/** What a job's script, table and request are made of. */
export interface JobText {
  scheduler: "slurm" | "local";
  submission: string;
  jobName: string;
  batch: Batch;
  config: Config;
  rows: readonly {
    task: number;
    trial: number;
    attempt: number;
    name: string;
    tokens: readonly string[];
  }[];
}

/** The files of a workspace that verbs write, as the store offers them. */
export interface WorkspaceFiles {
  root: string;
  /** Where the workspace is now; undefined when that cannot be told. */
  home(): Home | undefined;
  /** Path of the submission's batch script. */
  scriptPath(submission: string): string;
  /** Writes the script and the side table of a submission and makes its folders; durable on return. */
  writeSubmission(submission: string, texts: { script: string; table: string }): void;
  /** From now on a job of this submission that starts ends at once without running anything. */
  voidSubmission(submission: string): void;
  unvoidSubmission(submission: string): void;
  writeSignal(trial: number, signal: "prune" | "pause"): void;
  /** Before these attempts are submitted: what earlier ones were told must not reach them. */
  clearSignals(tasks: readonly { trial: number; attempt: number }[]): void;
  /** The YAML's text as it is now. Throws UserError when it cannot be read. */
  readConfigText(): string;
  /** Puts a new text in the YAML's place by rename; its mode stays. Durable on return. */
  replaceConfigText(text: string): void;
  /** The YAML or the launcher, by the name of its file; see `change-files`. Throws RefusedError for any other. */
  readChangeable(name: string): string;
  /** Puts a new text in its place by rename; its mode stays. Durable on return. */
  replaceChangeable(name: string, text: string): void;
  /** Keeps a file as it was; the same again changes nothing. Gives the path. */
  keepBackup(change: string, name: string, text: string): string;
  /** A metric's points in the order of the file; empty when there are none. */
  readMetric(trial: number, metric: string): readonly Point[];
  readRecords(
    tasks: readonly { submission: string; task: number }[],
  ): Map<string, JobRecord>;
}

/** The scheduler's names of trials' latest attempts, by scheduler. */
export function taskRefs(
  state: SweepState,
  attempts: readonly { submission: string; task: number; jobId: string | undefined }[],
): Map<"slurm" | "local", TaskRef[]> {
  const refs = new Map<"slurm" | "local", TaskRef[]>();
  for (const { submission, task, jobId } of attempts) {
    const scheduler = state.submissions.get(submission)?.scheduler;
    if (scheduler === undefined || jobId === undefined) continue;
    const list = refs.get(scheduler) ?? [];
    list.push({ jobId, task });
    refs.set(scheduler, list);
  }
  return refs;
}
