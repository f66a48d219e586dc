import type { Clock } from "../base/clock.ts";

/** A moment after which something must end, and that can be moved until then. */
export interface Deadline {
  /** So many milliseconds from now. False when it has passed: what came too late saves nothing. */
  move(ms: number): boolean;
  stop(): void;
}

/**
 * Calls `onPassed` once. A process that was frozen reads the renewals of that time when it wakes:
 * they do not count, for the moment had passed by the clock.
 */
export function createDeadline(clock: Clock, ms: number, onPassed: () => void): Deadline {
  let until = clock.now() + ms;
  let timer = new AbortController();
  let over = false;

  function pass(): void {
    if (over) return;
    over = true;
    timer.abort();
    onPassed();
  }

  function wait(waitMs: number): void {
    timer = new AbortController();
    clock.sleep(waitMs, timer.signal).then(pass, () => {});
  }

  wait(ms);
  return {
    move(next) {
      if (over) return false;
      if (clock.now() >= until) {
        pass();
        return false;
      }
      until = clock.now() + next;
      timer.abort();
      wait(next);
      return true;
    },
    stop() {
      over = true;
      timer.abort();
    },
  };
}
