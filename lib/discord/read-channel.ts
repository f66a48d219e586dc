import { bitsOf, idOf, idsOf, numberOf, type Raw, rawOf, rawsOf, textOf } from "./raw-json.ts";
import { nameOf } from "./read-message.ts";
import type { Channel, Guild, GuildMember } from "./rest.ts";

/** A channel or a thread; undefined without an id. */
export function readChannel(value: unknown): Channel | undefined {
  const raw = rawOf(value);
  const id = idOf(raw["id"]);
  if (id === undefined) return undefined;
  const ownerId = idOf(raw["owner_id"]);
  const lastMessageId = idOf(raw["last_message_id"]);
  return {
    id,
    ...(ownerId === undefined ? {} : { ownerId }),
    ...(lastMessageId === undefined ? {} : { lastMessageId }),
    guildId: idOf(raw["guild_id"]),
    type: numberOf(raw["type"]) ?? 0,
    name: textOf(raw["name"]) ?? "",
    topic: textOf(raw["topic"]) ?? "",
    parentId: idOf(raw["parent_id"]),
    overwrites: rawsOf(raw["permission_overwrites"]).flatMap(readOverwrite),
    archived: rawOf(raw["thread_metadata"])["archived"] === true,
  };
}

export function readChannels(value: unknown): readonly Channel[] {
  return rawsOf(value).flatMap((one) => readChannel(one) ?? []);
}

/** A server; undefined without an id. */
export function readGuild(value: unknown): Guild | undefined {
  const raw = rawOf(value);
  const id = idOf(raw["id"]);
  if (id === undefined) return undefined;
  return {
    id,
    name: textOf(raw["name"]) ?? "",
    ownerId: idOf(raw["owner_id"]) ?? "",
    roles: rawsOf(raw["roles"]).flatMap(readRole),
  };
}

/** Somebody of a server; undefined when nobody is named. */
export function readGuildMember(value: unknown): GuildMember | undefined {
  const raw = rawOf(value);
  const user = rawOf(raw["user"]);
  const userId = idOf(user["id"]);
  if (userId === undefined) return undefined;
  return {
    userId,
    name: nameOf(user, raw),
    bot: user["bot"] === true,
    roles: idsOf(raw["roles"]),
  };
}

function readRole(raw: Raw): Guild["roles"] {
  const id = idOf(raw["id"]);
  if (id === undefined) return [];
  return [{
    id,
    name: textOf(raw["name"]) ?? "",
    permissions: bitsOf(raw["permissions"]) ?? 0n,
    managed: raw["managed"] === true,
  }];
}

function readOverwrite(raw: Raw): Channel["overwrites"] {
  const id = idOf(raw["id"]);
  const kind = raw["type"] === 0 ? "role" : raw["type"] === 1 ? "member" : undefined;
  if (id === undefined || kind === undefined) return [];
  return [{ id, kind, allow: bitsOf(raw["allow"]) ?? 0n, deny: bitsOf(raw["deny"]) ?? 0n }];
}
