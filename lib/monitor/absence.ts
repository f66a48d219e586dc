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
  /** The process was stopped since then, and goes on. */
  woke(since: number, now: number): void;
  /** Just awake, nothing was seen yet: what is told now would be told in pieces. */
  isWaking(now: number): boolean;
  /** A look that began then had no answer. */
  unanswered(began: number): void;
  /** A look was answered: how long that had not been so, where it is worth a word. */
  answered(now: number): Away | undefined;
}

/** Shorter ones nobody needs to hear of. */
const WORTH_MS = 60_000;
/** A new connection takes a while; longer nobody is kept waiting for what is known. */
const WAKING_MS = 2 * 60_000;

export function createAbsence(): Absence {
  let wokeAt = -Infinity;
  let asleepSince: number | undefined;
  let silentSince: number | undefined;
  return {
    woke(since, now) {
      asleepSince ??= since;
      wokeAt = now;
    },
    isWaking: (now) => asleepSince !== undefined && now - wokeAt < WAKING_MS,
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
