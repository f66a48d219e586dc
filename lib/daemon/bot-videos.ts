import type { Clock } from "../base/clock.ts";
import type { Arrival } from "../chat/arrival.ts";
import { videoBlock } from "../chat/attachment-blocks.ts";
import type { Conversation } from "../chat/chat-state.ts";
import { endsSoon } from "../chat/fresh-url.ts";

export interface BotVideosParts {
  clock: Clock;
  /** Where a file of a message is now; undefined when that cannot be read. */
  address(
    where: { channelId: string; message: string; attachment: string },
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

const COMMAND = /^(\s*<@[!&]?\d+>)*\s*\/[a-z]/i;

/**
 * Fresh addresses of videos that an agent heard of in an earlier turn: Discord's end after a day, and
 * an agent that takes the conversation up again knows only the old ones. A.17.30.
 */
export function createBotVideos({ clock, address }: BotVideosParts) {
  /** By attachment, in this life of herd: the last address that the agent got. */
  const told = new Map<string, string>();

  async function again(
    { channelId, message, attached }: Conversation["videos"][number],
    signal: AbortSignal,
  ): Promise<string[]> {
    const known = told.get(attached.id);
    if (known !== undefined && !endsSoon(known, clock.now())) return [];
    const url = await address({ channelId, message, attachment: attached.id }, signal);
    if (url === undefined) return [];
    told.set(attached.id, url);
    const block = videoBlock(attached, url);
    return block.type === "text" ? [`(attached earlier, at a fresh address)\n${block.text}`] : [];
  }

  return {
    /** The agent is told of it with its message. */
    heard({ attachments }: Arrival): void {
      for (const { id, url } of attachments) told.set(id, url);
    },
    /** What is said before a turn of these messages. */
    async fresh(
      { videos }: Conversation,
      messages: readonly Arrival[],
      signal: AbortSignal,
    ): Promise<string[]> {
      // An agent knows a command of its own only when nothing stands before it.
      if (messages.every(({ content }) => COMMAND.test(content))) return [];
      const own = new Set(messages.map(({ id }) => id));
      const earlier = videos.filter(({ message }) => !own.has(message));
      return (await Promise.all(earlier.map((one) => again(one, signal)))).flat();
    },
  };
}
