/** How long nobody watched a sweep, and why. */
export interface Away {
  /** Milliseconds since the epoch. */
  since: number;
  ms: number;
  /** The process itself was stopped, as by a closed lid; otherwise the scheduler did not answer. */
  wasAsleep: boolean;
}

/** Notices that time has passed in which nothing could be seen. */
export interface Absence {
  /** A wait that should have been over by `dueAt` is over. */
  woke(began: number, dueAt: number, now: number): void;
  /** A look that began then had no answer. */
  unanswered(began: number): void;
  /** A look was answered: how long that had not been so, where it is worth a word. */
  answered(now: number): Away | undefined;
}

/** Shorter ones nobody needs to hear of. */
const WORTH_MS = 60_000;
/** No machine is so busy that a wait ends later than this: the process was stopped. */
const LATE_MS = 20_000;
/** When within its wait it was stopped nobody knows; of a long wait this much is counted. */
const COUNTED_MS = 60_000;

export function createAbsence(): Absence {
  let asleepSince: number | undefined;
  let silentSince: number | undefined;
  return {
    woke(began, dueAt, now) {
      if (now - dueAt >= LATE_MS) asleepSince ??= Math.max(began, dueAt - COUNTED_MS);
    },
    unanswered(began) {
      silentSince ??= began;
    },
    answered(now) {
      const since = Math.min(asleepSince ?? Infinity, silentSince ?? Infinity);
      const wasAsleep = asleepSince !== undefined;
      asleepSince = undefined;
      silentSince = undefined;
      const ms = now - since;
      return ms >= WORTH_MS ? { since, ms, wasAsleep } : undefined;
    },
  };
}
