import { type FSWatcher, watch } from "node:fs";
import type { Clock } from "../../base/clock.ts";

/** Sleeps until something happens. */
export interface Waker {
  /** Ends the wait of now, or the next one at once. */
  wake(): void;
  /** Resolves when woken, when the folder changes, when aborted, or after `ms`. Never rejects. */
  wait(ms: number): Promise<void>;
  close(): void;
}

/** Ends that come together are handled in one pass, with one wait for the disk. */
const GATHER_MS = 5;

/** Watches one folder where the system lets it; a login node may be out of watches, and network disks tell nothing. */
export function createWaker(folder: string, clock: Clock, signal: AbortSignal): Waker {
  let woken = false;
  let interrupt = new AbortController();
  const wake = () => {
    woken = true;
    interrupt.abort();
  };
  const watcher = watchFolder(folder, wake);
  signal.addEventListener("abort", wake);
  return {
    wake,
    async wait(ms) {
      if (!woken) await clock.sleep(ms, interrupt.signal).catch(() => {});
      if (woken && !signal.aborted) await clock.sleep(GATHER_MS, signal).catch(() => {});
      woken = false;
      interrupt = new AbortController();
    },
    close() {
      watcher?.close();
      signal.removeEventListener("abort", wake);
    },
  };
}

function watchFolder(folder: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, changed);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
