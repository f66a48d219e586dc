import type { Clock } from "../base/clock.ts";

export interface Watchdog {
  /** Something came. */
  alive(): void;
  /** Which limit was passed; undefined while none was. */
  expired(): "silence" | "total" | undefined;
  stop(): void;
}

/** Calls `onExpired` once when nothing came for `silenceMs()`, or after `totalMs` in any case. */
export function startWatchdog(
  { clock, silenceMs, totalMs, onExpired }: {
    clock: Clock;
    silenceMs: () => number;
    totalMs: number;
    onExpired: () => void;
  },
): Watchdog {
  const started = clock.now();
  const stopped = new AbortController();
  let last = started;
  let expired: "silence" | "total" | undefined;

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      const now = clock.now();
      const silence = last + silenceMs() - now;
      const total = started + totalMs - now;
      if (silence <= 0 || total <= 0) {
        expired = silence <= 0 ? "silence" : "total";
        return onExpired();
      }
      // At least a millisecond: a clock that rounds down must not turn this into a busy loop.
      await clock.sleep(Math.max(1, Math.min(silence, total)), stopped.signal);
    }
  }
  // A sleep that was stopped rejects; nothing else can.
  watch().catch(() => {});

  return {
    alive: () => {
      last = clock.now();
    },
    expired: () => expired,
    stop: () => stopped.abort(),
  };
}
