/**
 * One run of one trial: trial × submission. The cluster knows attempts, not
 * trials; a trial's status is derived from its latest attempt and what its user
 * intends.
 */
export interface Attempt {
  trial: number;
  /** 1 for a trial's first attempt, then 2, … */
  number: number;
  /** The nonce of the submission. */
  submission: string;
  /** Task id within the submission's array. */
  task: number;
  /** Known once the scheduler accepted the submission. */
  jobId: string | undefined;
  /** Milliseconds since the epoch: when the intent was written. */
  intendedAt: number;
  phase: Phase;
  /** The scheduler's own word, such as `RUNNING` or `OUT_OF_MEMORY`. */
  schedulerState: string | undefined;
  /** Why it waits, in the scheduler's words. */
  reason: string | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  node: string | undefined;
  /** How often the scheduler started it again. */
  restarts: number;
  /** How it ended; defined exactly when phase is "ended". */
  ending: Ending | undefined;
  usage: Usage | undefined;
  /** True while accounting still owes what it used. */
  usageDue: boolean;
  /** Milliseconds since the epoch: since when nobody has said what became of it. */
  unknownSince: number | undefined;
}

/**
 * - `intended`: written down, the scheduler's answer is not known (yet).
 * - `submitted`: accepted, not seen in the queue yet.
 * - `queued`, `running`: as the scheduler says.
 * - `unknown`: it left the queue and nobody has said how it ended.
 * - `ended`: over, for the reason in `ending`.
 */
export type Phase = "intended" | "submitted" | "queued" | "running" | "unknown" | "ended";

export type Cause =
  | "completed"
  /** A process was killed for memory. */
  | "out-of-memory"
  | "timeout"
  /** The launcher answered with a code that is not 0. */
  | "exit"
  /** A signal from nobody we know ended it. */
  | "signal"
  | "cancelled"
  | "preempted"
  | "node-failure"
  | "deadline"
  /** The scheduler could not start it: no output folder, boot failure, launch failure. */
  | "launch-failure"
  /** It is in no view any more and left no record. */
  | "lost"
  /** The submission never reached the scheduler, or was refused by it. */
  | "not-submitted";

export interface Ending {
  cause: Cause;
  /** True code of the launcher, 0 to 255, when known. */
  exitCode: number | undefined;
  /** Signal name without SIG, when one ended it. */
  signal: string | undefined;
  /** Who said so. `record` alone may be corrected by the scheduler later. */
  source: "scheduler" | "record" | "both" | "herd";
}

/** What it used, against what it asked for. Bytes and seconds. */
export interface Usage {
  elapsedSeconds: number | undefined;
  maxRssBytes: number | undefined;
  aveRssBytes: number | undefined;
  requestedMemoryBytes: number | undefined;
  cpuSeconds: number | undefined;
  allocatedCpus: number | undefined;
}
