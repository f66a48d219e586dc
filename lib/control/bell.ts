/** Wakes one waiter; a ring that comes while nobody waits is kept. */
export interface Bell {
  ring(): void;
  /** True when it rang, false when `ms` passed or the signal was aborted first. */
  wait(ms: number, signal: AbortSignal): Promise<boolean>;
}

export function createBell(): Bell {
  let rung = false;
  let wake: ((rang: boolean) => void) | undefined;
  return {
    ring() {
      rung = wake === undefined;
      wake?.(true);
    },
    wait(ms, signal) {
      if (rung || signal.aborted) {
        const rang = rung;
        rung = false;
        return Promise.resolve(rang);
      }
      return new Promise((resolve) => {
        const end = (rang: boolean) => {
          wake = undefined;
          clearTimeout(timer);
          signal.removeEventListener("abort", stop);
          resolve(rang);
        };
        const stop = () => end(false);
        const timer = setTimeout(stop, ms);
        signal.addEventListener("abort", stop);
        wake = end;
      });
    },
  };
}
