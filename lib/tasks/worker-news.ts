import type { Clock } from "../base/clock.ts";

/** Something to be told soon; what comes close together is told together. */
export interface News {
  /** It is to be told within so many milliseconds; an earlier wish stays. */
  tell(withinMs: number): void;
  isDue(): boolean;
  /** All of it is being told. */
  clear(): void;
  /** Resolves when something is due, after `ms`, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** A timer's longest wait; a longer one fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

export function createNews(clock: Clock): News {
  let dueAt = Infinity;
  let hasten = () => {};

  return {
    tell(withinMs) {
      const at = clock.now() + withinMs;
      if (at >= dueAt) return;
      dueAt = at;
      hasten();
    },
    isDue: () => clock.now() >= dueAt,
    clear: () => dueAt = Infinity,
    async wait(ms, signal) {
      const until = clock.now() + ms;
      while (!signal.aborted) {
        const left = Math.min(until, dueAt, clock.now() + LONGEST_MS) - clock.now();
        if (left <= 0) return;
        const nap = new AbortController();
        hasten = () => nap.abort();
        signal.addEventListener("abort", hasten, { once: true });
        await clock.sleep(left, nap.signal).catch(() => {});
        signal.removeEventListener("abort", hasten);
      }
    },
  };
}
