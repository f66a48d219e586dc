import type { Clock } from "../base/clock.ts";
import type { SessionSlots } from "./session-slots.ts";

export interface InTurnParts {
  slots: SessionSlots;
  clock: Clock;
  /** Ends the waiting; what is being opened then goes on. */
  signal: AbortSignal | undefined;
  /** Whether that error says that the server has no room for one more session. */
  isRefusal(error: unknown): boolean;
}

/**
 * After a refusal with no session of ours open, one is asked for again after so long, and longer
 * each time: one that has just ended counts for a moment longer. Milliseconds.
 */
const REFUSED_MS = 50;
const MOST_REFUSALS = 20;

/**
 * Opens what takes a session when there is room for it. The turn lasts until `giveBack`. Rejects
 * with what `open` rejects with, and with the refusal where there is no room at all.
 */
export async function inTurn<T>(
  open: () => Promise<T>,
  { slots, clock, signal, isRefusal }: InTurnParts,
): Promise<{ opened: T; giveBack(): void }> {
  let giveBack = await slots.take(signal);
  try {
    for (let refusals = 1;; refusals++) {
      try {
        return { opened: await open(), giveBack };
      } catch (error) {
        if (!isRefusal(error) || refusals > MOST_REFUSALS) throw error;
        if (!slots.refused()) {
          // The turn is kept meanwhile: others would only be refused as well.
          await clock.sleep(REFUSED_MS * refusals, signal);
          continue;
        }
        giveBack();
        giveBack = await slots.take(signal);
        refusals = 0;
      }
    }
  } catch (error) {
    giveBack();
    throw error;
  }
}
