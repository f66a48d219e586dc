import { isPlaceAllowed } from "../chat/gate.ts";
import type { BotRules } from "../chat/broker-config.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

/**
 * Threads in which something was said after `gap` and where the bot may be called, also those that it
 * does not know: a person may have mentioned it there for the first time. One request for each server.
 */
export async function threadsOfGap(
  { rest, guilds, gap, rules, signal }: {
    rest: Pick<DiscordRest, "activeThreads">;
    guilds: readonly Id[];
    gap: Id;
    rules: Pick<BotRules, "channels">;
    signal: AbortSignal;
  },
): Promise<readonly Id[]> {
  const found: Id[] = [];
  for (const guild of guilds) {
    for (const { id, parentId, guildId, ownerId, lastMessageId } of await activeThreads(guild)) {
      const isNews = lastMessageId !== undefined && BigInt(lastMessageId) > BigInt(gap);
      const place = {
        channelId: parentId ?? id,
        threadId: id,
        isDirect: false,
        threadOwner: ownerId,
        guildId,
      };
      if (isNews && isPlaceAllowed({ place }, rules)) found.push(id);
    }
  }
  return found;

  async function activeThreads(guild: Id) {
    try {
      return await rest.activeThreads(guild, signal);
    } catch (error) {
      // Put out of one server meanwhile, it is there for the others still.
      const isGone = error instanceof DiscordError &&
        (error.kind === "missing" || error.kind === "forbidden");
      if (isGone) return [];
      throw error;
    }
  }
}
