import type { Ask, Tell } from "./ask.ts";
import type { Id } from "./message.ts";
import { idOf, numberOf, rawOf, rawsOf, textOf, wordsOf } from "./raw-json.ts";
import { readChannel, readChannels, readGuild, readGuildMember } from "./read-channel.ts";
import { nameOf } from "./read-message.ts";
import type { DiscordRest } from "./rest.ts";
import { route } from "./route.ts";
import { writeCommand } from "./write-command.ts";

type GuildCalls = Pick<
  DiscordRest,
  | "me"
  | "application"
  | "gateway"
  | "guilds"
  | "guild"
  | "member"
  | "channels"
  | "channel"
  | "activeThreads"
  | "openDirect"
  | "createChannel"
  | "editChannel"
  | "startThread"
  | "putCommands"
  | "putDirectCommands"
>;

/** Set for an application that may read messages: by Discord's grant, or by the switch alone. */
const MESSAGE_CONTENT = 1 << 18;
const MESSAGE_CONTENT_LIMITED = 1 << 19;

const TEXT_CHANNEL = 0;
const PUBLIC_THREAD = 11;
const GUILDS_PER_PAGE = 200;

/** What herd asks about the bot, servers and channels. */
export function guildCalls(ask: Ask, tell: Tell): GuildCalls {
  const get = <T>(
    path: string,
    action: string,
    read: (answer: unknown) => T | undefined,
    signal?: AbortSignal,
  ) => ask({ method: "GET", route: path, action, harmless: true, signal }, read);

  return {
    me: (signal) => get("/users/@me", "ask who the bot is", readUser, signal),
    application: (signal) =>
      get("/applications/@me", "ask about the application", readApplication, signal),
    gateway: (signal) => get("/gateway/bot", "ask for the gateway", readGateway, signal),
    async guilds(signal) {
      const all: { id: Id; name: string }[] = [];
      for (let after = "0";;) {
        const path = route`/users/@me/guilds?limit=${String(GUILDS_PER_PAGE)}&after=${after}`;
        const page = await get(path, "list the bot's servers", readNames, signal);
        all.push(...page);
        const last = page.at(-1);
        if (page.length < GUILDS_PER_PAGE || last === undefined || last.id === after) return all;
        after = last.id;
      }
    },
    guild: (id, signal) => get(route`/guilds/${id}`, `look up server "${id}"`, readGuild, signal),
    member: (guild, user, signal) =>
      get(
        route`/guilds/${guild}/members/${user}`,
        `look up member "${user}" of server "${guild}"`,
        readGuildMember,
        signal,
      ),
    channels: (guild, signal) =>
      get(
        route`/guilds/${guild}/channels`,
        `list the channels of server "${guild}"`,
        readChannels,
        signal,
      ),
    channel: (id, signal) =>
      get(route`/channels/${id}`, `look up channel "${id}"`, readChannel, signal),
    activeThreads: (guild, signal) =>
      get(
        route`/guilds/${guild}/threads/active`,
        `list the active threads of server "${guild}"`,
        (answer) => readChannels(rawOf(answer)["threads"]),
        signal,
      ),
    openDirect: (user, signal) =>
      ask({
        method: "POST",
        route: "/users/@me/channels",
        action: `open a direct message with "${user}"`,
        written: { body: { recipient_id: user }, files: [] },
        harmless: true,
        signal,
      }, (answer) => idOf(rawOf(answer)["id"])),
    createChannel: (guild, { name, topic, parentId, overwrites }, signal) =>
      ask({
        method: "POST",
        route: route`/guilds/${guild}/channels`,
        action: `create channel "${name}" in server "${guild}"`,
        written: {
          body: {
            name,
            topic,
            type: TEXT_CHANNEL,
            ...(parentId === undefined ? {} : { parent_id: parentId }),
            ...(overwrites === undefined ? {} : {
              permission_overwrites: overwrites.map(({ id, kind, allow, deny }) => ({
                id,
                type: kind === "role" ? 0 : 1,
                // Discord's description wants numbers here; every bit is below 2^53.
                allow: Number(allow),
                deny: Number(deny),
              })),
            }),
          },
          files: [],
        },
        harmless: false,
        signal,
      }, readChannel),
    editChannel: (id, change, signal) =>
      ask({
        method: "PATCH",
        route: route`/channels/${id}`,
        action: `change channel "${id}"`,
        written: { body: { ...change }, files: [] },
        harmless: true,
        signal,
      }, readChannel),
    startThread: (channel, { name, from, archiveMinutes }, signal) =>
      ask({
        method: "POST",
        route: from === undefined
          ? route`/channels/${channel}/threads`
          : route`/channels/${channel}/messages/${from}/threads`,
        action: `start a thread in channel "${channel}"`,
        written: {
          body: {
            name,
            auto_archive_duration: archiveMinutes,
            ...(from === undefined ? { type: PUBLIC_THREAD } : {}),
          },
          files: [],
        },
        harmless: false,
        signal,
      }, readChannel),
    putCommands: (application, guild, commands, signal) =>
      tell({
        method: "PUT",
        route: route`/applications/${application}/guilds/${guild}/commands`,
        action: `set the slash commands of server "${guild}"`,
        written: { body: commands.map(writeCommand), files: [] },
        harmless: true,
        signal,
      }),
    putDirectCommands: (application, commands, signal) =>
      tell({
        method: "PUT",
        route: route`/applications/${application}/commands`,
        action: "set the slash commands of direct messages",
        written: { body: commands.map(writeCommand), files: [] },
        harmless: true,
        signal,
      }),
  };
}

function readUser(value: unknown): { id: Id; name: string } | undefined {
  const raw = rawOf(value);
  const id = idOf(raw["id"]);
  return id === undefined ? undefined : { id, name: nameOf(raw) };
}

function readApplication(
  value: unknown,
): { id: Id; name: string; messageContent: boolean } | undefined {
  const raw = rawOf(value);
  const id = idOf(raw["id"]);
  if (id === undefined) return undefined;
  const flags = numberOf(raw["flags"]) ?? 0;
  return {
    id,
    name: wordsOf(raw["name"]) ?? "the bot",
    messageContent: (flags & (MESSAGE_CONTENT | MESSAGE_CONTENT_LIMITED)) !== 0,
  };
}

function readGateway(
  value: unknown,
): { url: string; remaining: number; resetAfterMs: number } | undefined {
  const raw = rawOf(value);
  const url = textOf(raw["url"]);
  const starts = rawOf(raw["session_start_limit"]);
  if (url === undefined || !/^wss?:\/\//.test(url) || !URL.canParse(url)) return undefined;
  return {
    url,
    remaining: numberOf(starts["remaining"]) ?? 1,
    resetAfterMs: numberOf(starts["reset_after"]) ?? 0,
  };
}

function readNames(value: unknown): readonly { id: Id; name: string }[] {
  return rawsOf(value).flatMap((one) => {
    const id = idOf(one["id"]);
    return id === undefined ? [] : [{ id, name: textOf(one["name"]) ?? "" }];
  });
}
