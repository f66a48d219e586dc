import type { Call } from "./server.ts";
import { checkChoices, checkCommands, checkMessage } from "./limits.ts";
import {
  BITS,
  channelJson,
  guildJson,
  isThread,
  memberJson,
  messageJson,
  permissionsOf,
  Refusal,
  userJson,
} from "./world.ts";
import type { FakeChannel, FakeMessage, Guild, Permission, Person } from "./world.ts";

export interface Asked {
  id: string;
  token: string;
  channelId: string;
  by: Person;
  /** Undefined until the first answer. */
  first: { type: number; data: Record<string, unknown> } | undefined;
  message: FakeMessage | undefined;
  ephemeral: boolean;
  at: number;
  answeredAt: number | undefined;
  choices: { name: string; value: string | number }[] | undefined;
  /** The message whose button was pressed. */
  source: FakeMessage | undefined;
  edits: number;
}

export interface RoutesParts {
  guild: Guild;
  bot: Person;
  isToken(token: string | undefined): boolean;
  flags(): number;
  gatewayUrl: string;
  newId(): string;
  channels: Map<string, FakeChannel>;
  messages: FakeMessage[];
  commands: Map<string, unknown[]>;
  asked: Map<string, Asked>;
  tell(name: string, data: object): void;
  told(message: FakeMessage, name: "MESSAGE_CREATE" | "MESSAGE_UPDATE"): void;
  changed(): void;
}

type Handler = (call: Call, ...ids: string[]) => unknown;

/** The routes that herd uses, each with Discord's permissions and errors. */
export function createRoutes(parts: RoutesParts): (call: Call) => unknown {
  const { guild, bot, channels, messages, newId } = parts;
  const find = (id: string) => messages.find((one) => one.id === id);
  const json = (message: FakeMessage) => messageJson(message, guild, find);

  function channel(id: string, ...needed: Permission[]): FakeChannel {
    const found = channels.get(id);
    if (found === undefined) throw new Refusal(404, 10003, "Unknown Channel");
    // Direct messages know no permissions.
    if (found.type === 1) return found;
    const bits = permissionsOf(guild, isThread(found) ? channels.get(found.parentId!) : found, bot);
    if ((bits & BITS.VIEW_CHANNEL) === 0n) throw new Refusal(403, 50001, "Missing Access");
    for (const name of needed) {
      if ((bits & BITS[name]) === 0n) throw new Refusal(403, 50013, "Missing Permissions");
    }
    return found;
  }

  function message(channelId: string, id: string): FakeMessage {
    const found = find(id);
    if (found === undefined || found.channelId !== channelId) {
      throw new Refusal(404, 10008, "Unknown Message");
    }
    return found;
  }

  function made(channelId: string, author: Person, call: Call): FakeMessage {
    const body = call.body as Record<string, unknown>;
    checkMessage(body, call.files);
    const one: FakeMessage = {
      id: newId(),
      channelId,
      author,
      content: `${body["content"] ?? ""}`,
      embeds: (body["embeds"] ?? []) as FakeMessage["embeds"],
      components: (body["components"] ?? []) as FakeMessage["components"],
      files: call.files,
      nonce: body["nonce"] as string | undefined,
      replyTo: (body["message_reference"] as { message_id?: string } | undefined)?.message_id,
      pinned: false,
      type: 0,
      flags: Number(body["flags"] ?? 0),
      edits: 0,
      reactions: new Map(),
      pinged: pingedBy(body),
      at: Date.now(),
    };
    if (one.replyTo !== undefined && find(one.replyTo) === undefined) one.replyTo = undefined;
    return one;
  }

  function send(call: Call, channelId: string): unknown {
    const where = channels.get(channelId);
    const sending = where !== undefined && isThread(where)
      ? "SEND_MESSAGES_IN_THREADS"
      : "SEND_MESSAGES";
    const body = call.body as Record<string, unknown>;
    const needed: Permission[] = [sending];
    if (((body["embeds"] ?? []) as unknown[]).length > 0) needed.push("EMBED_LINKS");
    if (call.files.length > 0) needed.push("ATTACH_FILES");
    channel(channelId, ...needed);
    const { nonce } = body;
    if (body["enforce_nonce"] === true && nonce !== undefined) {
      const same = messages.find((one) =>
        one.nonce === nonce && one.channelId === channelId && Date.now() - one.at < 5 * 60_000
      );
      if (same !== undefined) return json(same);
    }
    const one = made(channelId, bot, call);
    messages.push(one);
    parts.told(one, "MESSAGE_CREATE");
    return json(one);
  }

  function change(one: FakeMessage, call: Call): void {
    const body = call.body as Record<string, unknown>;
    const next = {
      content: body["content"] === undefined ? one.content : `${body["content"] ?? ""}`,
      embeds: (body["embeds"] ?? one.embeds) as FakeMessage["embeds"],
      components: (body["components"] ?? one.components) as FakeMessage["components"],
    };
    const files = call.files.length > 0 ? call.files : one.files;
    checkMessage(next, files);
    Object.assign(one, next, { files });
    one.edits++;
    // An edit pings nobody.
    if (!messages.includes(one)) return parts.changed();
    parts.told(one, "MESSAGE_UPDATE");
  }

  function thread(call: Call, channelId: string, id: string): unknown {
    channel(channelId, "CREATE_PUBLIC_THREADS");
    if (channels.has(id)) {
      throw new Refusal(400, 160004, "A thread has already been created for this message");
    }
    const { name } = call.body as { name: string };
    if (name.length < 1 || name.length > 100) {
      throw new Refusal(400, 50035, "Invalid Form Body: name");
    }
    const one: FakeChannel = {
      id,
      guildId: guild.id,
      type: 11,
      name,
      topic: "",
      parentId: channelId,
      overwrites: [],
      archived: false,
    };
    channels.set(id, one);
    parts.tell("THREAD_CREATE", { ...channelJson(one), newly_created: true });
    parts.changed();
    return channelJson(one);
  }

  function callback(call: Call, id: string, token: string): undefined {
    const one = parts.asked.get(token);
    if (one === undefined || one.id !== id || Date.now() - one.at > 3_000) {
      throw new Refusal(404, 10062, "Unknown interaction");
    }
    if (one.first !== undefined) {
      throw new Refusal(400, 40060, "Interaction has already been acknowledged.");
    }
    const { type, data = {} } = call.body as { type: number; data?: Record<string, unknown> };
    if (type === 8) {
      const choices = (data["choices"] ?? []) as NonNullable<Asked["choices"]>;
      checkChoices(choices);
      one.choices = choices;
    }
    one.ephemeral = (Number(data["flags"] ?? 0) & 64) !== 0;
    if (type === 4) {
      one.message = { ...made(one.channelId, bot, { ...call, body: data }), type: 20 };
      if (!one.ephemeral) {
        messages.push(one.message);
        parts.told(one.message, "MESSAGE_CREATE");
      }
    }
    if (type === 7 && one.source !== undefined) {
      change(one.source, { ...call, body: data });
      one.message = one.source;
    }
    if (type === 6) one.message = one.source;
    one.first = { type, data };
    one.answeredAt = Date.now();
    parts.changed();
    return undefined;
  }

  function original(call: Call, token: string): unknown {
    const one = parts.asked.get(token);
    if (one === undefined || Date.now() - one.at > 15 * 60_000) {
      throw new Refusal(401, 50027, "Invalid Webhook Token");
    }
    one.edits++;
    if (one.message === undefined) {
      one.message = { ...made(one.channelId, bot, call), type: 20 };
      if (!one.ephemeral) {
        messages.push(one.message);
        parts.told(one.message, "MESSAGE_CREATE");
      }
    } else change(one.message, call);
    parts.changed();
    return json(one.message);
  }

  const routes: [method: string, pattern: RegExp, handler: Handler][] = [
    ["GET", /^\/users\/@me$/, () => userJson(bot)],
    ["POST", /^\/users\/@me\/channels$/, (call) => {
      const { recipient_id: user } = call.body as { recipient_id: string };
      if (guild.members.get(user) === undefined) throw new Refusal(400, 50033, "Invalid Recipient");
      const known = [...channels.values()].find(({ type, name }) => type === 1 && name === user);
      const one: FakeChannel = known ?? {
        id: newId(),
        guildId: "",
        type: 1,
        name: user,
        topic: "",
        parentId: null,
        overwrites: [],
        archived: false,
      };
      channels.set(one.id, one);
      return { id: one.id, type: 1, recipients: [userJson(guild.members.get(user)!)] };
    }],
    [
      "GET",
      /^\/users\/@me\/guilds$/,
      () => guild.members.has(bot.id) ? [{ id: guild.id, name: guild.name }] : [],
    ],
    ["GET", /^\/applications\/@me$/, () => ({ id: bot.id, name: bot.name, flags: parts.flags() })],
    ["GET", /^\/gateway\/bot$/, () => ({
      url: parts.gatewayUrl,
      shards: 1,
      session_start_limit: { total: 1000, remaining: 999, reset_after: 0, max_concurrency: 1 },
    })],
    ["GET", /^\/guilds\/(\d+)$/, (_, id) => guildJson(guildOf(id!))],
    ["GET", /^\/guilds\/(\d+)\/members\/(\d+)$/, (_, id, user) => {
      const person = guildOf(id!).members.get(user!);
      if (person === undefined) throw new Refusal(404, 10007, "Unknown Member");
      return memberJson(person);
    }],
    ["GET", /^\/guilds\/(\d+)\/channels$/, (_, id) => {
      guildOf(id!);
      return [...channels.values()].filter((one) => one.type === 0).map(channelJson);
    }],
    ["POST", /^\/guilds\/(\d+)\/channels$/, (call, id) => {
      guildOf(id!);
      if ((permissionsOf(guild, undefined, bot) & BITS.MANAGE_CHANNELS) === 0n) {
        throw new Refusal(403, 50013, "Missing Permissions");
      }
      const { name, topic = "" } = call.body as { name: string; topic?: string };
      if (name.length < 1 || name.length > 100) {
        throw new Refusal(400, 50035, "Invalid Form Body: name");
      }
      if (topic.length > 1024) throw new Refusal(400, 50035, "Invalid Form Body: topic");
      const one: FakeChannel = {
        id: newId(),
        guildId: guild.id,
        type: 0,
        name: name.toLowerCase().replace(/\s+/g, "-"),
        topic,
        parentId: null,
        overwrites: [],
        archived: false,
      };
      channels.set(one.id, one);
      parts.tell("CHANNEL_CREATE", channelJson(one));
      parts.changed();
      return channelJson(one);
    }],
    ["GET", /^\/channels\/(\d+)$/, (_, id) => channelJson(channel(id!))],
    ["PATCH", /^\/channels\/(\d+)$/, (call, id) => {
      const one = channel(id!, ...(isThread(channel(id!)) ? [] : ["MANAGE_CHANNELS"] as const));
      const { name, topic, archived } = call.body as Partial<FakeChannel>;
      if (name !== undefined) one.name = name;
      if (topic !== undefined) one.topic = topic;
      if (archived !== undefined) one.archived = archived;
      parts.tell(isThread(one) ? "THREAD_UPDATE" : "CHANNEL_UPDATE", channelJson(one));
      return channelJson(one);
    }],
    ["GET", /^\/channels\/(\d+)\/messages$/, (call, id) => {
      channel(id!, "READ_MESSAGE_HISTORY");
      const limit = Number(call.query.get("limit") ?? 50);
      if (limit < 1 || limit > 100) throw new Refusal(400, 50035, "Invalid Form Body: limit");
      const own = messages.filter((one) => one.channelId === id);
      const after = call.query.get("after");
      const before = call.query.get("before");
      const found = after !== null
        ? own.filter((one) => BigInt(one.id) > BigInt(after)).slice(0, limit)
        : own.filter((one) => before === null || BigInt(one.id) < BigInt(before)).slice(-limit);
      return found.reverse().map(json);
    }],
    ["POST", /^\/channels\/(\d+)\/messages$/, (call, id) => send(call, id!)],
    ["GET", /^\/channels\/(\d+)\/messages\/pins$/, (_, id) => {
      channel(id!, "READ_MESSAGE_HISTORY");
      const items = messages.filter((one) => one.channelId === id && one.pinned)
        .map((one) => ({ pinned_at: new Date(one.at).toISOString(), message: json(one) }));
      return { items, has_more: false };
    }],
    ["PUT", /^\/channels\/(\d+)\/messages\/pins\/(\d+)$/, (_, id, other) => {
      pinnable(id!);
      const one = message(id!, other!);
      if (messages.filter((each) => each.channelId === id && each.pinned).length >= 250) {
        throw new Refusal(400, 30003, "Maximum number of pins reached");
      }
      one.pinned = true;
      // Discord says so in the channel.
      parts.changed();
      return undefined;
    }],
    ["DELETE", /^\/channels\/(\d+)\/messages\/pins\/(\d+)$/, (_, id, other) => {
      pinnable(id!);
      message(id!, other!).pinned = false;
      return undefined;
    }],
    ["GET", /^\/channels\/(\d+)\/messages\/(\d+)$/, (_, id, other) => {
      channel(id!, "READ_MESSAGE_HISTORY");
      return json(message(id!, other!));
    }],
    ["PATCH", /^\/channels\/(\d+)\/messages\/(\d+)$/, (call, id, other) => {
      channel(id!);
      const one = message(id!, other!);
      if (one.author.id !== bot.id) {
        throw new Refusal(403, 50005, "Cannot edit a message authored by another user");
      }
      change(one, call);
      return json(one);
    }],
    ["DELETE", /^\/channels\/(\d+)\/messages\/(\d+)$/, (_, id, other) => {
      const one = message(id!, other!);
      channel(id!, ...(one.author.id === bot.id ? [] : ["MANAGE_MESSAGES"] as const));
      messages.splice(messages.indexOf(one), 1);
      parts.tell("MESSAGE_DELETE", { id: one.id, channel_id: id, guild_id: guild.id });
      parts.changed();
      return undefined;
    }],
    [
      "PUT",
      /^\/channels\/(\d+)\/messages\/(\d+)\/reactions\/([^/]+)\/@me$/,
      (_, id, other, emoji) => {
        channel(id!, "ADD_REACTIONS", "READ_MESSAGE_HISTORY");
        const { reactions } = message(id!, other!);
        const sign = decodeURIComponent(emoji!);
        reactions.set(sign, [...new Set([...reactions.get(sign) ?? [], bot.id])]);
        parts.changed();
        return undefined;
      },
    ],
    [
      "DELETE",
      /^\/channels\/(\d+)\/messages\/(\d+)\/reactions\/([^/]+)\/@me$/,
      (_, id, other, emoji) => {
        message(id!, other!).reactions.delete(decodeURIComponent(emoji!));
        return undefined;
      },
    ],
    ["POST", /^\/channels\/(\d+)\/typing$/, (_, id) => void channel(id!, "SEND_MESSAGES")],
    ["POST", /^\/channels\/(\d+)\/threads$/, (call, id) => thread(call, id!, newId())],
    ["POST", /^\/channels\/(\d+)\/messages\/(\d+)\/threads$/, (call, id, other) => {
      message(id!, other!);
      return thread(call, id!, other!);
    }],
    ["PUT", /^\/applications\/(\d+)\/guilds\/(\d+)\/commands$/, (call, _, id) => {
      guildOf(id!);
      const list = call.body as Record<string, unknown>[];
      checkCommands(list);
      parts.commands.set(id!, list);
      parts.changed();
      return list.map((one, i) => ({ ...one, id: `${i + 1}` }));
    }],
    [
      "POST",
      /^\/interactions\/(\d+)\/([^/]+)\/callback$/,
      (call, id, token) => callback(call, id!, token!),
    ],
    [
      "PATCH",
      /^\/webhooks\/(\d+)\/([^/]+)\/messages\/@original$/,
      (call, _, token) => original(call, token!),
    ],
  ];

  function guildOf(id: string): Guild {
    if (id !== guild.id || !guild.members.has(bot.id)) {
      throw new Refusal(404, 10004, "Unknown Guild");
    }
    return guild;
  }

  function pinnable(id: string): void {
    const bits = permissionsOf(guild, channel(id), bot);
    if ((bits & BITS.PIN_MESSAGES) === 0n) {
      throw new Refusal(403, 50013, "Missing Permissions");
    }
  }

  return (call) => {
    const isPublic = /^\/(interactions|webhooks)\//.test(call.path);
    if (!isPublic && !parts.isToken(call.token)) throw new Refusal(401, 0, "401: Unauthorized");
    for (const [method, pattern, handler] of routes) {
      const match = method === call.method ? pattern.exec(call.path) : null;
      if (match !== null) return handler(call, ...match.slice(1));
    }
    throw new Refusal(404, 0, `404: Not Found: ${call.method} ${call.path}`);
  };
}

/** By Discord's rules: without `allowed_mentions` the text alone decides. */
function pingedBy(body: Record<string, unknown>): string[] {
  const content = `${body["content"] ?? ""}`;
  const allowed = body["allowed_mentions"] as { parse?: string[]; users?: string[] } | undefined;
  const parse = allowed === undefined ? ["users", "roles", "everyone"] : allowed.parse ?? [];
  const users = [...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id!);
  const roles = [...content.matchAll(/<@&(\d+)>/g)].map(([, id]) => id!);
  return [
    ...users.filter((id) => parse.includes("users") || allowed?.users?.includes(id)),
    ...(parse.includes("roles") ? roles : []),
    ...(parse.includes("everyone") && /@(everyone|here)/.test(content) ? ["everyone"] : []),
  ];
}
