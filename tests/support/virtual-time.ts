import type { Clock } from "../../lib/base/clock.ts";

/** Time that jumps from one event to the next, as fast as the machine can. */
export interface VirtualTime {
  now(): number;
  /** Returns what takes it back. */
  at(when: number, act: () => void): () => void;
  /** Runs all events until then, each after what the one before set off has come to rest. */
  runUntil(when: number): Promise<void>;
  clock: Clock;
}

interface Due {
  when: number;
  order: number;
  act: (() => void) | undefined;
}

/** `steps` of promises that an event may set off. */
export function createVirtualTime(start = 1_790_000_000_000, steps = 24): VirtualTime {
  let now = start;
  let order = 0;
  let rounds = 0;
  const heap: Due[] = [];
  const before = (a: Due, b: Due) => a.when < b.when || (a.when === b.when && a.order < b.order);

  function push(one: Due): void {
    let i = heap.push(one) - 1;
    for (let up = (i - 1) >> 1; i > 0 && before(one, heap[up]!); up = (i - 1) >> 1) {
      heap[i] = heap[up]!;
      i = up;
    }
    heap[i] = one;
  }

  function pop(): Due {
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }

  function at(when: number, act: () => void): () => void {
    const one: Due = { when: Math.max(when, now), order: order++, act };
    push(one);
    return () => one.act = undefined;
  }

  async function settle(): Promise<void> {
    for (let i = 0; i < steps; i++) await null;
  }

  return {
    now: () => now,
    at,
    async runUntil(when) {
      await settle();
      while (heap.length > 0 && heap[0]!.when <= when) {
        const { when: at, act } = pop();
        if (act === undefined) continue;
        rounds = at > now ? 0 : rounds + 1;
        if (rounds > 10_000) throw new Error(`Time stands still: ${act}`);
        now = Math.max(now, at);
        act();
        await settle();
      }
      now = Math.max(now, when);
    },
    clock: {
      now: () => now,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const takeBack = at(now + ms, () => {
            signal?.removeEventListener("abort", stop);
            resolve();
          });
          function stop() {
            takeBack();
            reject(signal?.reason);
          }
          signal?.addEventListener("abort", stop, { once: true });
        }),
    },
  };
}
