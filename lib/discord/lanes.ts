/** Calls of one route go one after the other, in the order in which they were made. */
export interface Lanes {
  /** Runs `task` when those before it in this lane have ended; rejects when `signal` ends the waiting. */
  run<T>(key: string, signal: AbortSignal, task: () => Promise<T>): Promise<T>;
  /** Lanes in which somebody is; an empty one is gone. */
  size(): number;
}

export function createLanes(): Lanes {
  const last = new Map<string, Promise<void>>();
  return {
    async run(key, signal, task) {
      const before = last.get(key);
      let leave = () => {};
      const gone = new Promise<void>((resolve) => leave = resolve);
      // Who gives up waiting must still be waited for by those behind until all before it are gone.
      const mine = Promise.all([before, gone]).then(() => {});
      last.set(key, mine);
      void mine.then(() => {
        if (last.get(key) === mine) last.delete(key);
      });
      try {
        if (before !== undefined) await orAborted(before, signal);
        signal.throwIfAborted();
        return await task();
      } finally {
        leave();
      }
    },
    size: () => last.size,
  };
}

function orAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    void wait.then(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
  });
}
