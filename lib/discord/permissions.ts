import type { Id } from "./message.ts";
import type { Channel, Guild } from "./rest.ts";

/** Bits of Discord's permissions, as far as herd has to do with them. */
export const PERMISSION = {
  ADMINISTRATOR: 1n << 3n,
  MANAGE_CHANNELS: 1n << 4n,
  ADD_REACTIONS: 1n << 6n,
  VIEW_CHANNEL: 1n << 10n,
  SEND_MESSAGES: 1n << 11n,
  EMBED_LINKS: 1n << 14n,
  ATTACH_FILES: 1n << 15n,
  READ_MESSAGE_HISTORY: 1n << 16n,
  CREATE_PUBLIC_THREADS: 1n << 35n,
  SEND_MESSAGES_IN_THREADS: 1n << 38n,
  /** Until February 2026 Manage Messages held it. */
  PIN_MESSAGES: 1n << 51n,
} as const;

export type PermissionName = keyof typeof PERMISSION;

/** A permission that herd wants, as Discord's own pages call it. */
export interface Wanted {
  name: Exclude<PermissionName, "ADMINISTRATOR">;
  label: string;
  /** Nothing works without it. */
  vital: boolean;
  /** What is lost and what still works without it; one sentence without a period. */
  without: string;
}

/** Exactly what herd needs, the most important first. */
export const WANTED: readonly Wanted[] = [
  {
    name: "VIEW_CHANNEL",
    label: "View Channels",
    vital: true,
    without: "Nothing works in Discord; the sweep itself goes on",
  },
  {
    name: "SEND_MESSAGES",
    label: "Send Messages",
    vital: true,
    without: "Nothing is posted and no message is answered; slash commands still answer",
  },
  {
    name: "READ_MESSAGE_HISTORY",
    label: "Read Message History",
    vital: false,
    without: "What is written while herd is away is missed; what is written while it runs is heard",
  },
  {
    name: "EMBED_LINKS",
    label: "Embed Links",
    vital: false,
    without: "The dashboard cannot be shown; posts and slash commands still work",
  },
  {
    name: "ATTACH_FILES",
    label: "Attach Files",
    vital: false,
    without: "Plots and long logs cannot be posted; text still works",
  },
  {
    name: "ADD_REACTIONS",
    label: "Add Reactions",
    vital: false,
    without: "Messages get no 👀; they are still heard and answered",
  },
  {
    name: "CREATE_PUBLIC_THREADS",
    label: "Create Public Threads",
    vital: false,
    without: "Trials get no threads of their own; their posts still come in the channel",
  },
  {
    name: "SEND_MESSAGES_IN_THREADS",
    label: "Send Messages in Threads",
    vital: false,
    without: "Nothing is posted in the threads of trials; posts still come in the channel",
  },
  {
    name: "MANAGE_CHANNELS",
    label: "Manage Channels",
    vital: false,
    without: "No channel can be created; an existing one named by discord.channel_id still works",
  },
  {
    name: "PIN_MESSAGES",
    label: "Pin Messages",
    vital: false,
    without: "The dashboard is not pinned; it is still updated in place",
  },
];

/** Every bit there is or may come to be. */
const ALL = (1n << 64n) - 1n;
/** What somebody in a time-out keeps. */
const IN_TIMEOUT = PERMISSION.VIEW_CHANNEL | PERMISSION.READ_MESSAGE_HISTORY;
const THREADS: readonly number[] = [10, 11, 12];

/** Who is asked about; roles without @everyone, whether it is listed or not. */
export interface Holder {
  userId: Id;
  roles: readonly Id[];
  /** Until when they are in a time-out, milliseconds since the epoch. */
  timeoutUntil?: number | undefined;
}

/**
 * What somebody may do: in a channel, or in the whole server when none is given, by Discord's
 * documented order (owner, roles, administrator, overwrites, time-out). Of a thread pass the
 * channel that it belongs to. `now` is only needed where a time-out is known.
 */
export function permissionsIn(
  guild: Guild,
  channel: Channel | undefined,
  member: Holder,
  now = 0,
): bigint {
  if (member.userId === guild.ownerId) return ALL;
  const roles = new Set([guild.id, ...member.roles]);
  const base = guild.roles.filter((role) => roles.has(role.id))
    .reduce((bits, role) => bits | role.permissions, 0n);
  if ((base & PERMISSION.ADMINISTRATOR) !== 0n) return ALL;
  const overwritten = channel === undefined ? base : overwrite(base, channel, guild.id, member);
  const timedOut = member.timeoutUntil !== undefined && member.timeoutUntil > now;
  const kept = timedOut ? overwritten & IN_TIMEOUT : overwritten;
  // Who does not see a channel can do nothing in it, whatever else is allowed.
  return channel !== undefined && (kept & PERMISSION.VIEW_CHANNEL) === 0n
    ? 0n
    : implied(kept, channel);
}

function overwrite(base: bigint, channel: Channel, everyone: Id, member: Holder): bigint {
  let bits = base;
  const apply = (ones: Channel["overwrites"]) => {
    // Of all roles at once: an allow of one role is stronger than a deny of another.
    for (const one of ones) bits &= ~one.deny;
    for (const one of ones) bits |= one.allow;
  };
  const ofRoles = channel.overwrites.filter(({ kind }) => kind === "role");
  apply(ofRoles.filter(({ id }) => id === everyone));
  apply(ofRoles.filter(({ id }) => id !== everyone && member.roles.includes(id)));
  apply(channel.overwrites.filter(({ kind, id }) => kind === "member" && id === member.userId));
  return bits;
}

/** Without the right to send, embeds and files are worth nothing; in a thread another right counts. */
function implied(bits: bigint, channel: Channel | undefined): bigint {
  if (channel === undefined) return bits;
  const sending = THREADS.includes(channel.type)
    ? PERMISSION.SEND_MESSAGES_IN_THREADS
    : PERMISSION.SEND_MESSAGES;
  return (bits & sending) !== 0n
    ? bits
    : bits & ~(PERMISSION.EMBED_LINKS | PERMISSION.ATTACH_FILES);
}

export function may(permissions: bigint, name: PermissionName): boolean {
  return (permissions & PERMISSION[name]) !== 0n;
}

/** What of WANTED is not among these permissions, the most important first. */
export function missingPermissions(permissions: bigint): readonly Wanted[] {
  return WANTED.filter(({ name }) => !may(permissions, name));
}

/** What the own bot of a worker needs that reaches nothing but Discord: its thread, and no more. */
export const WORKER_WANTED = [
  "VIEW_CHANNEL",
  "SEND_MESSAGES_IN_THREADS",
  "READ_MESSAGE_HISTORY",
  "ATTACH_FILES",
] as const satisfies readonly PermissionName[];

/** The page on which a person adds the bot to a server, with exactly the permissions that herd needs. */
export function inviteUrl(applicationId: Id, guildId?: Id): string {
  const wanted = WANTED.map(({ name }) => name);
  return invitation(applicationId, wanted, "bot applications.commands", guildId);
}

/** The same for the own bot of a worker. */
export function workerInviteUrl(applicationId: Id, guildId?: Id): string {
  return invitation(applicationId, WORKER_WANTED, "bot", guildId);
}

export function invitation(
  applicationId: Id,
  wanted: readonly PermissionName[],
  scope: string,
  guildId: Id | undefined,
): string {
  const query = new URLSearchParams({
    client_id: applicationId,
    permissions: String(wanted.reduce((bits, name) => bits | PERMISSION[name], 0n)),
    scope,
    ...(guildId === undefined ? {} : { guild_id: guildId }),
  });
  return `https://discord.com/oauth2/authorize?${query}`;
}
