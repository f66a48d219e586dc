import type { Clock } from "../base/clock.ts";
import type { Mirror } from "../mirror/mirror.ts";

export interface KeepMirroredParts {
  /** Undefined where jobs run here. Throws what the YAML is wrong in. */
  mirror(): Mirror | undefined;
  /** Whether any job may write something now, or soon: one that waits in the queue. */
  jobs(): "running" | "waiting" | "none";
  clock: Clock;
  signal: AbortSignal;
  /** Something came. */
  onNews(): void;
}

/** So often at the most: a login node is nobody's own. Milliseconds. */
const EVERY_MS = 5_000;
/** While jobs run and write nothing, and while none runs: at least so often. */
const QUIET_MS = { running: 15_000, waiting: 60_000, none: 60_000 };
/** While nobody can be reached. */
const PATIENCE_MS = 30_000;
/** A slow file system is asked the less: of all the time, this part at the most. */
const SHARE = 1 / 20;
/** Seldom by so much more after each look that brought nothing. */
const SLOWER = 1.5;
/** The rest of what is large comes at once. */
const REST_MS = 500;

/** Brings what jobs write on another computer while there are jobs. Ends with the signal. */
export async function keepMirrored(parts: KeepMirroredParts): Promise<void> {
  const { clock, signal } = parts;
  let quietMs = EVERY_MS;
  for (let waitMs = EVERY_MS; !signal.aborted;) {
    await clock.sleep(waitMs, signal).catch(() => {});
    if (signal.aborted) return;
    const begun = clock.now();
    try {
      const jobs = parts.jobs();
      const mirror = parts.mirror();
      const isWanted = mirror !== undefined && (jobs !== "none" || !mirror.isWhole());
      // A look at the scheduler fetches as well.
      const isDue = isWanted && begun - (mirror.pulledAt() ?? -Infinity) >= waitMs / 2;
      const came = isDue ? await mirror.pull({ signal }) : undefined;
      if (came !== undefined && came.files > 0) parts.onNews();
      quietMs = came === undefined
        ? quietMs
        : came.files > 0
        ? EVERY_MS
        : Math.min(quietMs * SLOWER, QUIET_MS[jobs]);
      const tookMs = Math.max(0, clock.now() - begun);
      waitMs = came?.isWhole === false ? REST_MS : Math.max(quietMs, tookMs / SHARE);
    } catch {
      // The look says what is wrong; here it is only tried again.
      waitMs = PATIENCE_MS;
    }
  }
}
