import type { Clock } from "../base/clock.ts";

/** Tells what an attempt is at: the first change at once, more of them at most once in a while. */
export interface Progress {
  at(phase: string): void;
  stop(): void;
}

const PAUSE_MS = 300;

export function createProgress(tell: (phase: string) => void, clock: Clock): Progress {
  const stopped = new AbortController();
  let pausing = false;
  let waiting: string | undefined;

  function say(phase: string): void {
    try {
      tell(phase);
    } catch {
      // Who listens does not stop the work.
    }
    pausing = true;
    clock.sleep(PAUSE_MS, stopped.signal).then(next, () => {});
  }

  function next(): void {
    pausing = false;
    const phase = waiting;
    waiting = undefined;
    if (phase !== undefined) say(phase);
  }

  return {
    at(phase) {
      if (stopped.signal.aborted) return;
      if (pausing) waiting = phase;
      else say(phase);
    },
    stop: () => stopped.abort(),
  };
}
