import { startGateway } from "./gateway.ts";
import type { FakeGateway } from "./gateway.ts";
import { commandData } from "./command-data.ts";
import { INTENTS } from "./gateway.ts";
import { openApiCheck } from "./openapi-check.ts";
import { createRoutes, wordless } from "./routes.ts";
import type { Asked } from "./routes.ts";
import { createHistory } from "./history.ts";
import { Raw, reply } from "./pipeline.ts";
import type { Reply } from "./pipeline.ts";
import { startRestServer } from "./server.ts";
import type { Call, Fault } from "./server.ts";
import {
  BITS,
  channelJson,
  createIds,
  DIRECT,
  directChannel,
  guildJson,
  isDirectOf,
  isThread,
  messageJson,
  permissionsOf,
  Refusal,
  threadChannel,
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
  /** That it opened, as Discord was told. */
  form: Record<string, unknown> | undefined;
}

/** A bot of the server: an application with a token, a user and its own gateway sessions. */
export interface FakeBot {
  token: string;
  person: Person;
  /** Whether the portal lets it read messages. */
  content: boolean;
  /** Whether its token is good. */
  good: boolean;
  /** Its slash commands in the server. */
  commands: Record<string, unknown>[];
  /** Those in direct messages with it. */
  directCommands: Record<string, unknown>[];
}

export type Options = Record<string, string | number | boolean>;

export interface FakeDiscord extends AsyncDisposable {
  /** For DISCORD_API_URL. */
  url: string;
  token: string;
  /** A call in this process, without HTTP. */
  ask(call: Call): Promise<Reply>;
  guild: Guild;
  bot: Person;
  gateway: FakeGateway;
  channels: Map<string, FakeChannel>;
  commands: Map<string, unknown[]>;
  /** How often each route was called: `POST /channels/:id/messages`. */
  calls: {
    method: string;
    path: string;
    status: number;
    ms: number;
    at: number;
    /** The bot's user id; undefined for answers to interactions and for files. */
    by: string | undefined;
  }[];
  /** Requests that break Discord's published description. */
  violations: string[];
  /** Bodies that were checked against it; 0 where the file is not there. */
  checked(): number;
  /** Asked before each call. */
  fault: (call: Call) => Fault | undefined;
  /** Discord's clock: ids, timestamps, the Date header. It goes `skewMs` before this machine's. */
  now(): number;
  skewMs: number;
  /** How much faster than Discord's the rate limits are; Infinity: none. */
  haste: number;
  person(
    name: string,
    more?: { manages?: boolean; bot?: boolean; webhook?: boolean; roles?: string[] },
  ): Person;
  /** One more bot of the server, with nothing but what everybody may. */
  addBot(
    name: string,
    more?: { permissions?: readonly Permission[]; content?: boolean; joined?: boolean },
  ): FakeBot;
  bots(): readonly FakeBot[];
  /** For one person, bot or role in one channel; nothing named takes the overwrite away. */
  overwrite(
    channel: FakeChannel,
    whom: Person | string,
    bits?: { allow?: readonly Permission[]; deny?: readonly Permission[] },
  ): void;
  /** Takes a permission from the first bot, or gives it. */
  permit(permission: Permission, allowed: boolean): void;
  revokeToken(bot?: FakeBot): void;
  messageContent(allowed: boolean, bot?: FakeBot): void;
  messages(channel: FakeChannel | string): FakeMessage[];
  channel(name: string): FakeChannel | undefined;
  makeChannel(name: string, topic?: string): FakeChannel;
  /** The direct messages of a person with a bot, the first one by default. */
  openDirect(person: Person, bot?: Person): FakeChannel;
  /** A thread of a person's, under a message where one is given. */
  startThread(by: Person, home: FakeChannel, name: string, from?: FakeMessage): FakeChannel;
  deleteChannel(channel: FakeChannel): void;
  deleteMessage(message: FakeMessage): void;
  say(
    by: Person,
    channel: FakeChannel,
    content: string,
    more?: {
      replyTo?: string;
      /** `query`: behind the address, such as `?ex=0`. */
      files?: { name: string; bytes: Uint8Array; contentType?: string; query?: string }[];
    },
  ): FakeMessage;
  /** Its author changes it. */
  editMessage(message: FakeMessage, content: string): void;
  /** Somebody reacts, or takes it back. */
  react(by: Person, message: FakeMessage, emoji: string, takesBack?: boolean): void;
  /** A moderator archives, locks or opens a thread. */
  setThread(thread: FakeChannel, change: { archived?: boolean; locked?: boolean }): void;
  /** `task submit` is a subcommand. What is registered decides the options' types and what is allowed. */
  slash(by: Person, channel: FakeChannel, name: string, options?: Options): Promise<Answer>;
  complete(
    by: Person,
    channel: FakeChannel,
    name: string,
    focused: { name: string; value: string },
  ): Promise<{ name: string; value: string | number }[]>;
  click(by: Person, message: FakeMessage, label: string): Promise<Answer>;
  /** Clicks, and sends the form that opens with `value` in its field. */
  fill(by: Person, message: FakeMessage, label: string, value: string): Promise<Answer>;
  /** Takes one of a menu, by its label or its value. */
  choose(by: Person, message: FakeMessage, value: string): Promise<Answer>;
  until(what: string, holds: () => boolean, ms?: number): Promise<void>;
  /** The channel as people read it. */
  transcript(channel: FakeChannel): string;
}

const OWNER = "1";
const LOCAL_URL = "http://127.0.0.1:1/api";

/** A Discord on 127.0.0.1 with one server, one bot, and whoever the test invents. */
export async function startDiscord(
  { heartbeatMs = 20_000, clock = Date.now, isLocal = false, isChecked = true }: {
    heartbeatMs?: number;
    clock?: () => number;
    /** Without ports: `ask` and `gateway.attach` are the only doors. */
    isLocal?: boolean;
    /** Against Discord's published description, where that is there. */
    isChecked?: boolean;
  } = {},
): Promise<FakeDiscord> {
  const now = () => Math.floor(clock() + (discord?.skewMs ?? 0));
  let discord: FakeDiscord | undefined = undefined as FakeDiscord | undefined;
  const newId = createIds(now);
  const guildId = newId();
  const bot: Person = { id: newId(), name: "HerdDog", bot: true, webhook: false, roles: [] };
  const token = tokenOf(bot);
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
  const history = createHistory(now);
  const asked = new Map<string, Asked>();
  const openapi = isChecked ? openApiCheck() : undefined;
  const watchers = new Set<() => void>();
  /** What roles had before it was taken. */
  const taken = new Set<string>();
  const first: FakeBot = {
    token,
    person: bot,
    content: true,
    good: true,
    commands: [],
    directCommands: [],
  };
  /** By user id. */
  const bots = new Map<string, FakeBot>([[bot.id, first]]);
  const routes = new Map<string, (call: Call) => unknown>();
  const botOf = (one: string | undefined) =>
    [...bots.values()].find(({ token, good }) => good && token === one);

  const gateway = await startGateway({
    userOf: (one) => botOf(one)?.person.id,
    allowed: (user) => bots.get(user)!.content ? ~0 : ~INTENTS.MESSAGE_CONTENT,
    heartbeatMs,
    isLocal,
    ready: (user) => ({
      user: userJson(bots.get(user)!.person),
      application: { id: user, flags: 0 },
      guilds: guild.members.has(user) ? [{ id: guildId, unavailable: true }] : [],
      later: guild.members.has(user)
        ? [["GUILD_CREATE", {
          ...guildJson(guild),
          channels: [...channels.values()].filter(({ type }) => type === 0)
            .map((one) => channelJson(one)),
          members: [],
          threads: [],
        }]]
        : [],
    }),
  });

  const find = (id: string) => messages.find((one) => one.id === id);

  function sees(channel: FakeChannel | undefined, user: string): boolean {
    const person = guild.members.get(user);
    if (person === undefined || channel === undefined) return false;
    if (channel.type === DIRECT) return channel.ownerId === user;
    const place = isThread(channel) ? channels.get(channel.parentId!) : channel;
    return (permissionsOf(guild, place, person) & BITS.VIEW_CHANNEL) !== 0n;
  }

  const isDirect = ({ channelId }: FakeMessage) => channels.get(channelId)?.type === DIRECT;

  /** Its own, what mentions it, and what is said to it alone a bot may read always. */
  function isFor(message: FakeMessage, user: string): boolean {
    return message.author.id === user || message.content.includes(`<@${user}>`) ||
      isDirect(message);
  }

  /** As the session may see it: without MESSAGE CONTENT, foreign words are gone. */
  function told(message: FakeMessage, name: "MESSAGE_CREATE" | "MESSAGE_UPDATE"): void {
    gateway.dispatch(name, (intents, user) => {
      const needed = isDirect(message) ? INTENTS.DIRECT_MESSAGES : INTENTS.GUILD_MESSAGES;
      if ((intents & needed) === 0) return undefined;
      if (!sees(channels.get(message.channelId), user)) return undefined;
      const json = messageJson(message, guild, find, { member: !isDirect(message) });
      const mayRead = (intents & INTENTS.MESSAGE_CONTENT) !== 0 || isFor(message, user);
      return mayRead ? json : wordless(json);
    });
    changed();
  }

  /** Channels and threads, to whoever sees them. */
  function tell(name: string, data: object, channel: FakeChannel): void {
    const needed = name.startsWith("MESSAGE_") ? INTENTS.GUILD_MESSAGES : INTENTS.GUILDS;
    gateway.dispatch(
      name,
      (intents, user) => (intents & needed) !== 0 && sees(channel, user) ? data : undefined,
    );
  }

  function beginThread(thread: FakeChannel): void {
    channels.set(thread.id, thread);
    const under = find(thread.id);
    if (under !== undefined) {
      under.thread = thread;
      told(under, "MESSAGE_UPDATE");
    }
    tell("THREAD_CREATE", { ...channelJson(thread, now()), newly_created: true }, thread);
    changed();
  }

  function toldReaction(
    name: string,
    message: FakeMessage,
    by: Person,
    emoji: string,
  ): void {
    gateway.dispatch(name, (intents, user) => {
      if ((intents & INTENTS.GUILD_MESSAGE_REACTIONS) === 0) return undefined;
      if (!sees(channels.get(message.channelId), user)) return undefined;
      return {
        user_id: by.id,
        channel_id: message.channelId,
        message_id: message.id,
        guild_id: guildId,
        emoji: { id: null, name: emoji },
        type: 0,
        burst: false,
      };
    });
    changed();
  }

  function changed(): void {
    for (const tell of watchers) tell();
  }

  function routesOf(one: FakeBot): (call: Call) => unknown {
    const { person } = one;
    return createRoutes({
      guild,
      bot: person,
      flags: () => one.content ? 1 << 19 : 0,
      mayRead: (message) => one.content || isFor(message, person.id),
      gatewayUrl: gateway.url,
      filesUrl: () => new URL(discord!.url).origin,
      now,
      newId,
      channels,
      messages,
      history,
      setCommands(id, list) {
        one.commands = list as Record<string, unknown>[];
        if (one === first) commands.set(id, list);
      },
      setDirectCommands(list) {
        one.directCommands = list as Record<string, unknown>[];
      },
      asked,
      tell,
      told,
      beginThread,
      changed,
    });
  }
  routes.set(bot.id, routesOf(first));

  /** Interactions are answered with their own token, files are given to anybody. */
  function answer(call: Call): unknown {
    const file = /^\/attachments\/\d+\/(\d+)\//.exec(call.path)?.[1];
    if (file !== undefined) {
      const found = messages.flatMap(({ files }) => files).find(({ id }) => id === file);
      if (found === undefined) throw new Refusal(404, 0, "404: Not Found");
      return new Raw(found.bytes);
    }
    const secret = /^\/(?:interactions|webhooks)\/\d+\/([^/]+)/.exec(call.path)?.[1];
    if (secret !== undefined) {
      return routes.get(asked.get(secret)?.bot.id ?? bot.id)!(call);
    }
    const caller = botOf(call.token);
    if (caller === undefined) throw new Refusal(401, 0, "401: Unauthorized");
    return routes.get(caller.person.id)!(call);
  }
  const buckets = new Map<string, number[]>();

  function limit(
    { method, path, token = "" }: Call,
  ): { wait: number; headers: Record<string, string> } {
    const [most, seconds] = /\/reactions\//.test(path) ? [1, 0.25] : [5, 5];
    const isLimited = /^\/channels\/\d+\/messages/.test(path) && method !== "GET";
    const { haste } = discord!;
    if (!isLimited || haste === Infinity) return { wait: 0, headers: {} };
    const bucket = `${token} ${method} ${path.replace(/\/messages\/\d+.*/, "/messages/:id")}`;
    const window = (seconds * 1000) / haste;
    const at = now();
    const used = (buckets.get(bucket) ?? []).filter((one) => one > at - window);
    const wait = used.length < most ? 0 : (used[0]! + window - at) / 1000;
    if (wait <= 0) used.push(at);
    buckets.set(bucket, used);
    const reset = ((used[0]! + window) - at) / 1000;
    return {
      wait: Math.max(0, wait),
      headers: {
        "x-ratelimit-limit": `${most}`,
        "x-ratelimit-remaining": `${Math.max(0, most - used.length)}`,
        "x-ratelimit-reset-after": reset.toFixed(3),
        "x-ratelimit-reset": ((at + reset * 1000) / 1000).toFixed(3),
        "x-ratelimit-bucket": bucket.replace(token, "").replace(/\d{5,}/g, "x").replace(
          /\W+/g,
          "-",
        ),
      },
    };
  }

  function replyTo(call: Call): Promise<Reply> {
    return reply(call, {
      fault: (one) => discord!.fault(one),
      limit,
      now,
      answer(one) {
        const isFile = one.path.startsWith("/attachments/");
        const wrong = isFile ? undefined : openapi?.check(one.method, one.path, one.body);
        if (wrong !== undefined) discord!.violations.push(wrong);
        return answer(one);
      },
    });
  }

  function seen({ method, path, token }: Call, status: number, ms: number): void {
    const by = botOf(token)?.person.id;
    discord!.calls.push({ method, path, status, ms, at: Date.now(), by });
    changed();
  }

  const server = isLocal ? undefined : await startRestServer({ reply: replyTo, seen, now });

  function interaction(
    by: Person,
    channel: FakeChannel,
    more: object,
    { bot: to, source }: { bot: FakeBot; source?: FakeMessage },
  ): Asked {
    const one: Asked = {
      bot: to.person,
      id: newId(),
      token: `tok${newId()}`,
      channelId: channel.id,
      by,
      first: undefined,
      message: undefined,
      ephemeral: false,
      at: now(),
      answeredAt: undefined,
      choices: undefined,
      source,
      edits: 0,
    };
    asked.set(one.token, one);
    const home = channel.parentId === null ? channel : channels.get(channel.parentId)!;
    gateway.dispatch("INTERACTION_CREATE", (_, user) =>
      user !== to.person.id ? undefined : {
        id: one.id,
        token: one.token,
        application_id: user,
        version: 1,
        channel_id: channel.id,
        channel: channelJson(channel),
        ...(channel.type === DIRECT ? { user: userJson(by) } : {
          guild_id: guildId,
          member: {
            user: userJson(by),
            roles: by.roles,
            nick: null,
            permissions: `${BigInt.asUintN(53, permissionsOf(guild, home, by))}`,
          },
        }),
        ...more,
      });
    return one;
  }

  async function answered(one: Asked): Promise<Answer> {
    await discord!.until("an answer", () => one.answeredAt !== undefined);
    const deferred = one.first!.type === 5;
    if (deferred) await discord!.until("the answer behind the first", () => one.edits > 0);
    return {
      ms: one.answeredAt! - one.at,
      message: () => one.message,
      ephemeral: one.ephemeral,
      deferred,
      form: one.first!.type === 9 ? one.first!.data : undefined,
    };
  }

  /** The bot that has this command, as people reach it. */
  function ownerOf(name: string): FakeBot {
    const [top] = name.split(" ");
    return [...bots.values()].find(({ commands }) => commands.some((one) => one["name"] === top)) ??
      first;
  }

  const made: FakeDiscord = {
    url: server?.url ?? LOCAL_URL,
    async ask(call) {
      const said = await replyTo(call);
      seen(call, said.cut === undefined ? said.status : 0, 0);
      return said;
    },
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
    now,
    skewMs: 0,
    addBot(name, { permissions = [], content = true, joined = true } = {}) {
      const person: Person = { id: newId(), name, bot: true, webhook: false, roles: [] };
      if (permissions.length > 0) {
        const id = newId();
        const bits = permissions.reduce((all, one) => all | BITS[one], 0n);
        guild.roles.set(id, { id, name, permissions: bits });
        person.roles.push(id);
      }
      if (joined) guild.members.set(person.id, person);
      const one: FakeBot = {
        token: tokenOf(person),
        person,
        content,
        good: true,
        commands: [],
        directCommands: [],
      };
      bots.set(person.id, one);
      routes.set(person.id, routesOf(one));
      return one;
    },
    bots: () => [...bots.values()],
    overwrite(channel, whom, { allow = [], deny = [] } = {}) {
      const id = typeof whom === "string" ? whom : whom.id;
      const bits = (names: readonly Permission[]) =>
        names.reduce((all, one) => all | BITS[one], 0n);
      channel.overwrites = channel.overwrites.filter((one) => one.id !== id);
      if (allow.length + deny.length > 0) {
        const type = guild.roles.has(id) ? 0 : 1;
        channel.overwrites.push({ id, type, allow: bits(allow), deny: bits(deny) });
      }
      tell("CHANNEL_UPDATE", channelJson(channel), channel);
    },
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
    revokeToken(one = first) {
      one.good = false;
    },
    messageContent(allowed, one = first) {
      one.content = allowed;
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
    openDirect(person, to = bot) {
      const known = [...channels.values()].find((one) => isDirectOf(one, person.id, to.id));
      const one = known ?? directChannel(newId(), person.id, to.id);
      channels.set(one.id, one);
      return one;
    },
    startThread(by, home, name, from) {
      const id = from?.id ?? newId();
      const one = threadChannel(id, home, { name, ownerId: by.id, activeAt: now() });
      beginThread(one);
      return one;
    },
    deleteChannel(channel) {
      tell("CHANNEL_DELETE", channelJson(channel), channel);
      channels.delete(channel.id);
    },
    deleteMessage(message) {
      history.note(message.id, message);
      messages.splice(messages.indexOf(message), 1);
      const data = { id: message.id, channel_id: message.channelId, guild_id: guildId };
      tell("MESSAGE_DELETE", data, channels.get(message.channelId)!);
      changed();
    },
    editMessage(message, content) {
      history.note(message.id, message);
      message.content = content;
      message.edits++;
      message.editedAt = now();
      told(message, "MESSAGE_UPDATE");
    },
    react(by, message, emoji, takesBack = false) {
      const others = (message.reactions.get(emoji) ?? []).filter((id) => id !== by.id);
      const next = takesBack ? others : [...others, by.id];
      if (next.length === 0) message.reactions.delete(emoji);
      else message.reactions.set(emoji, next);
      toldReaction(
        takesBack ? "MESSAGE_REACTION_REMOVE" : "MESSAGE_REACTION_ADD",
        message,
        by,
        emoji,
      );
    },
    setThread(thread, { archived, locked }) {
      if (archived !== undefined) thread.archived = archived;
      if (archived === false) thread.activeAt = now();
      if (locked !== undefined) thread.locked = locked;
      tell("THREAD_UPDATE", channelJson(thread, now()), thread);
      changed();
    },
    say(by, channel, text, { replyTo, files = [] } = {}) {
      const message: FakeMessage = {
        id: newId(),
        channelId: channel.id,
        author: by,
        content: text,
        embeds: [],
        components: [],
        files: files.map(({ query = "", ...file }) => {
          const id = newId();
          const path = `/attachments/${channel.id}/${id}/${encodeURIComponent(file.name)}`;
          return { ...file, id, url: `${new URL(made.url).origin}${path}${query}` };
        }),
        nonce: undefined,
        replyTo,
        pinned: false,
        type: 0,
        flags: 0,
        edits: 0,
        editedAt: undefined,
        reactions: new Map(),
        pinged: [],
        at: now(),
      };
      history.note(message.id, undefined);
      messages.push(message);
      told(message, "MESSAGE_CREATE");
      return message;
    },
    slash(by, channel, name, options = {}) {
      const isDirect = channel.type === DIRECT;
      const to = isDirect ? first : ownerOf(name);
      const data = commandData(isDirect ? to.directCommands : to.commands, name, options);
      return answered(interaction(by, channel, { type: 2, data }, { bot: to }));
    },
    async complete(by, channel, name, focused) {
      const to = ownerOf(name);
      const [top, sub] = name.split(" ");
      const leaf = [{ ...focused, type: 3, focused: true }];
      const options = sub === undefined ? leaf : [{ name: sub, type: 1, options: leaf }];
      const data = { id: "1", name: top, type: 1, options };
      const one = interaction(by, channel, { type: 4, data }, { bot: to });
      await made.until("choices", () => one.answeredAt !== undefined);
      return one.choices ?? [];
    },
    choose(by, message, value) {
      const menu = message.components.flatMap(({ components }) => components)
        .find((one) => {
          const options = (one["options"] ?? []) as { value: string; label: string }[];
          return options.some((each) => each.value === value || each.label === value);
        });
      if (menu === undefined) {
        throw new Error(`There is no choice "${value}": ${JSON.stringify(message.components)}`);
      }
      const options = menu["options"] as { value: string; label: string }[];
      const chosen = options.find((one) => one.value === value || one.label === value)!;
      const channel = channels.get(message.channelId)!;
      return answered(interaction(by, channel, {
        type: 3,
        data: { component_type: 3, custom_id: menu["custom_id"], values: [chosen.value] },
        message: messageJson(message, guild, find),
      }, { bot: bots.get(message.author.id) ?? first, source: message }));
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
      }, { bot: bots.get(message.author.id) ?? first, source: message }));
    },
    async fill(by, message, label, value) {
      const { form } = await made.click(by, message, label);
      if (form === undefined) throw new Error(`"${label}" opens no form`);
      const [row] = form["components"] as { components: Record<string, unknown>[] }[];
      const [input] = row!.components;
      const { max_length: most = 4000 } = input as { max_length?: number };
      if (value.length > most) throw new Error(`The field takes ${most} characters`);
      const field = { type: 4, id: 2, custom_id: input!["custom_id"], value };
      return await answered(interaction(by, channels.get(message.channelId)!, {
        type: 5,
        data: {
          custom_id: form["custom_id"],
          components: [{ type: 1, id: 1, components: [field] }],
        },
        message: messageJson(message, guild, find),
      }, { bot: bots.get(message.author.id) ?? first, source: message }));
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
      made.messages(channel).map((one) => {
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
      await server?.[Symbol.asyncDispose]();
    },
  };
  discord = made;
  return made;
}

function tokenOf({ id, name }: Person): string {
  const whose = name === "HerdDog" ? "loopback-discord" : name.toLowerCase().replace(/\W+/g, "-");
  return `${btoa(id)}.fake.token-of-the-${whose}`;
}
