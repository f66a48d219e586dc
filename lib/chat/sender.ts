import type { Arrival } from "./arrival.ts";
import { plainLine } from "./borders.ts";

const LONGEST_NAME = 80;

/** Who wrote a message, when and where, as the agent is told. */
export interface SenderRecord {
  schema: "herd.sender.v1";
  /** Such as `discord`. */
  surface: string;
  /** Of a thread its parent. */
  channel_id: string;
  thread_id: string | null;
  message_id: string;
  sender_id: string;
  sender_name: string;
  display_name: string;
  is_bot: boolean;
  /** ISO 8601, UTC. */
  timestamp: string;
  /** Of a bot: how many messages of bots there were since a person spoke, and how many there may be. */
  bot_turns?: number;
  max_bot_turns?: number;
  /** Absent while it was never edited. */
  edited_at?: string;
}

/** How long bots have talked among themselves: an agent can end it before it is ended. */
export interface BotTurnCount {
  count: number;
  most: number;
}

/**
 * `threadId` is that of a thread that was just made from the message, so that the first turn
 * already knows it.
 */
export function senderRecord(
  { id, at, editedAt, place, author }: Arrival,
  surface: string,
  threadId: string | undefined = place.threadId,
  botTurns?: BotTurnCount,
): SenderRecord {
  return {
    schema: "herd.sender.v1",
    surface,
    channel_id: place.channelId,
    thread_id: threadId ?? null,
    message_id: id,
    sender_id: author.id,
    sender_name: plainLine(author.name, LONGEST_NAME),
    display_name: plainLine(author.displayName, LONGEST_NAME),
    is_bot: author.isBot,
    ...(author.isBot && botTurns !== undefined
      ? { bot_turns: botTurns.count, max_bot_turns: botTurns.most }
      : {}),
    timestamp: new Date(at).toISOString(),
    ...(editedAt === undefined ? {} : { edited_at: new Date(editedAt).toISOString() }),
  };
}
