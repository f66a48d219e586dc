import type { Author, Member, Message } from "./message.ts";
import {
  bitsOf,
  idOf,
  idsOf,
  numberOf,
  type Raw,
  rawOf,
  rawsOf,
  textOf,
  timeOf,
  wordsOf,
} from "./raw-json.ts";
import { timeOfId } from "./snowflake.ts";

/** Type of a reference that quotes another message elsewhere; only 0 is an answer. */
const FORWARD = 1;

/** A message of REST or the gateway; undefined when it has no id, no channel or no author. */
export function readMessage(value: unknown): Message | undefined {
  const raw = rawOf(value);
  const id = idOf(raw["id"]);
  const channelId = idOf(raw["channel_id"]);
  const author = readAuthor(raw);
  if (id === undefined || channelId === undefined || author === undefined) return undefined;
  const flat = raw["member"] === undefined ? undefined : rawOf(raw["member"]);
  return {
    id,
    channelId,
    guildId: idOf(raw["guild_id"]),
    author,
    member: flat && {
      userId: author.id,
      name: author.name,
      roles: idsOf(flat["roles"]),
      permissions: bitsOf(flat["permissions"]),
    },
    content: textOf(raw["content"]) ?? "",
    mentions: {
      users: rawsOf(raw["mentions"]).flatMap((one) => idOf(one["id"]) ?? []),
      roles: idsOf(raw["mention_roles"]),
      everyone: raw["mention_everyone"] === true,
    },
    replyTo: readReply(raw),
    at: timeOf(raw["timestamp"]) ?? timeOfId(id),
    editedAt: timeOf(raw["edited_timestamp"]),
    pinned: raw["pinned"] === true,
    nonce: raw["nonce"] === undefined || raw["nonce"] === null ? undefined : String(raw["nonce"]),
    type: numberOf(raw["type"]) ?? 0,
    attachments: rawsOf(raw["attachments"]).flatMap(readAttachment),
    title: textOf(rawsOf(raw["embeds"])[0]?.["title"]),
    ...readMore(raw),
  };
}

/** What a list holds of messages; odd entries are left out. */
export function readMessages(value: unknown): readonly Message[] {
  return rawsOf(value).flatMap((one) => readMessage(one) ?? []);
}

/** Who did something, of an interaction: a member of a server, or a user in a private channel. */
export function readMember(member: unknown, user?: unknown): Member | undefined {
  const raw = rawOf(member);
  const person = rawOf(raw["user"] ?? user);
  const userId = idOf(person["id"]);
  if (userId === undefined) return undefined;
  return {
    userId,
    name: nameOf(person, raw),
    roles: idsOf(raw["roles"]),
    permissions: bitsOf(raw["permissions"]),
  };
}

/** As people call them: nickname on the server, display name, user name. */
export function nameOf(user: Raw, member: Raw = {}): string {
  return wordsOf(member["nick"]) ?? wordsOf(user["global_name"]) ?? wordsOf(user["username"]) ??
    `user ${idOf(user["id"]) ?? "without a name"}`;
}

function readAuthor(message: Raw): Author | undefined {
  const user = rawOf(message["author"]);
  const id = idOf(user["id"]);
  if (id === undefined) return undefined;
  return {
    id,
    name: nameOf(user, rawOf(message["member"])),
    bot: user["bot"] === true,
    // An answer to an interaction bears a webhook_id, too, but its author is the application itself.
    webhook: message["webhook_id"] !== undefined && message["webhook_id"] !== null &&
      message["application_id"] === undefined,
  };
}

function readReply(message: Raw): Message["replyTo"] {
  const reference = rawOf(message["message_reference"]);
  const messageId = idOf(reference["message_id"]);
  if (messageId === undefined || reference["type"] === FORWARD || message["type"] !== 19) {
    return undefined;
  }
  const answered = rawOf(message["referenced_message"]);
  const author = rawOf(answered["author"]);
  const text = textOf(answered["content"]) ?? "";
  return {
    messageId,
    authorId: idOf(author["id"]),
    ...(text === "" ? {} : { said: { author: nameOf(author), text } }),
  };
}

/** Kept as little as there is: most messages have none of it. */
function readMore(raw: Raw): Pick<Message, "mentioned" | "extras" | "reactions"> {
  const mentioned = rawsOf(raw["mentions"]).flatMap((user) => {
    const id = idOf(user["id"]);
    return id === undefined ? [] : [{ id, name: nameOf(user, rawOf(user["member"])) }];
  });
  const extras = [
    ...rawsOf(raw["embeds"]).flatMap((embed) =>
      extra("embed", [
        textOf(embed["title"]),
        textOf(embed["description"]),
        textOf(embed["url"]),
      ])
    ),
    ...rawsOf(raw["sticker_items"]).flatMap((one) => extra("sticker", [textOf(one["name"])])),
    ...rawsOf(raw["message_snapshots"]).flatMap((one) =>
      extra("forward", [textOf(rawOf(one["message"])["content"])])
    ),
  ];
  const reactions = rawsOf(raw["reactions"]).flatMap((one) =>
    one["me"] === true ? textOf(rawOf(one["emoji"])["name"]) ?? [] : []
  );
  return {
    ...(mentioned.length === 0 ? {} : { mentioned }),
    ...(extras.length === 0 ? {} : { extras }),
    ...(reactions.length === 0 ? {} : { reactions }),
  };
}

function extra(
  kind: "embed" | "sticker" | "forward",
  texts: readonly (string | undefined)[],
): NonNullable<Message["extras"]> {
  const text = texts.filter((one) => one !== undefined && one.trim() !== "").join("\n");
  return text === "" ? [] : [{ kind, text }];
}

function readAttachment(raw: Raw): Message["attachments"] {
  const id = idOf(raw["id"]);
  const url = textOf(raw["url"]);
  if (id === undefined || url === undefined) return [];
  return [{
    id,
    url,
    name: textOf(raw["filename"]) ?? "",
    bytes: numberOf(raw["size"]) ?? 0,
    contentType: textOf(raw["content_type"]) ?? "application/octet-stream",
  }];
}
