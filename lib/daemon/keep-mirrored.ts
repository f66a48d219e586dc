import type { Clock } from "../base/clock.ts";
import type { Mirror } from "../mirror/create-mirror.ts";

export interface KeepMirroredParts {
  /** Undefined where jobs run here. Throws what the YAML is wrong in. */
  mirror(): Mirror | undefined;
  /** Whether any job may write something now. */
  isBusy(): boolean;
  clock: Clock;
  signal: AbortSignal;
  /** Something came. */
  onNews(): void;
}

/** So often at the most: a login node is nobody's own. */
const EVERY_MS = 5_000;
/** While nobody can be reached. */
const PATIENCE_MS = 30_000;
/** A slow file system is asked the less: of all the time, this part at the most. */
const SHARE = 1 / 20;

/** Brings what jobs write on another computer while there are jobs. Ends with the signal. */
export async function keepMirrored(parts: KeepMirroredParts): Promise<void> {
  const { clock, signal } = parts;
  for (let waitMs = EVERY_MS; !signal.aborted;) {
    await clock.sleep(waitMs, signal).catch(() => {});
    if (signal.aborted) return;
    const begun = clock.now();
    try {
      const mirror = parts.isBusy() ? parts.mirror() : undefined;
      const came = await mirror?.pull(signal);
      if (came !== undefined && came.files > 0) parts.onNews();
      waitMs = Math.max(EVERY_MS, (clock.now() - begun) / SHARE);
    } catch {
      // The look says what is wrong; here it is only tried again.
      waitMs = PATIENCE_MS;
    }
  }
}
