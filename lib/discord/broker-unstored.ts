import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";

export interface BrokerUnstoredParts {
  rest: Pick<DiscordRest, "send">;
  mark(): string;
  clock: Pick<Clock, "now">;
  signal: AbortSignal;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Says, once in each place, that messages cannot be stored, so that nobody waits for nothing. */
export interface BrokerUnstored {
  tell(channel: Id): Promise<void>;
  /** Something was stored: it may be said again. */
  over(): void;
}

/** No sign of a warning among bots is before it. */
const SENTENCE =
  "💾 I cannot store messages now, so I do not begin on them. What was said here is " +
  "answered when I can; whoever runs me finds the reason in my log.";

export function createBrokerUnstored(parts: BrokerUnstoredParts): BrokerUnstored {
  const told = new Set<Id>();
  let since = 0;

  return {
    async tell(channel) {
      if (told.size === 0) since = parts.clock.now();
      if (told.has(channel)) return;
      told.add(channel);
      try {
        const nonce = nonceOf(parts.mark(), `unstored ${channel} ${since}`, 0);
        await parts.rest.send(channel, { content: SENTENCE, nonce }, parts.signal);
      } catch (error) {
        if (parts.signal.aborted) return;
        if (!(error instanceof DiscordError)) throw error;
        parts.log("info", "Cannot say that nothing can be stored", { error: error.message });
      }
    },
    over: () => told.clear(),
  };
}
