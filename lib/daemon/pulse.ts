import type { Clock } from "../base/clock.ts";

/** Whether this process itself was stopped: by a closed lid, a debugger, a signal. */
export interface Pulse {
  /** Since when it was, if it was since this was last asked. Milliseconds since the epoch. */
  stoppedSince(): number | undefined;
}

const EVERY_MS = 5_000;
/** No machine is so busy that a wait ends later than this. */
const LATE_MS = 20_000;

/** Beats until the signal. */
export function startPulse({ clock, signal }: { clock: Clock; signal: AbortSignal }): Pulse {
  let since: number | undefined;
  let began = clock.now();

  /** Whoever asks right after the process goes on may come before the beat does. */
  function feel(): void {
    if (clock.now() - began - EVERY_MS >= LATE_MS) since ??= began;
    began = clock.now();
  }

  async function beat(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(EVERY_MS, signal).catch(() => {});
      feel();
    }
  }
  void beat();
  return {
    stoppedSince() {
      feel();
      const found = since;
      since = undefined;
      return found;
    },
  };
}
