import type { Clock } from "../base/clock.ts";
import type { Id } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

/** Discord shows it for ten seconds. */
const AGAIN_MS = 8_000;

/** "Bot is typing…" while the agent works; a failure of it is nobody's concern. */
export function createTyping(
  { rest, channelId, clock }: {
    rest: Pick<DiscordRest, "typing">;
    channelId(): Id | undefined;
    clock: Clock;
  },
): { begin(): void; end(): void } {
  let stop: AbortController | undefined;

  async function go(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const id = channelId();
      try {
        if (id !== undefined) await rest.typing(id, signal);
      } catch {
        // Shown or not: nothing hangs on it.
      }
      await clock.sleep(AGAIN_MS, signal).catch(() => {});
    }
  }

  return {
    begin() {
      if (stop !== undefined) return;
      stop = new AbortController();
      void go(stop.signal);
    },
    end() {
      stop?.abort();
      stop = undefined;
    },
  };
}
