import type { Assignment } from "./exchange.ts";
import type { AttemptReport, AttemptUse } from "./task.ts";

/** Starts agents; see attempt-process.ts. */
export interface AttemptRunner {
  /** Throws when it cannot; then nothing runs. */
  start(assignment: Assignment, hooks: AttemptHooks): RunningAttempt;
}

export interface AttemptHooks {
  /** So long it may go on before the first renewal. Milliseconds. */
  deadManMs: number;
  /** All that was used so far. */
  onUse(use: readonly AttemptUse[]): void;
  onProgress(phase: string): void;
}

export interface RunningAttempt {
  /** The attempt may go on for so long from now; later its process ends by itself. */
  renew(ms: number): void;
  /** Ends it; for the reason `fenced` by force and at once. May be said again. */
  cancel(reason: string): void;
  /** When nothing of it runs any more. */
  readonly ended: Promise<AttemptReport>;
}

export const FENCED = "fenced";

/** The worker must go before the attempt is done: nobody's fault, and somebody else may begin it at once. */
export const HANDED_BACK = "handed back, because its worker's SLURM job ends";
