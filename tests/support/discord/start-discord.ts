import { startGateway } from "./gateway.ts";
import type { FakeGateway } from "./gateway.ts";
import { INTENTS } from "./gateway.ts";
import { openApiCheck } from "./openapi-check.ts";
import { createRoutes } from "./routes.ts";
import type { Asked } from "./routes.ts";
import { startRestServer } from "./server.ts";
import type { Call, Fault } from "./server.ts";
import {
  BITS,
  channelJson,
  createIds,
  guildJson,
  messageJson,
  permissionsOf,
  userJson,
} from "./world.ts";
import type { FakeChannel, FakeMessage, Guild, Permission, Person } from "./world.ts";

/** What a person got for a slash command or a click. */
export interface Answer {
  /** Milliseconds until the first answer. */
  ms: number;
  /** As it stands now: an edit changes it. */
  message(): FakeMessage | undefined;
  ephemeral: boolean;
  deferred: boolean;
}

export interface FakeDiscord extends AsyncDisposable {
  /** For DISCORD_API_URL. */
  url: string;
  token: string;
  guild: Guild;
  bot: Person;
  gateway: FakeGateway;
  channels: Map<string, FakeChannel>;
  commands: Map<string, unknown[]>;
  /** How often each route was called: `POST /channels/:id/messages`. */
  calls: { method: string; path: string; status: number; ms: number; at: number }[];
  /** Requests that break Discord's published description. */
  violations: string[];
  /** Bodies that were checked against it; 0 where the file is not there. */
  checked(): number;
  /** Asked before each call. */
  fault: (call: Call) => Fault | undefined;
  /** How much faster than Discord's the rate limits are; Infinity: none. */
  haste: number;
  person(
    name: string,
    more?: { manages?: boolean; bot?: boolean; webhook?: boolean; roles?: string[] },
  ): Person;
  /** Takes a permission from the bot, or gives it. */
  permit(permission: Permission, allowed: boolean): void;
  revokeToken(): void;
  messageContent(allowed: boolean): void;
  messages(channel: FakeChannel | string): FakeMessage[];
  channel(name: string): FakeChannel | undefined;
  makeChannel(name: string, topic?: string): FakeChannel;
  deleteChannel(channel: FakeChannel): void;
  deleteMessage(message: FakeMessage): void;
  say(by: Person, channel: FakeChannel, content: string, more?: { replyTo?: string }): FakeMessage;
  slash(
    by: Person,
    channel: FakeChannel,
    name: string,
    options?: Record<string, string | number>,
  ): Promise<Answer>;
  complete(
    by: Person,
    channel: FakeChannel,
    name: string,
    focused: { name: string; value: string },
  ): Promise<{ name: string; value: string | number }[]>;
  click(by: Person, message: FakeMessage, label: string): Promise<Answer>;
  until(what: string, holds: () => boolean, ms?: number): Promise<void>;
  /** The channel as people read it. */
  transcript(channel: FakeChannel): string;
}

const OWNER = "1";

/** A Discord on 127.0.0.1 with one server, one bot, and whoever the test invents. */
export async function startDiscord(
  { heartbeatMs = 20_000 }: { heartbeatMs?: number } = {},
): Promise<FakeDiscord> {
  const newId = createIds();
  const guildId = newId();
  const bot: Person = { id: newId(), name: "HerdDog", bot: true, webhook: false, roles: [] };
  const token = `${btoa(bot.id)}.fake.token-of-the-loopback-discord`;
  const everyone = BITS.VIEW_CHANNEL | BITS.SEND_MESSAGES | BITS.READ_MESSAGE_HISTORY |
    BITS.ADD_REACTIONS | BITS.EMBED_LINKS | BITS.ATTACH_FILES | BITS.SEND_MESSAGES_IN_THREADS |
    BITS.CREATE_PUBLIC_THREADS;
  const guild: Guild = {
    id: guildId,
    name: "lab",
    ownerId: OWNER,
    roles: new Map([[guildId, { id: guildId, name: "@everyone", permissions: everyone }]]),
    members: new Map([[bot.id, bot]]),
  };
  const own = newId();
  guild.roles.set(own, {
    id: own,
    name: "herd",
    permissions: BITS.MANAGE_CHANNELS | BITS.PIN_MESSAGES,
  });
  bot.roles.push(own);
  const channels = new Map<string, FakeChannel>();
  const messages: FakeMessage[] = [];
  const commands = new Map<string, unknown[]>();
  const asked = new Map<string, Asked>();
  const openapi = openApiCheck();
  const watchers = new Set<() => void>();
  let good = true;
  /** What roles had before it was taken. */
  const taken = new Set<string>();
  let content = true;

  const gateway = await startGateway({
    isToken: (one) => good && one === token,
    allowed: () => content ? ~0 : ~INTENTS.MESSAGE_CONTENT,
    heartbeatMs,
    ready: () => ({
      user: userJson(bot),
      application: { id: bot.id, flags: 0 },
      guilds: guild.members.has(bot.id) ? [{ id: guildId, unavailable: true }] : [],
      later: guild.members.has(bot.id)
        ? [["GUILD_CREATE", {
          ...guildJson(guild),
          channels: [...channels.values()].filter(({ type }) => type === 0).map(channelJson),
          members: [],
          threads: [],
        }]]
        : [],
    }),
  });

  const find = (id: string) => messages.find((one) => one.id === id);

  /** As the session may see it: without MESSAGE CONTENT, foreign words are gone. */
  function told(message: FakeMessage, name: "MESSAGE_CREATE" | "MESSAGE_UPDATE"): void {
    gateway.dispatch(name, (intents) => {
      if ((intents & INTENTS.GUILD_MESSAGES) === 0) return undefined;
      const json = messageJson(message, guild, find, { member: true });
      const sees = (intents & INTENTS.MESSAGE_CONTENT) !== 0 || message.author.id === bot.id ||
        message.content.includes(`<@${bot.id}>`);
      return sees ? json : { ...json, content: "", embeds: [], attachments: [], components: [] };
    });
    changed();
  }

  function changed(): void {
    for (const tell of watchers) tell();
  }

  const answer = createRoutes({
    guild,
    bot,
    isToken: (one) => good && one === token,
    flags: () => content ? 1 << 19 : 0,
    gatewayUrl: gateway.url,
    newId,
    channels,
    messages,
    commands,
    asked,
    tell: (name, data) => gateway.dispatch(name, () => data),
    told,
    changed,
  });
  const buckets = new Map<string, number[]>();

  function limit({ method, path }: Call): { wait: number; headers: Record<string, string> } {
    const [most, seconds] = /\/reactions\//.test(path) ? [1, 0.25] : [5, 5];
    const isLimited = /^\/channels\/\d+\/messages/.test(path) && method !== "GET";
    if (!isLimited || discord.haste === Infinity) return { wait: 0, headers: {} };
    const bucket = `${method} ${path.replace(/\/messages\/\d+.*/, "/messages/:id")}`;
    const window = (seconds * 1000) / discord.haste;
    const now = Date.now();
    const used = (buckets.get(bucket) ?? []).filter((at) => at > now - window);
    const wait = used.length < most ? 0 : (used[0]! + window - now) / 1000;
    if (wait <= 0) used.push(now);
    buckets.set(bucket, used);
    const reset = ((used[0]! + window) - now) / 1000;
    return {
      wait: Math.max(0, wait),
      headers: {
        "x-ratelimit-limit": `${most}`,
        "x-ratelimit-remaining": `${Math.max(0, most - used.length)}`,
        "x-ratelimit-reset-after": reset.toFixed(3),
        "x-ratelimit-reset": ((now + reset * 1000) / 1000).toFixed(3),
        "x-ratelimit-bucket": bucket.replace(/\d{5,}/g, "x").replace(/\W+/g, "-"),
      },
    };
  }

  const server = await startRestServer({
    fault: (call) => discord.fault(call),
    limit,
    answer(call) {
      const wrong = openapi?.check(call.method, call.path, call.body);
      if (wrong !== undefined) discord.violations.push(wrong);
      return answer(call);
    },
    seen({ method, path }, status, ms) {
      discord.calls.push({ method, path, status, ms, at: Date.now() });
      changed();
    },
  });

  function interaction(
    by: Person,
    channel: FakeChannel,
    more: object,
    source?: FakeMessage,
  ): Asked {
    const one: Asked = {
      id: newId(),
      token: `tok${newId()}`,
      channelId: channel.id,
      by,
      first: undefined,
      message: undefined,
      ephemeral: false,
      at: Date.now(),
      answeredAt: undefined,
      choices: undefined,
      source,
      edits: 0,
    };
    asked.set(one.token, one);
    const home = channel.parentId === null ? channel : channels.get(channel.parentId)!;
    gateway.dispatch("INTERACTION_CREATE", () => ({
      id: one.id,
      token: one.token,
      application_id: bot.id,
      version: 1,
      guild_id: guildId,
      channel_id: channel.id,
      channel: channelJson(channel),
      member: {
        user: userJson(by),
        roles: by.roles,
        nick: null,
        permissions: `${BigInt.asUintN(53, permissionsOf(guild, home, by))}`,
      },
      ...more,
    }));
    return one;
  }

  async function answered(one: Asked): Promise<Answer> {
    await discord.until("an answer", () => one.answeredAt !== undefined);
    const deferred = one.first!.type === 5;
    if (deferred) await discord.until("the answer behind the first", () => one.edits > 0);
    return {
      ms: one.answeredAt! - one.at,
      message: () => one.message,
      ephemeral: one.ephemeral,
      deferred,
    };
  }

  const discord: FakeDiscord = {
    url: server.url,
    token,
    guild,
    bot,
    gateway,
    channels,
    commands,
    calls: [],
    violations: [],
    checked: () => openapi?.checked() ?? 0,
    fault: () => undefined,
    haste: Infinity,
    person(name, { manages = false, bot = false, webhook = false, roles = [] } = {}) {
      const id = newId();
      const person: Person = { id, name, bot, webhook, roles: [...roles] };
      if (manages) {
        const role = newId();
        guild.roles.set(role, { id: role, name: `${name}'s`, permissions: BITS.MANAGE_CHANNELS });
        person.roles.push(role);
      }
      guild.members.set(id, person);
      return person;
    },
    permit(permission, allowed) {
      const bit = BITS[permission];
      for (const id of [guildId, own]) {
        const role = guild.roles.get(id)!;
        if (!allowed) {
          if ((role.permissions & bit) !== 0n) taken.add(`${id} ${permission}`);
          role.permissions &= ~bit;
        } else if (taken.delete(`${id} ${permission}`) || id === own) role.permissions |= bit;
        gateway.dispatch("GUILD_ROLE_UPDATE", () => ({
          guild_id: guildId,
          role: guildJson(guild).roles.find((one) => one.id === id),
        }));
      }
    },
    revokeToken() {
      good = false;
    },
    messageContent(allowed) {
      content = allowed;
    },
    messages: (channel) => {
      const id = typeof channel === "string" ? channel : channel.id;
      return messages.filter((one) => one.channelId === id);
    },
    channel: (name) => [...channels.values()].find((one) => one.name === name),
    makeChannel(name, topic = "") {
      const id = newId();
      const one: FakeChannel = {
        id,
        guildId,
        type: 0,
        name,
        topic,
        parentId: null,
        overwrites: [],
        archived: false,
      };
      channels.set(id, one);
      return one;
    },
    deleteChannel(channel) {
      channels.delete(channel.id);
      gateway.dispatch("CHANNEL_DELETE", () => channelJson(channel));
    },
    deleteMessage(message) {
      messages.splice(messages.indexOf(message), 1);
      gateway.dispatch("MESSAGE_DELETE", () => ({
        id: message.id,
        channel_id: message.channelId,
        guild_id: guildId,
      }));
    },
    say(by, channel, text, { replyTo } = {}) {
      const message: FakeMessage = {
        id: newId(),
        channelId: channel.id,
        author: by,
        content: text,
        embeds: [],
        components: [],
        files: [],
        nonce: undefined,
        replyTo,
        pinned: false,
        type: 0,
        flags: 0,
        edits: 0,
        reactions: new Map(),
        pinged: [],
        at: Date.now(),
      };
      messages.push(message);
      told(message, "MESSAGE_CREATE");
      return message;
    },
    slash: (by, channel, name, options = {}) =>
      answered(interaction(by, channel, {
        type: 2,
        data: {
          id: "1",
          name,
          type: 1,
          options: Object.entries(options).map(([key, value]) => ({
            name: key,
            type: typeof value === "number" ? 4 : 3,
            value,
          })),
        },
      })),
    async complete(by, channel, name, focused) {
      const one = interaction(by, channel, {
        type: 4,
        data: { id: "1", name, type: 1, options: [{ ...focused, type: 3, focused: true }] },
      });
      await discord.until("choices", () => one.answeredAt !== undefined);
      return one.choices ?? [];
    },
    click(by, message, label) {
      const button = message.components.flatMap(({ components }) => components)
        .find((one) => one["label"] === label || one["custom_id"] === label);
      if (button === undefined || button["disabled"] === true) {
        throw new Error(`There is no button "${label}": ${JSON.stringify(message.components)}`);
      }
      const channel = channels.get(message.channelId)!;
      return answered(interaction(by, channel, {
        type: 3,
        data: { component_type: 2, custom_id: button["custom_id"] },
        message: messageJson(message, guild, find),
      }, message));
    },
    async until(what, holds, ms = 30_000) {
      const end = Date.now() + ms;
      while (!holds()) {
        const rest = end - Date.now();
        if (rest <= 0) throw new Error(`Waited ${ms} ms for ${what}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(done, Math.min(rest, 250));
          watchers.add(done);
          function done() {
            clearTimeout(timer);
            watchers.delete(done);
            resolve();
          }
        });
      }
    },
    transcript: (channel) =>
      discord.messages(channel).map((one) => {
        const buttons = one.components.flatMap(({ components }) => components)
          .map((button) => `[${button["label"] ?? "·"}]`);
        const embed = one.embeds.map((each) => `{${each["title"]}}`);
        const files = one.files.map(({ name }) => `<${name}>`);
        const lines = [one.content, ...embed, ...files, buttons.join(" ")].filter((part) =>
          part !== ""
        );
        const signs = [...one.reactions.keys()].join("");
        return `${one.author.name}: ${lines.join("\n  ")}${signs === "" ? "" : `\n  ${signs}`}`;
      }).join("\n"),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
  return discord;
}
