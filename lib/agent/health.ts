import type { Clock } from "../base/clock.ts";
import type { ModelFailure } from "./agent.ts";

/** Whether the model answers, and when it is asked again while it does not. */
export interface ModelHealth {
  /** `urgent`: a person waits for an answer, which may come before the next planned attempt. */
  mayCall(urgent: boolean): boolean;
  /** A turn failed, its quick retries included. `announce`: people have not been told yet. */
  failed(failure: ModelFailure): HealthChange;
  /** A turn worked. */
  worked(): HealthChange;
  /** Milliseconds since the epoch; undefined while the model answers. */
  nextAttemptAt(): number | undefined;
}

export interface HealthChange {
  announce: boolean;
  /** For people: one or two sentences. */
  text: string;
}

const FIRST_MS = 15_000;
const LONGEST_MS = 30 * 60_000;
/** A person's messages ask no more often than this. */
const URGENT_MS = 15_000;

/**
 * Back-off of a model outage: 15 s, doubled up to 30 min, with a fifth of jitter. Where trying
 * again cannot help (credentials, a refused request) it is 30 min at once.
 * `down`: what the journal says of an outage that people were told of before a restart.
 */
export function createModelHealth(
  { clock, random, down }: {
    clock: Clock;
    random: () => number;
    down?: { since: number } | undefined;
  },
): ModelHealth {
  let outage = down === undefined
    ? undefined
    // After a restart the first attempt is due at once.
    : { since: down.since, failures: 0, lastAt: -Infinity, nextAt: clock.now() };

  function delayMs(failure: ModelFailure, failures: number): number {
    const hopeless = failure.kind === "auth" || failure.kind === "rejected";
    const backOff = hopeless ? LONGEST_MS : FIRST_MS * 2 ** Math.min(failures - 1, 20);
    const jittered = Math.min(backOff, LONGEST_MS) * (0.8 + 0.4 * random());
    return Math.min(LONGEST_MS, Math.max(jittered, failure.retryAfterMs ?? 0));
  }

  return {
    mayCall(urgent) {
      if (outage === undefined) return true;
      const now = clock.now();
      return now >= outage.nextAt || (urgent && now >= outage.lastAt + URGENT_MS);
    },
    failed(failure) {
      const now = clock.now();
      const announce = outage === undefined;
      const failures = (outage?.failures ?? 0) + 1;
      const nextAt = now + delayMs(failure, failures);
      outage = { since: outage?.since ?? now, failures, lastAt: now, nextAt };
      const text = `${failure.message}. The rules go on without the agent, ` +
        `which is asked again in ${roughly(nextAt - now)}.`;
      return { announce, text };
    },
    worked() {
      if (outage === undefined) return { announce: false, text: "" };
      const text = `The agent answers again, after ${roughly(clock.now() - outage.since)}.`;
      outage = undefined;
      return { announce: true, text };
    },
    nextAttemptAt: () => outage?.nextAt,
  };
}

function roughly(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
