import type { Usage } from "./attempt.ts";

/** What a scheduler says of one task at one look. */
export interface Sighting {
  jobId: string;
  /** Task id in the array. */
  task: number;
  jobName: string;
  /** Normalised state; see `SeenState`. */
  state: SeenState;
  /** The scheduler's own word. */
  raw: string;
  /** Which view said so. */
  view: "queue" | "accounting";
  /** Why it waits; in SLURM's words. */
  reason: string | undefined;
  /** Milliseconds since the epoch. */
  startedAt: number | undefined;
  endedAt: number | undefined;
  node: string | undefined;
  /** As the scheduler tells it; SLURM folds codes to seven bits in accounting, so a record's is better. */
  exitCode: number | undefined;
  /** Signal number, when the scheduler names one. */
  signal: number | undefined;
  restarts: number | undefined;
  usage: Usage | undefined;
}

/** Every documented SLURM state folds into one of these. */
export type SeenState =
  | "pending"
  | "running"
  /** The task's own work is over, the node cleans up; how it ended is not said yet. */
  | "completing"
  | "completed"
  | "failed"
  | "out-of-memory"
  | "timeout"
  | "cancelled"
  | "preempted"
  | "node-failure"
  | "deadline"
  | "launch-failure"
  /** A word that this version does not know; never read as an end. */
  | "unrecognised";

/** Whether a view answered. Silence is never read as "there is no such job". */
export type Answer =
  | { answered: true }
  | { answered: false; reason: "not-asked" | "absent" | "unreachable"; message: string };

/** One look at the scheduler: at most one call to each view. */
export interface Look {
  /** Milliseconds since the epoch, before the first call. */
  at: number;
  queue: Answer;
  accounting: Answer;
  /** When what jobs wrote was last fetched; absent where it is read as it is. */
  heardAt?: number;
  /** By `taskKey(jobId, task)`; where both views spoke, both are kept. */
  inQueue: ReadonlyMap<string, Sighting>;
  inAccounting: ReadonlyMap<string, Sighting>;
}

/** Key of a task in a look: raw ids lie in SLURM (1.1 of the facts), array id and task do not. */
export function taskKey(jobId: string, task: number): string {
  return `${jobId}_${task}`;
}

/**
 * What the job wrote about itself (`.hyperherd/events/<submission>/<task>.tsv`),
 * folded. The last start wins: a requeued job writes into the same file.
 */
export interface JobRecord {
  submission: string;
  task: number;
  /** As the job itself was told. */
  jobId?: string;
  /** Milliseconds since the epoch of the latest start. */
  startedAt: number | undefined;
  restart: number;
  node: string | undefined;
  /** The latest sign of life: the file's last change. */
  aliveAt: number;
  /** Signals received since the latest start, without SIG. */
  signals: readonly string[];
  /** The launcher's true exit code since the latest start. */
  exitCode: number | undefined;
  endedAt: number | undefined;
  /** The most memory that its control group held, cached files included, in bytes; known once the launcher has ended. */
  peakBytes?: number;
  /** It found its submission void and did nothing. */
  voided: boolean;
}
