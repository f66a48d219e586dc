import type { Arrival, Place } from "../chat/arrival.ts";
import type { Message } from "./message.ts";

/** Messages and replies of people; others are Discord's own words. */
const SPOKEN_TYPES = [0, 19];

/** A message of Discord as the broker takes it. It does not say what people call a role. */
export function arrivalOf(message: Message, place: Place): Arrival {
  const { author, member, mentions, mentioned = [], replyTo, extras = [] } = message;
  const nameOf = (id: string) => mentioned.find((one) => one.id === id)?.name ?? `user ${id}`;
  return {
    id: message.id,
    at: message.at,
    editedAt: message.editedAt,
    place: { ...place, guildId: place.guildId ?? message.guildId },
    author: {
      id: author.id,
      name: author.name,
      displayName: member?.name ?? author.name,
      isBot: author.bot || author.webhook,
      roles: member?.roles ?? [],
    },
    content: message.content,
    mentions: {
      users: mentions.users.map((id) => ({ id, name: nameOf(id) })),
      roles: mentions.roles.map((id) => ({ id, name: `role ${id}` })),
      everyone: mentions.everyone,
    },
    quoted: replyTo === undefined ? undefined : {
      id: replyTo.messageId,
      author: replyTo.authorId === undefined
        ? undefined
        : { id: replyTo.authorId, name: replyTo.said?.author ?? nameOf(replyTo.authorId) },
      text: replyTo.said?.text ?? "",
    },
    attachments: message.attachments.map(({ id, name, url, bytes, contentType }) => ({
      id,
      name,
      url,
      bytes,
      contentType,
    })),
    extras,
    kind: SPOKEN_TYPES.includes(message.type) ? "spoken" : "system",
  };
}
