import type { ChatState, Conversation } from "./chat-state.ts";
import { isOver, type Turn } from "./turn.ts";

/**
 * The conversation that is held in a thread, in direct messages, or, where no threads can be made,
 * by replies in a channel: of several there the one that was spoken in last.
 */
export function conversationAt(
  { conversations }: Pick<ChatState, "conversations">,
  channelId: string,
): Conversation | undefined {
  const own = conversations.get(channelId);
  if (own !== undefined) return own;
  return [...conversations.values()].filter(({ where }) => where?.channelId === channelId)
    .sort(byTime)[0];
}

/** Those of a channel and its threads; the last spoken in first. */
export function conversationsIn(
  { conversations }: Pick<ChatState, "conversations">,
  channelId: string,
): readonly Conversation[] {
  return [...conversations.values()]
    .filter(({ place }) => place.channelId === channelId)
    .sort(byTime);
}

/** Where people find it. */
export function channelOf({ where, place, id }: Conversation): string {
  return where?.channelId ?? place.threadId ?? (place.isDirect ? place.channelId : id);
}

/** In a few words, no capital. */
export function phaseOf(one: Conversation, turns: readonly Turn[], hasAgent: boolean): string {
  const running = turns.find((turn) => turn.conversation === one.id && !isOver(turn.state));
  const waiting = one.waiting.length === 0 ? "" : `, ${one.waiting.length} waiting`;
  if (running !== undefined) return phaseWord(running) + waiting;
  if (waiting !== "") return waiting.slice(2);
  if (one.closed === "reset") return "forgotten";
  return hasAgent ? "idle" : "asleep";
}

function phaseWord({ state }: Turn): string {
  switch (state.kind) {
    case "queued":
      return "waits for an agent";
    case "asking":
      return "waits for a permission";
    default:
      return state.kind;
  }
}

function byTime(a: Conversation, b: Conversation): number {
  return b.lastAt - a.lastAt;
}
