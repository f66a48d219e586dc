import type { Clock } from "../../lib/base/clock.ts";

/** Time that passes only when a test says so. */
export interface SteppedClock extends Clock {
  /** Lets time pass; whoever sleeps less long wakes, in order. */
  advance(ms: number): void;
  /** Resolves with the lengths of the sleeps, once `enough` says yes to them; rejects after five real seconds. */
  sleeping(enough: (lengths: readonly number[]) => boolean): Promise<readonly number[]>;
}

export function createSteppedClock(startAt = 1_700_000_000_000): SteppedClock {
  let now = startAt;
  const sleepers = new Set<{ until: number; length: number; wake: () => void }>();
  const watchers = new Set<() => void>();
  const lengths = () => [...sleepers].map(({ length }) => length);
  const changed = () => [...watchers].forEach((watch) => watch());

  return {
    now: () => now,
    sleep(length, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const over = (act: () => void) => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", stop);
          act();
          changed();
        };
        const stop = () => over(() => reject(signal?.reason));
        const sleeper = { until: now + length, length, wake: () => over(resolve) };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", stop, { once: true });
        changed();
      });
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const next = [...sleepers].sort((a, b) => a.until - b.until)[0];
        if (next === undefined || next.until > until) break;
        now = Math.max(now, next.until);
        next.wake();
      }
      now = until;
    },
    sleeping(enough) {
      return new Promise((resolve, reject) => {
        const deadline = setTimeout(() => {
          watchers.delete(look);
          reject(
            new Error(`Nobody slept as awaited; sleeping: ${lengths().join(", ") || "nobody"}`),
          );
        }, 5_000);
        function look() {
          if (!enough(lengths())) return;
          clearTimeout(deadline);
          watchers.delete(look);
          resolve(lengths());
        }
        watchers.add(look);
        look();
      });
    },
  };
}
