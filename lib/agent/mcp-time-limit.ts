import type { Clock } from "../base/clock.ts";

/** Something took longer than it may. */
export class LateError extends Error {
  readonly ms: number;
  constructor(ms: number) {
    super(`It took more than ${ms} ms`);
    this.name = "LateError";
    this.ms = ms;
  }
}

/**
 * Runs `work` with a signal that is aborted with `signal` or after `ms`. Rejects at
 * that moment, also when the work goes on: with LateError or the signal's reason.
 */
export async function withTimeLimit<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { ms, clock, signal }: { ms: number; clock: Clock; signal: AbortSignal },
): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const done = new AbortController();
  const stop = () => own.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  clock.sleep(ms, done.signal).then(() => own.abort(new LateError(ms)), () => {});
  const over = new Promise<never>((_, reject) => {
    own.signal.addEventListener("abort", () => reject(own.signal.reason), { once: true });
  });
  const working = work(own.signal);
  // Whoever loses the race must not be an unhandled rejection.
  working.catch(() => {});
  try {
    return await Promise.race([working, over]);
  } finally {
    done.abort();
    signal.removeEventListener("abort", stop);
  }
}
