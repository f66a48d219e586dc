import type { ChannelMemory } from "./memory.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Message, Outgoing } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

export interface DeliveryParts {
  rest: Pick<DiscordRest, "send" | "edit">;
  memory: ChannelMemory;
}

/** What is to be posted, in parts, under a key that never changes. */
export interface Post {
  key: string;
  parts: readonly Outgoing[];
  /** A message that becomes the first part, instead of a new one. */
  into?: Id;
}

/** Discord's numbers for a message that is answered, edited or reacted to and is gone. */
const UNKNOWN_MESSAGE = 10008;
const INVALID_FORM = 50035;

/**
 * Sends a post's parts in order and remembers each, so that who dies in the middle goes on there:
 * the part that was under way bears its nonce again. Throws DiscordError when Discord cannot
 * be reached or the channel is closed to us.
 */
export async function deliver(
  { rest, memory }: DeliveryParts,
  channel: Id,
  post: Post,
  signal: AbortSignal,
): Promise<readonly Id[]> {
  const before = memory.read().partly;
  const sent = before?.key === post.key ? [...before.sent] : [];
  for (const [i, part] of post.parts.entries()) {
    if (i < sent.length) continue;
    const message = i === 0 && post.into !== undefined
      ? await replace(rest, channel, post.into, part, signal)
      : await send(rest, channel, part, signal);
    sent.push(message.id);
    if (i + 1 < post.parts.length) memory.write({ partly: { key: post.key, sent: [...sent] } });
  }
  return sent;
}

/** An edit cannot bear a reference or a nonce; one that was deleted meanwhile is sent anew. */
async function replace(
  rest: DeliveryParts["rest"],
  channel: Id,
  into: Id,
  { replyTo: _, nonce: __, ...part }: Outgoing,
  signal: AbortSignal,
): Promise<Message> {
  try {
    return await rest.edit(channel, into, { ...part, rows: part.rows ?? [] }, signal);
  } catch (error) {
    if (!(error instanceof DiscordError) || error.code !== UNKNOWN_MESSAGE) throw error;
    return await rest.send(channel, part, signal);
  }
}

async function send(
  rest: DeliveryParts["rest"],
  channel: Id,
  part: Outgoing,
  signal: AbortSignal,
): Promise<Message> {
  try {
    return await rest.send(channel, part, signal);
  } catch (error) {
    const { replyTo, ...plain } = part;
    // Who asked has deleted the question: the answer is posted all the same.
    const gone = error instanceof DiscordError && replyTo !== undefined &&
      (error.code === UNKNOWN_MESSAGE || error.code === INVALID_FORM);
    if (!gone) throw error;
    return await rest.send(channel, plain, signal);
  }
}
