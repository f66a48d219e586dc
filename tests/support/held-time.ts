import type { Clock } from "../../lib/base/clock.ts";

/** Time that passes only while everybody waits: it then jumps to whatever is due next. */
export interface HeldTime {
  clock: Clock;
  /** Something that happens at a time, milliseconds since the epoch. Returns what takes it back. */
  at(when: number, act: () => void): () => void;
}

export function createHeldTime(startAt: number): HeldTime {
  let now = startAt;
  let waiting = 0;
  let turning = false;
  const due: { when: number; act: () => void }[] = [];

  function at(when: number, act: () => void): () => void {
    const one = { when: Math.max(when, now), act };
    let low = 0;
    for (let high = due.length; low < high;) {
      const middle = (low + high) >> 1;
      if (due[middle]!.when <= one.when) low = middle + 1;
      else high = middle;
    }
    due.splice(low, 0, one);
    return () => {
      const place = due.indexOf(one);
      if (place >= 0) due.splice(place, 1);
    };
  }

  /** One event at a time, each after all that the one before set off has come to rest. */
  async function turn(): Promise<void> {
    if (turning) return;
    turning = true;
    for (;;) {
      await new Promise<void>((done) => setImmediate(done));
      const next = waiting > 0 ? due.shift() : undefined;
      if (next === undefined) break;
      now = Math.max(now, next.when);
      next.act();
    }
    turning = false;
  }

  return {
    at,
    clock: {
      now: () => now,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          waiting++;
          const takeBack = at(now + ms, () => {
            waiting--;
            signal?.removeEventListener("abort", stop);
            resolve();
          });
          function stop() {
            takeBack();
            waiting--;
            reject(signal?.reason);
          }
          signal?.addEventListener("abort", stop, { once: true });
          void turn();
        }),
    },
  };
}
