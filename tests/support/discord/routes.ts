import type { History } from "./history.ts";
import type { Call } from "./pipeline.ts";
import { checkChoices, checkCommands, checkMessage } from "./limits.ts";
import {
  BITS,
  channelJson,
  directChannel,
  guildJson,
  isArchived,
  isDirectOf,
  isThread,
  memberJson,
  messageJson,
  permissionsOf,
  Refusal,
  threadChannel,
  userJson,
} from "./world.ts";
import type { FakeChannel, FakeFile, FakeMessage, Guild, Permission, Person } from "./world.ts";

export interface Asked {
  /** Whose command or button it is. */
  bot: Person;
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
  /** Who calls. */
  bot: Person;
  flags(): number;
  /** Without MESSAGE CONTENT foreign words are gone. */
  mayRead(message: FakeMessage): boolean;
  now(): number;
  /** Where attachments are given out, without a slash. */
  filesUrl(): string;
  gatewayUrl: string;
  newId(): string;
  channels: Map<string, FakeChannel>;
  messages: FakeMessage[];
  history: History;
  setCommands(guildId: string, list: unknown[]): void;
  setDirectCommands(list: unknown[]): void;
  asked: Map<string, Asked>;
  /** To whoever sees the channel. */
  tell(name: string, data: object, channel: FakeChannel): void;
  told(message: FakeMessage, name: "MESSAGE_CREATE" | "MESSAGE_UPDATE"): void;
  /** It is there from now on, under the message whose id it has. */
  beginThread(thread: FakeChannel): void;
  changed(): void;
}

/** "A few minutes", as Discord says of its nonces. */
const NONCE_MS = 5 * 60_000;
const OLD_MS = 3_600_000;
const OLD_EDITS = 5;
const OLD_EDIT_WINDOW_MS = 10 * 60_000;

type Handler = (call: Call, ...ids: string[]) => unknown;

/** The routes that herd uses, each with Discord's permissions and errors. */
export function createRoutes(parts: RoutesParts): (call: Call) => unknown {
  const { guild, bot, channels, messages, newId, now } = parts;
  const find = (id: string) => messages.find((one) => one.id === id);
  const json = (message: FakeMessage) => {
    const reactions = [...message.reactions].map(([name, by]) => ({
      count: by.length,
      me: by.includes(bot.id),
      emoji: { id: null, name },
    }));
    const more = reactions.length === 0 ? {} : { reactions };
    const whole = { ...messageJson(message, guild, find), ...more };
    return parts.mayRead(message) ? whole : wordless(whole);
  };

  const edited = new Map<string, number[]>();

  function bitsIn(where: FakeChannel): bigint {
    return permissionsOf(guild, isThread(where) ? channels.get(where.parentId!) : where, bot);
  }

  function channel(id: string, ...needed: Permission[]): FakeChannel {
    const found = channels.get(id);
    if (found === undefined) throw new Refusal(404, 10003, "Unknown Channel");
    // Direct messages know no permissions.
    if (found.type === 1) return found;
    const bits = bitsIn(found);
    if ((bits & BITS.VIEW_CHANNEL) === 0n) throw new Refusal(403, 50001, "Missing Access");
    for (const name of needed) {
      if ((bits & BITS[name]) === 0n) throw new Refusal(403, 50013, "Missing Permissions");
    }
    return found;
  }

  /** Whatever changes something in an archived thread, but a new message. */
  function unarchived(found: FakeChannel): FakeChannel {
    if (isThread(found) && isArchived(found, now())) {
      throw new Refusal(400, 50083, "Thread is archived");
    }
    return found;
  }

  function filed(channelId: string, files: Call["files"]): FakeFile[] {
    return files.map(({ name, bytes }) => {
      const id = newId();
      const url = `${parts.filesUrl()}/attachments/${channelId}/${id}/${encodeURIComponent(name)}`;
      return { id, name, bytes, url };
    });
  }

  function message(channelId: string, id: string, asOf?: number): FakeMessage {
    const found = asOf === undefined
      ? find(id)
      : parts.history.at(asOf, messages).find((one) => one.id === id);
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
      files: filed(channelId, call.files),
      nonce: body["nonce"] as string | undefined,
      replyTo: (body["message_reference"] as { message_id?: string } | undefined)?.message_id,
      pinned: false,
      type: 0,
      flags: Number(body["flags"] ?? 0),
      edits: 0,
      editedAt: undefined,
      reactions: new Map(),
      pinged: pingedBy(body),
      at: now(),
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
    const place = channel(channelId, ...needed);
    if (place.locked === true && (bitsIn(place) & BITS.MANAGE_THREADS) === 0n) {
      throw new Refusal(403, 160005, "Thread is locked");
    }
    const { nonce } = body;
    if (body["enforce_nonce"] === true && nonce !== undefined) {
      // Of one author, wherever it was said.
      const same = messages.find((one) =>
        one.nonce === nonce && one.author.id === bot.id && now() - one.at < NONCE_MS
      );
      if (same !== undefined) return json(same);
    }
    const one = made(channelId, bot, call);
    parts.history.note(one.id, undefined);
    messages.push(one);
    if (isThread(place)) {
      const wakes = isArchived(place, now());
      Object.assign(place, { archived: false, activeAt: now() });
      if (wakes) parts.tell("THREAD_UPDATE", channelJson(place, now()), place);
    }
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
    const listed = body["attachments"] as { id: string | number }[] | undefined;
    // What is not listed goes; without a list everything stays.
    const kept = listed === undefined
      ? one.files
      : one.files.filter(({ id }) => listed.some((each) => `${each.id}` === id));
    const files = [...kept, ...filed(one.channelId, call.files)];
    checkMessage(next, files);
    tooOften(one);
    parts.history.note(one.id, one);
    Object.assign(one, next, { files });
    one.edits++;
    one.editedAt = now();
    // An edit pings nobody.
    if (!messages.includes(one)) return parts.changed();
    parts.told(one, "MESSAGE_UPDATE");
  }

  /** Nobody knows Discord's number; it answers 429 with a code and no time to wait. */
  function tooOften(one: FakeMessage): void {
    if (now() - one.at < OLD_MS) return;
    const recent = (edited.get(one.id) ?? []).filter((at) => now() - at < OLD_EDIT_WINDOW_MS);
    if (recent.length >= OLD_EDITS) {
      const why = "Maximum number of edits to messages older than 1 hour reached. Try again later";
      throw new Refusal(429, 30046, why);
    }
    edited.set(one.id, [...recent, now()]);
  }

  function thread(call: Call, channelId: string, id: string): unknown {
    const home = channel(channelId, "CREATE_PUBLIC_THREADS");
    if (isThread(home)) throw new Refusal(400, 50024, "Cannot execute action on this channel type");
    if (channels.has(id)) {
      throw new Refusal(400, 160004, "A thread has already been created for this message");
    }
    const { name, auto_archive_duration: archiveMinutes = 1440 } = call.body as {
      name: string;
      auto_archive_duration?: number;
    };
    if (name.length < 1 || name.length > 100) {
      throw new Refusal(400, 50035, "Invalid Form Body: name");
    }
    if (![60, 1440, 4320, 10080].includes(archiveMinutes)) {
      throw new Refusal(400, 50035, "Invalid Form Body: auto_archive_duration");
    }
    const one = threadChannel(id, home, { name, ownerId: bot.id, activeAt: now() });
    one.archiveMinutes = archiveMinutes;
    parts.beginThread(one);
    return channelJson(one, now());
  }

  function patch(call: Call, id: string): unknown {
    const one = channel(id);
    const bits = bitsIn(one);
    const change = call.body as Partial<FakeChannel> & { auto_archive_duration?: number };
    const { name, topic, archived, locked, auto_archive_duration: archiveMinutes } = change;
    if (!isThread(one)) {
      channel(id, "MANAGE_CHANNELS");
      Object.assign(one, { ...(name && { name }), ...(topic !== undefined && { topic }) });
      parts.tell("CHANNEL_UPDATE", channelJson(one), one);
      return channelJson(one);
    }
    const manages = (bits & BITS.MANAGE_THREADS) !== 0n;
    const isOwn = one.ownerId === bot.id;
    const isWaking = archived === false;
    if (isArchived(one, now()) && !isWaking) throw new Refusal(400, 50083, "Thread is archived");
    const wants = isWaking && Object.keys(change).length === 1
      ? one.locked !== true && (bits & BITS.SEND_MESSAGES_IN_THREADS) !== 0n
      : isOwn && locked === undefined && one.locked !== true;
    if (!manages && !wants) throw new Refusal(403, 50013, "Missing Permissions");
    Object.assign(one, {
      ...(name !== undefined && { name }),
      ...(archived !== undefined && { archived }),
      ...(locked !== undefined && { locked }),
      ...(archiveMinutes !== undefined && { archiveMinutes }),
      ...(isWaking && { activeAt: now() }),
    });
    parts.tell("THREAD_UPDATE", channelJson(one, now()), one);
    parts.changed();
    return channelJson(one, now());
  }

  function overwrite(call: Call, id: string, whom: string): undefined {
    const one = channel(id, "MANAGE_ROLES");
    one.overwrites = one.overwrites.filter((each) => each.id !== whom);
    if (call.method === "PUT") {
      const { type, allow = "0", deny = "0" } = call.body as {
        type: 0 | 1;
        allow?: string;
        deny?: string;
      };
      one.overwrites.push({ id: whom, type, allow: BigInt(allow), deny: BigInt(deny) });
    }
    parts.tell("CHANNEL_UPDATE", channelJson(one), one);
    parts.changed();
    return undefined;
  }

  function callback(call: Call, id: string, token: string): undefined {
    const one = parts.asked.get(token);
    if (one === undefined || one.id !== id || now() - one.at > 3_000) {
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
        parts.history.note(one.message.id, undefined);
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
    one.answeredAt = now();
    parts.changed();
    return undefined;
  }

  function original(call: Call, token: string): unknown {
    const one = parts.asked.get(token);
    if (one === undefined || now() - one.at > 15 * 60_000) {
      throw new Refusal(401, 50027, "Invalid Webhook Token");
    }
    one.edits++;
    if (one.message === undefined) {
      one.message = { ...made(one.channelId, bot, call), type: 20 };
      if (!one.ephemeral) {
        parts.history.note(one.message.id, undefined);
        messages.push(one.message);
        parts.told(one.message, "MESSAGE_CREATE");
      }
    } else change(one.message, call);
    parts.changed();
    return json(one.message);
  }

  function followUp(call: Call, token: string): unknown {
    const one = parts.asked.get(token);
    if (one === undefined || now() - one.at > 15 * 60_000) {
      throw new Refusal(401, 50027, "Invalid Webhook Token");
    }
    const more = { ...made(one.channelId, bot, call), type: 20 };
    if ((more.flags & 64) === 0) {
      parts.history.note(more.id, undefined);
      messages.push(more);
      parts.told(more, "MESSAGE_CREATE");
    }
    return json(more);
  }

  const routes: [method: string, pattern: RegExp, handler: Handler][] = [
    ["GET", /^\/users\/@me$/, () => userJson(bot)],
    ["POST", /^\/users\/@me\/channels$/, (call) => {
      const { recipient_id: user } = call.body as { recipient_id: string };
      if (guild.members.get(user) === undefined) throw new Refusal(400, 50033, "Invalid Recipient");
      const known = [...channels.values()].find((one) => isDirectOf(one, user, bot.id));
      const one = known ?? directChannel(newId(), user, bot.id);
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
      const { name, topic = "", permission_overwrites: wanted = [] } = call.body as {
        name: string;
        topic?: string;
        permission_overwrites?: { id: string; type: 0 | 1; allow?: number; deny?: number }[];
      };
      const overwrites = wanted.map(({ id, type, allow = 0, deny = 0 }) => ({
        id,
        type,
        allow: BigInt(allow),
        deny: BigInt(deny),
      }));
      const rights = permissionsOf(guild, undefined, bot);
      // Discord lets a bot give and take what it has itself; MANAGE_ROLES is an administrator's.
      if (overwrites.some(({ allow, deny }) => ((allow | deny) & ~rights) !== 0n)) {
        throw new Refusal(403, 50013, "Missing Permissions");
      }
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
        overwrites,
        archived: false,
      };
      channels.set(one.id, one);
      parts.tell("CHANNEL_CREATE", channelJson(one), one);
      parts.changed();
      return channelJson(one);
    }],
    ["GET", /^\/channels\/(\d+)$/, (_, id) => channelJson(channel(id!), now())],
    ["PATCH", /^\/channels\/(\d+)$/, (call, id) => patch(call, id!)],
    [
      "PUT",
      /^\/channels\/(\d+)\/permissions\/(\d+)$/,
      (call, id, whom) => overwrite(call, id!, whom!),
    ],
    [
      "DELETE",
      /^\/channels\/(\d+)\/permissions\/(\d+)$/,
      (call, id, whom) => overwrite(call, id!, whom!),
    ],
    ["DELETE", /^\/channels\/(\d+)$/, (_, id) => {
      const one = channel(id!);
      channel(id!, isThread(one) ? "MANAGE_THREADS" : "MANAGE_CHANNELS");
      channels.delete(id!);
      parts.tell(isThread(one) ? "THREAD_DELETE" : "CHANNEL_DELETE", channelJson(one, now()), one);
      parts.changed();
      return channelJson(one, now());
    }],
    ["GET", /^\/guilds\/(\d+)\/threads\/active$/, (_, id) => {
      guildOf(id!);
      const active = [...channels.values()].filter((one) =>
        isThread(one) && !isArchived(one, now()) && (bitsIn(one) & BITS.VIEW_CHANNEL) !== 0n
      );
      const lastIn = ({ id }: FakeChannel) =>
        messages.findLast(({ channelId }) => channelId === id)?.id ?? null;
      const threads = active.map((one) => ({
        ...channelJson(one, now()),
        last_message_id: lastIn(one),
      }));
      return { threads, members: [] };
    }],
    ["PUT", /^\/channels\/(\d+)\/thread-members\/@me$/, (_, id) => void unarchived(channel(id!))],
    ["GET", /^\/channels\/(\d+)\/messages$/, (call, id) => {
      channel(id!, "READ_MESSAGE_HISTORY");
      const limit = Number(call.query.get("limit") ?? 50);
      if (limit < 1 || limit > 100) throw new Refusal(400, 50035, "Invalid Form Body: limit");
      const all = call.asOf === undefined ? messages : parts.history.at(call.asOf, messages);
      const own = all.filter((one) => one.channelId === id);
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
    ["GET", /^\/channels\/(\d+)\/messages\/(\d+)$/, (call, id, other) => {
      channel(id!, "READ_MESSAGE_HISTORY");
      return json(message(id!, other!, call.asOf));
    }],
    ["PATCH", /^\/channels\/(\d+)\/messages\/(\d+)$/, (call, id, other) => {
      unarchived(channel(id!));
      const one = message(id!, other!);
      if (one.author.id !== bot.id) {
        throw new Refusal(403, 50005, "Cannot edit a message authored by another user");
      }
      change(one, call);
      return json(one);
    }],
    ["DELETE", /^\/channels\/(\d+)\/messages\/(\d+)$/, (_, id, other) => {
      const one = message(id!, other!);
      const place = channel(id!, ...(one.author.id === bot.id ? [] : ["MANAGE_MESSAGES"] as const));
      unarchived(place);
      parts.history.note(one.id, one);
      messages.splice(messages.indexOf(one), 1);
      parts.tell("MESSAGE_DELETE", { id: one.id, channel_id: id, guild_id: guild.id }, place);
      parts.changed();
      return undefined;
    }],
    [
      "PUT",
      /^\/channels\/(\d+)\/messages\/(\d+)\/reactions\/([^/]+)\/@me$/,
      (_, id, other, emoji) => {
        unarchived(channel(id!, "ADD_REACTIONS", "READ_MESSAGE_HISTORY"));
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
        const { reactions } = message(id!, other!);
        const sign = decodeURIComponent(emoji!);
        const left = (reactions.get(sign) ?? []).filter((one) => one !== bot.id);
        if (left.length === 0) reactions.delete(sign);
        else reactions.set(sign, left);
        return undefined;
      },
    ],
    ["POST", /^\/channels\/(\d+)\/typing$/, (_, id) => void channel(id!, "SEND_MESSAGES")],
    ["POST", /^\/channels\/(\d+)\/threads$/, (call, id) => thread(call, id!, newId())],
    ["POST", /^\/channels\/(\d+)\/messages\/(\d+)\/threads$/, (call, id, other) => {
      message(id!, other!);
      return thread(call, id!, other!);
    }],
    ["PUT", /^\/applications\/(\d+)\/commands$/, (call) => {
      const list = call.body as Record<string, unknown>[];
      checkCommands(list);
      parts.setDirectCommands(list);
      parts.changed();
      return list.map((one, i) => ({ ...one, id: `${100 + i}` }));
    }],
    ["PUT", /^\/applications\/(\d+)\/guilds\/(\d+)\/commands$/, (call, _, id) => {
      guildOf(id!);
      const list = call.body as Record<string, unknown>[];
      checkCommands(list);
      parts.setCommands(id!, list);
      parts.changed();
      return list.map((one, i) => ({ ...one, id: `${i + 1}` }));
    }],
    [
      "POST",
      /^\/interactions\/(\d+)\/([^/]+)\/callback$/,
      (call, id, token) => callback(call, id!, token!),
    ],
    ["POST", /^\/webhooks\/(\d+)\/([^/]+)$/, (call, _, token) => followUp(call, token!)],
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
    for (const [method, pattern, handler] of routes) {
      const match = method === call.method ? pattern.exec(call.path) : null;
      if (match !== null) return handler(call, ...match.slice(1));
    }
    throw new Refusal(404, 0, `404: Not Found: ${call.method} ${call.path}`);
  };
}

/** As a bot without MESSAGE CONTENT gets what is not its own. */
export function wordless(json: Record<string, unknown>): Record<string, unknown> {
  return { ...json, content: "", embeds: [], attachments: [], components: [] };
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
