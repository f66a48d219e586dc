import type { Arrival } from "../chat/arrival.ts";
import type { Broker, Told } from "../chat/broker.ts";
import type { BotRules } from "../chat/broker-config.ts";
import type { ChatState, Conversation } from "../chat/chat-state.ts";
import { conversationAt } from "../chat/conversation-list.ts";
import { isHeard } from "../chat/gate.ts";
import { isOver } from "../chat/turn.ts";
import { orderIn, type OrderWords } from "../chat/word-order.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { ruleText } from "./safe-text.ts";

export interface BrokerOrdersParts {
  broker: Pick<Broker, "cancel" | "reset" | "heed" | "turns">;
  /** The conversation begins anew: what was allowed is not any more. */
  forget(conversation: string): void;
  state(): ChatState;
  rules(): BotRules;
  words(): OrderWords;
  rest: Pick<DiscordRest, "send">;
  mark(): string;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/**
 * Words such as "stop", alone in a message of somebody who may talk, while a turn runs: they do what
 * the command does, whether the bot is mentioned or not, and the answer says what that was.
 */
export function createBrokerOrders(parts: BrokerOrdersParts) {
  const { broker } = parts;

  async function carryOut(
    order: "stop" | "reset",
    arrival: Arrival,
    one: Conversation,
  ): Promise<void> {
    const by = `discord:${arrival.author.id}`;
    const told: Told = order === "stop"
      ? broker.cancel(one.id, by)
      : await broker.reset(one.id, by);
    if (order === "reset" && told.done) parts.forget(one.id);
    parts.audit("broker-word", {
      by,
      name: arrival.author.displayName,
      order,
      conversation: one.id,
      done: told.done,
    });
    await say(arrival, told.done ? said(order, one.waiting.length) : `${ruleText(told.reason)}.`);
  }

  async function say({ place, id }: Arrival, content: string): Promise<void> {
    await parts.rest.send(place.threadId ?? place.channelId, {
      content,
      replyTo: id,
      nonce: nonceOf(parts.mark(), `order ${id}`, 0),
    });
  }

  return (arrival: Arrival, me: Id): boolean => {
    const { threadId, channelId, isDirect } = arrival.place;
    const rules = parts.rules();
    if (threadId === undefined && !isDirect) return false;
    const order = orderIn(arrival, parts.words(), me, rules.triggerRoles);
    if (order === undefined || !isHeard(arrival, rules)) return false;
    const one = conversationAt(parts.state(), threadId ?? channelId);
    const runs = one !== undefined &&
      broker.turns().some(({ conversation, state }) => conversation === one.id && !isOver(state));
    if (one === undefined || !runs) return parts.state().heard.has(arrival.id);
    // Told twice, or read again after a restart: it was meant for the turn that ran then.
    if (!broker.heed(one.id, arrival.id, `discord:${arrival.author.id}`)) return true;
    void carryOut(order, arrival, one).catch((error: unknown) =>
      parts.log(error instanceof DiscordError ? "info" : "warn", "Cannot answer an order", {
        order,
        error: `${error}`,
      })
    );
    return true;
  };
}

function said(order: "stop" | "reset", waiting: number): string {
  if (order === "reset") return "🧹 The agent has forgotten this conversation, and begins anew.";
  const next = waiting === 0
    ? ""
    : ` ${
      waiting === 1 ? "One message that waits is" : `${waiting} messages that wait are`
    } next; ` +
      "`/cancel-all` drops what waits.";
  return `🛑 The agent's turn in this conversation is ended; no job is touched.${next}`;
}
