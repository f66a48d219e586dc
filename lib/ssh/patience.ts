import type { Clock } from "../base/clock.ts";

/** Time that a step may take, without the time in which a person is asked. */
export interface Patience {
  /** Aborted when the time is over, with what `why` gave as its reason. */
  readonly signal: AbortSignal;
  /** Stops the time until the function it gives back is called. */
  pause(): () => void;
  /** From now on so many milliseconds more. */
  restart(ms: number): void;
  end(): void;
}

export function createPatience(clock: Clock, ms: number, why: () => Error): Patience {
  const over = new AbortController();
  let left = ms;
  let since = clock.now();
  let pauses = 0;
  let running: AbortController | undefined;

  function run(): void {
    const mine = running = new AbortController();
    since = clock.now();
    clock.sleep(left, mine.signal).then(() => over.abort(why()), () => {});
  }
  function halt(): void {
    if (running === undefined) return;
    left = Math.max(0, left - (clock.now() - since));
    running.abort();
    running = undefined;
  }
  run();
  return {
    signal: over.signal,
    pause() {
      if (pauses++ === 0) halt();
      let paused = true;
      return () => {
        if (!paused) return;
        paused = false;
        if (--pauses === 0 && !over.signal.aborted) run();
      };
    },
    restart(more) {
      halt();
      left = more;
      if (pauses === 0) run();
    },
    end() {
      halt();
      pauses = Infinity;
    },
  };
}
