/**
 * What there is on the loopback Discord: guilds, people, channels, messages. It knows what herd
 * uses; voice, invites, webhooks of others, stickers, polls and audit logs are not there.
 */

export interface Person {
  id: string;
  name: string;
  bot: boolean;
  webhook: boolean;
  roles: string[];
}

export interface Role {
  id: string;
  name: string;
  permissions: bigint;
}

export interface FakeChannel {
  id: string;
  guildId: string;
  type: number;
  name: string;
  topic: string;
  parentId: string | null;
  overwrites: { id: string; type: 0 | 1; allow: bigint; deny: bigint }[];
  archived: boolean;
  /** Of a thread. */
  locked?: boolean;
  ownerId?: string;
  /** Minutes without a message after which it archives itself. */
  archiveMinutes?: number;
  activeAt?: number;
}

export interface FakeFile {
  /** Of the attachment. */
  id: string;
  name: string;
  bytes: Uint8Array;
  /** Where the loopback gives it out. */
  url: string;
  contentType?: string;
}

export interface FakeMessage {
  id: string;
  channelId: string;
  author: Person;
  content: string;
  embeds: Record<string, unknown>[];
  components: { type: number; components: Record<string, unknown>[] }[];
  files: FakeFile[];
  nonce: string | undefined;
  replyTo: string | undefined;
  pinned: boolean;
  /** 0, or 20 for an answer to a slash command. */
  type: number;
  flags: number;
  edits: number;
  editedAt: number | undefined;
  /** The thread that hangs under it. */
  thread?: FakeChannel;
  /** Emoji to who. */
  reactions: Map<string, string[]>;
  /** Whom it pinged: user and role ids, "everyone". */
  pinged: string[];
  at: number;
}

/** Type of a channel of direct messages. */
export const DIRECT = 1;
export const EPOCH = 1_420_070_400_000;

/** Ids grow with time, as Discord's do. */
export function createIds(clock: () => number = Date.now): () => string {
  let last = 0n;
  return () => {
    const now = BigInt(clock() - EPOCH) << 22n;
    last = now > last ? now : last + 1n;
    return `${last}`;
  };
}

export const BITS = {
  ADMINISTRATOR: 1n << 3n,
  MANAGE_CHANNELS: 1n << 4n,
  ADD_REACTIONS: 1n << 6n,
  VIEW_CHANNEL: 1n << 10n,
  SEND_MESSAGES: 1n << 11n,
  MANAGE_MESSAGES: 1n << 13n,
  EMBED_LINKS: 1n << 14n,
  ATTACH_FILES: 1n << 15n,
  READ_MESSAGE_HISTORY: 1n << 16n,
  MANAGE_ROLES: 1n << 28n,
  MANAGE_THREADS: 1n << 34n,
  PIN_MESSAGES: 1n << 51n,
  CREATE_PUBLIC_THREADS: 1n << 35n,
  SEND_MESSAGES_IN_THREADS: 1n << 38n,
} as const;

export type Permission = keyof typeof BITS;

/** An answer that is no success. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: number, message: string) {
    super(message);
  }
}

export interface Guild {
  id: string;
  name: string;
  ownerId: string;
  roles: Map<string, Role>;
  members: Map<string, Person>;
}

/** By Discord's documented order; threads as their channel, with their own right to send. */
export function permissionsOf(
  guild: Guild,
  channel: FakeChannel | undefined,
  person: Person,
): bigint {
  if (person.id === guild.ownerId) return ~0n;
  const everyone = guild.roles.get(guild.id)!;
  let bits = everyone.permissions;
  for (const id of person.roles) bits |= guild.roles.get(id)?.permissions ?? 0n;
  if ((bits & BITS.ADMINISTRATOR) !== 0n) return ~0n;
  if (channel === undefined) return bits;
  const own = channel.overwrites.find((one) => one.id === guild.id);
  if (own !== undefined) bits = (bits & ~own.deny) | own.allow;
  const ofRoles = channel.overwrites.filter((one) => person.roles.includes(one.id));
  for (const one of ofRoles) bits &= ~one.deny;
  for (const one of ofRoles) bits |= one.allow;
  const personal = channel.overwrites.find((one) => one.type === 1 && one.id === person.id);
  if (personal !== undefined) bits = (bits & ~personal.deny) | personal.allow;
  return (bits & BITS.VIEW_CHANNEL) === 0n ? 0n : bits;
}

export function isThread({ type }: FakeChannel): boolean {
  return type >= 10 && type <= 12;
}

/** A channel of direct messages of one bot; it bears the person's id as its name. */
export function directChannel(id: string, user: string, bot: string): FakeChannel {
  return {
    id,
    guildId: "",
    type: DIRECT,
    name: user,
    topic: "",
    parentId: null,
    overwrites: [],
    archived: false,
    ownerId: bot,
  };
}

export function isDirectOf({ type, name, ownerId }: FakeChannel, user: string, bot: string) {
  return type === DIRECT && name === user && ownerId === bot;
}

export function threadChannel(
  id: string,
  home: FakeChannel,
  more: Pick<FakeChannel, "name"> & { ownerId: string; activeAt: number },
): FakeChannel {
  return {
    id,
    guildId: home.guildId,
    type: 11,
    topic: "",
    parentId: home.id,
    overwrites: [],
    archived: false,
    locked: false,
    archiveMinutes: 1440,
    ...more,
  };
}

export function userJson({ id, name, bot }: Person) {
  return {
    id,
    username: name,
    discriminator: "0",
    global_name: name,
    avatar: null,
    ...(bot ? { bot: true } : {}),
  };
}

/** Whether it is archived by now, by hand or for want of messages. */
export function isArchived(thread: FakeChannel, now: number): boolean {
  const { archived, archiveMinutes = 1440, activeAt } = thread;
  return archived || (activeAt !== undefined && now - activeAt > archiveMinutes * 60_000);
}

export function channelJson(channel: FakeChannel, now = Date.now()) {
  return {
    id: channel.id,
    ...(channel.type === DIRECT ? {} : { guild_id: channel.guildId }),
    type: channel.type,
    name: channel.name,
    topic: channel.topic,
    parent_id: channel.parentId,
    position: 0,
    permission_overwrites: channel.overwrites.map(({ id, type, allow, deny }) => ({
      id,
      type,
      allow: `${allow}`,
      deny: `${deny}`,
    })),
    ...(isThread(channel)
      ? {
        owner_id: channel.ownerId,
        thread_metadata: {
          archived: isArchived(channel, now),
          auto_archive_duration: channel.archiveMinutes ?? 1440,
          archive_timestamp: new Date(channel.activeAt ?? now).toISOString(),
          locked: channel.locked === true,
        },
      }
      : {}),
  };
}

export function guildJson(guild: Guild) {
  return {
    id: guild.id,
    name: guild.name,
    owner_id: guild.ownerId,
    roles: [...guild.roles.values()].map(({ id, name, permissions }) => ({
      id,
      name,
      permissions: `${permissions}`,
      position: 0,
      color: 0,
      managed: false,
      mentionable: false,
      hoist: false,
    })),
    emojis: [],
    features: [],
  };
}

export function memberJson(person: Person) {
  return {
    user: userJson(person),
    roles: person.roles,
    nick: null,
    joined_at: "2026-01-01T00:00:00Z",
  };
}

const HAS_THREAD = 1 << 5;

export function messageJson(
  message: FakeMessage,
  guild: Guild,
  find: (id: string) => FakeMessage | undefined,
  { member = false } = {},
): Record<string, unknown> {
  const { author } = message;
  const mentioned = [...message.content.matchAll(/<@!?(\d+)>/g)].flatMap(([, id]) =>
    guild.members.get(id!) ?? []
  );
  const answered = message.replyTo === undefined ? undefined : find(message.replyTo);
  return {
    id: message.id,
    channel_id: message.channelId,
    ...(member ? { guild_id: guild.id } : {}),
    author: userJson(author),
    ...(author.webhook ? { webhook_id: author.id } : {}),
    ...(member && !author.webhook
      ? { member: { roles: author.roles, nick: null, joined_at: "2026-01-01T00:00:00Z" } }
      : {}),
    content: message.content,
    timestamp: new Date(message.at).toISOString(),
    edited_timestamp: message.editedAt === undefined
      ? null
      : new Date(message.editedAt).toISOString(),
    tts: false,
    mention_everyone: message.pinged.includes("everyone"),
    mentions: mentioned.map(userJson),
    mention_roles: [...message.content.matchAll(/<@&(\d+)>/g)].map(([, id]) => id),
    attachments: message.files.map(({ id, name, bytes, url, contentType }) => ({
      id,
      filename: name,
      size: bytes.length,
      url,
      proxy_url: url,
      content_type: contentType ?? "application/octet-stream",
    })),
    embeds: message.embeds,
    components: message.components,
    pinned: message.pinned,
    type: message.replyTo === undefined ? message.type : 19,
    flags: message.flags | (message.thread === undefined ? 0 : HAS_THREAD),
    ...(message.thread === undefined ? {} : { thread: channelJson(message.thread) }),
    ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
    ...(message.replyTo === undefined ? {} : {
      message_reference: { message_id: message.replyTo, channel_id: message.channelId, type: 0 },
      referenced_message: answered === undefined
        ? null
        : messageJson(answered, guild, () => undefined),
    }),
  };
}
