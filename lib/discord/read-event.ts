import type { GatewayEvent } from "./gateway-event.ts";
import { idOf, idsOf, type Raw, rawOf, rawsOf } from "./raw-json.ts";
import { readChannel } from "./read-channel.ts";
import { readInteraction } from "./read-interaction.ts";
import { nameOf, readMessage } from "./read-message.ts";

type Ready = Extract<GatewayEvent, { type: "ready" }>;

/**
 * What an event of the gateway says, as far as anything in herd listens; often nothing. Undefined
 * where an event that herd knows is not readable.
 */
export function readEvent(name: string, data: unknown): readonly GatewayEvent[] | undefined {
  const raw = rawOf(data);
  switch (name) {
    case "READY":
      return one(readReady(data));
    case "RESUMED":
      return [{ type: "resumed" }];
    case "MESSAGE_CREATE":
      return one(messageEvent("message", raw));
    case "MESSAGE_UPDATE":
      // Without an author it tells of an embed that Discord has made of a link.
      return raw["author"] === undefined ? [] : one(messageEvent("message-edited", raw));
    case "MESSAGE_DELETE":
      return deleted([idOf(raw["id"])], raw);
    case "MESSAGE_DELETE_BULK":
      return deleted(idsOf(raw["ids"]), raw);
    case "INTERACTION_CREATE":
      return readInteraction(raw);
    case "CHANNEL_CREATE":
    case "CHANNEL_UPDATE":
    case "CHANNEL_DELETE":
    case "THREAD_CREATE":
    case "THREAD_UPDATE":
    case "THREAD_DELETE":
      return channelEvents(name, raw);
    case "GUILD_CREATE":
    case "GUILD_DELETE":
      return guildEvent(name, raw);
    case "GUILD_UPDATE":
      return permissionsChanged(idOf(raw["id"]));
    case "GUILD_MEMBER_UPDATE":
    case "GUILD_ROLE_CREATE":
    case "GUILD_ROLE_UPDATE":
    case "GUILD_ROLE_DELETE":
      return permissionsChanged(idOf(raw["guild_id"]));
    default:
      return [];
  }
}

/** Who the bot is, and in which servers. */
export function readReady(data: unknown): Ready | undefined {
  const raw = rawOf(data);
  const user = rawOf(raw["user"]);
  const id = idOf(user["id"]);
  if (id === undefined) return undefined;
  return {
    type: "ready",
    me: { id, name: nameOf(user) },
    // The application of an older bot has an id of its own; of a newer one, the same.
    applicationId: idOf(rawOf(raw["application"])["id"]) ?? id,
    guilds: rawsOf(raw["guilds"]).flatMap((guild) => idOf(guild["id"]) ?? []),
  };
}

function one(event: GatewayEvent | undefined): readonly GatewayEvent[] | undefined {
  return event === undefined ? undefined : [event];
}

function messageEvent(type: "message" | "message-edited", raw: Raw): GatewayEvent | undefined {
  const message = readMessage(raw);
  return message && { type, message };
}

function deleted(
  ids: readonly (string | undefined)[],
  raw: Raw,
): readonly GatewayEvent[] | undefined {
  const channelId = idOf(raw["channel_id"]);
  if (channelId === undefined) return undefined;
  return ids.flatMap((id) => id === undefined ? [] : [{ type: "message-deleted", id, channelId }]);
}

function channelEvents(name: string, raw: Raw): readonly GatewayEvent[] | undefined {
  if (name.endsWith("_DELETE")) {
    const [id, guildId] = [idOf(raw["id"]), idOf(raw["guild_id"])];
    if (id === undefined || guildId === undefined) return undefined;
    return [{ type: "channel-deleted", id, guildId }];
  }
  const channel = readChannel(raw);
  if (channel === undefined) return undefined;
  if (name.startsWith("THREAD_")) return [{ type: "thread-changed", thread: channel }];
  // Overwrites come with the channel.
  return [{ type: "channel-changed", channel }, ...(permissionsChanged(channel.guildId) ?? [])];
}

function guildEvent(name: string, raw: Raw): readonly GatewayEvent[] | undefined {
  const id = idOf(raw["id"]);
  if (id === undefined) return undefined;
  if (name === "GUILD_DELETE") {
    return [{ type: "guild-gone", id, lost: raw["unavailable"] !== true }];
  }
  return raw["unavailable"] === true
    ? [{ type: "guild-gone", id, lost: false }]
    : [{ type: "guild-here", id }];
}

function permissionsChanged(guildId: string | undefined): readonly GatewayEvent[] | undefined {
  return guildId === undefined ? undefined : [{ type: "permissions-changed", guildId }];
}
