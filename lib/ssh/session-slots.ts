/** Servers allow only so many sessions in one connection (MaxSessions of sshd, 10 by default). */
export interface SessionSlots {
  /** Waits for its turn; gives back what ends it. Rejects with the signal's reason. */
  take(signal?: AbortSignal): Promise<() => void>;
  /** The server refused the one that has its turn: it is not asked for as many again. False when that is the only one. */
  refused(): boolean;
  /** Whether somebody waits. */
  readonly wanted: boolean;
  /** Called when somebody begins to wait; gives back what ends it. */
  onWanted(listener: () => void): () => void;
}

export function createSessionSlots(most: number): SessionSlots {
  let limit = most;
  let taken = 0;
  const waiting: (() => void)[] = [];
  const listeners = new Set<() => void>();

  function next(): void {
    while (taken < limit && waiting.length > 0) {
      taken++;
      waiting.shift()!();
    }
  }
  function giveBack(): () => void {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      taken--;
      next();
    };
  }
  return {
    get wanted() {
      return waiting.length > 0;
    },
    take(signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const start = () => {
          signal?.removeEventListener("abort", stop);
          resolve(giveBack());
        };
        function stop() {
          waiting.splice(waiting.indexOf(start), 1);
          reject(signal?.reason);
        }
        signal?.addEventListener("abort", stop, { once: true });
        waiting.push(start);
        next();
        if (waiting.length > 0) { for (const listener of listeners) listener(); }
      });
    },
    refused() {
      if (taken <= 1) return false;
      limit = Math.min(limit, taken - 1);
      return true;
    },
    onWanted(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
