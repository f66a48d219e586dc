import type { Clock } from "../base/clock.ts";
import { spanText } from "../words/duration-text.ts";
import type { Where } from "../chat/chat-event.ts";
import type { Conversation } from "../chat/chat-state.ts";
import type { BrokerPlaces } from "./broker-places.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import { patience } from "./patience.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";

export interface BrokerThreadsParts {
  rest: Pick<DiscordRest, "startThread" | "send" | "remove">;
  places: BrokerPlaces;
  me(): Id | undefined;
  mark(): string;
  /** Never empty, at most 100 characters. */
  titleOf(conversation: Conversation): string;
  clock: Clock;
  random(): number;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

const ARCHIVE_MINUTES = 1440;
/** "A thread has already been created for this message": a sibling was first. */
const HAS_THREAD = 160004;
/** People hear of a longer wait. */
const TOLD_MS = 20_000;
/** Nobody waits longer for an answer only because it would have had a thread. */
const LONGEST_MS = 15 * 60_000;

/**
 * Where a conversation is held: its thread, or one that is made from its first message and has that
 * message's id; where that cannot be, replies in the channel. Nothing is lost for want of a thread.
 * A.17: "Failed to create thread".
 */
export function createBrokerThreads(parts: BrokerThreadsParts) {
  const { rest, places } = parts;

  async function thread(conversation: Conversation, signal: AbortSignal): Promise<Where> {
    const { place, first } = conversation;
    const made = await rest.startThread(place.channelId, {
      name: parts.titleOf(conversation),
      from: first.id,
      archiveMinutes: ARCHIVE_MINUTES,
    }, signal);
    const owner = made.ownerId ?? parts.me();
    if (owner !== undefined) places.learn(made.id, place.channelId, owner);
    return { channelId: made.id, replies: false };
  }

  /** Says how long Discord wants it to wait; gives what takes that back. */
  async function tell(
    { place: { channelId }, first }: Conversation,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<() => Promise<void>> {
    try {
      const { id } = await rest.send(channelId, {
        content: `-# ⏳ Discord allows no new thread for ${
          spanText(waitMs)
        }. The answer comes then.`,
        replyTo: first.id,
        silent: true,
        nonce: nonceOf(parts.mark(), `thread ${first.id}`, 0),
      }, signal);
      return () => rest.remove(channelId, id, signal).catch(() => {});
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      parts.log("info", "Cannot say that a thread has to wait", { error: error.message });
      return () => Promise.resolve();
    }
  }

  async function settle(
    conversation: Conversation,
    signal: AbortSignal,
    onWait: (ms: number) => Promise<void>,
  ): Promise<Where> {
    const { place, first } = conversation;
    for (let tries = 1;; tries++) {
      try {
        return await thread(conversation, signal);
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        if (error.code === HAS_THREAD) {
          // A thread that hangs under a message has the message's id. Whose it is, Discord is asked:
          // it may be our own, made by a life that was killed, and then no mention is needed in it.
          return { channelId: first.id, replies: false };
        }
        const { retryAfterMs = 0 } = error;
        if (
          error.kind === "unreachable" || (error.kind === "limited" && retryAfterMs <= LONGEST_MS)
        ) {
          // An outage passes, and the thread is for good.
          if (retryAfterMs >= TOLD_MS) await onWait(retryAfterMs);
          await parts.clock.sleep(Math.max(retryAfterMs, patience(tries, parts.random)), signal);
          continue;
        }
        parts.log("warn", "Cannot make a thread: the answer goes into the channel", {
          channel: place.channelId,
          error: error.message,
        });
        return { channelId: place.channelId, replies: true };
      }
    }
  }

  return async (conversation: Conversation, signal: AbortSignal): Promise<Where> => {
    const { place } = conversation;
    if (place.threadId !== undefined) return { channelId: place.threadId, replies: false };
    if (place.isDirect) return { channelId: place.channelId, replies: false };
    let takeBack: (() => Promise<void>) | undefined;
    const where = await settle(conversation, signal, async (ms) => {
      takeBack ??= await tell(conversation, ms, signal);
    });
    await takeBack?.();
    return where;
  };
}
