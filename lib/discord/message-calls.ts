import type { Ask, Tell } from "./ask.ts";
import type { Message } from "./message.ts";
import { rawOf, rawsOf, textOf } from "./raw-json.ts";
import { readMessage, readMessages } from "./read-message.ts";
import type { DiscordRest } from "./rest.ts";
import { route } from "./route.ts";
import { writeMessage } from "./write-message.ts";

type MessageCalls = Pick<
  DiscordRest,
  | "message"
  | "messages"
  | "send"
  | "edit"
  | "remove"
  | "pins"
  | "pin"
  | "unpin"
  | "react"
  | "unreact"
  | "typing"
>;

const UNKNOWN_MESSAGE = 10008;
const MOST_MESSAGES = 100;
/** Pins come in pages of 50; a channel holds 250 at most. */
const MOST_PIN_PAGES = 6;

/** What herd does with the messages of a channel. */
export function messageCalls(ask: Ask, tell: Tell): MessageCalls {
  return {
    message: (channel, id, signal) =>
      ask({
        method: "GET",
        route: route`/channels/${channel}/messages/${id}`,
        action: `read message "${id}" of channel "${channel}"`,
        harmless: true,
        signal,
      }, readMessage),
    messages: async (channel, { after, before, limit = MOST_MESSAGES }, signal) => {
      const query = new URLSearchParams({ limit: String(Math.min(limit, MOST_MESSAGES)) });
      if (after !== undefined) query.set("after", after);
      if (before !== undefined) query.set("before", before);
      const found = await ask({
        method: "GET",
        route: `${route`/channels/${channel}/messages`}?${query}`,
        action: `read the messages of channel "${channel}"`,
        harmless: true,
        signal,
      }, readMessages);
      return [...found].sort(older);
    },
    send: (channel, message, signal) =>
      ask({
        method: "POST",
        route: route`/channels/${channel}/messages`,
        action: `send to channel "${channel}"`,
        written: writeMessage(message, "post"),
        // With its nonce, Discord answers a second time with the first message.
        harmless: message.nonce !== undefined,
        signal,
      }, readMessage),
    edit: (channel, id, message, signal) =>
      ask({
        method: "PATCH",
        route: route`/channels/${channel}/messages/${id}`,
        action: `edit message "${id}" of channel "${channel}"`,
        written: writeMessage(message, "edit"),
        harmless: true,
        signal,
      }, readMessage),
    remove: (channel, id, signal) =>
      tell({
        method: "DELETE",
        route: route`/channels/${channel}/messages/${id}`,
        action: `delete message "${id}" of channel "${channel}"`,
        harmless: true,
        doneBefore: [UNKNOWN_MESSAGE],
        signal,
      }),
    async pins(channel, signal) {
      const found: Message[] = [];
      let before = "";
      for (let page = 0; page < MOST_PIN_PAGES; page++) {
        const raw = await ask({
          method: "GET",
          route: `${route`/channels/${channel}/messages/pins`}?limit=50${before}`,
          action: `read the pins of channel "${channel}"`,
          harmless: true,
          signal,
        }, rawOf);
        const items = rawsOf(raw["items"]);
        found.push(...items.flatMap((item) => readMessage(item["message"]) ?? []));
        const last = textOf(items.at(-1)?.["pinned_at"]);
        if (raw["has_more"] !== true || last === undefined) break;
        before = `&before=${encodeURIComponent(last)}`;
      }
      return found;
    },
    pin: (channel, id, signal) =>
      tell({
        method: "PUT",
        route: route`/channels/${channel}/messages/pins/${id}`,
        action: `pin message "${id}" of channel "${channel}"`,
        harmless: true,
        signal,
      }),
    unpin: (channel, id, signal) =>
      tell({
        method: "DELETE",
        route: route`/channels/${channel}/messages/pins/${id}`,
        action: `unpin message "${id}" of channel "${channel}"`,
        harmless: true,
        signal,
      }),
    react: (channel, id, emoji, signal) =>
      tell({
        method: "PUT",
        route: route`/channels/${channel}/messages/${id}/reactions/${emoji}/@me`,
        action: `react to message "${id}" of channel "${channel}"`,
        harmless: true,
        signal,
      }),
    unreact: (channel, id, emoji, signal) =>
      tell({
        method: "DELETE",
        route: route`/channels/${channel}/messages/${id}/reactions/${emoji}/@me`,
        action: `take back a reaction to message "${id}" of channel "${channel}"`,
        harmless: true,
        signal,
      }),
    typing: (channel, signal) =>
      tell({
        method: "POST",
        route: route`/channels/${channel}/typing`,
        action: `show typing in channel "${channel}"`,
        // Seconds later it says nothing any more.
        harmless: false,
        signal,
      }),
  };
}

function older(a: Message, b: Message): number {
  const [one, other] = [BigInt(a.id), BigInt(b.id)];
  return one < other ? -1 : one > other ? 1 : 0;
}
