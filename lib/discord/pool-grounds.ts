import { channelName } from "./channel-name.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id } from "./message.ts";
import {
  inviteUrl,
  may,
  missingPermissions,
  PERMISSION,
  permissionsIn,
  WANTED,
  WORKER_WANTED,
} from "./permissions.ts";
import { markIn, POOL_TOPICS } from "./pool-home.ts";
import type { PoolPlace } from "./pool-memory.ts";
import type { Channel, DiscordRest, Guild, GuildMember } from "./rest.ts";

export interface GroundsWish {
  guildId: Id;
  applicationId: Id;
  /** The bot. */
  me: Id;
  /** Names, or ids of digits. */
  channels: Readonly<Record<PoolPlace, string>>;
  /** Stand in the topics of channels that are this pool's; the first is written into new ones. */
  marks: readonly [string, ...string[]];
  /** Who sees channels that are made; undefined: everybody on the server. */
  only: { people: readonly Id[]; workerBots: readonly Id[] } | undefined;
}

export interface Ground {
  place: PoolPlace;
  name: string;
  /** Undefined: it is to be made. */
  channel: Channel | undefined;
  isOwn: boolean;
}

/** Where the pool's channels are or are to be. */
export interface Grounds {
  guild: Guild;
  grounds: readonly Ground[];
  /** What keeps it from working, each with a remedy; nothing should be made then. */
  problems: readonly string[];
  /** What works less than it could. */
  notices: readonly string[];
}

type Rest = Pick<
  DiscordRest,
  "guild" | "member" | "channels" | "channel" | "createChannel" | "editChannel"
>;

const PLACES: readonly PoolPlace[] = ["queue", "results", "workers"];
const TEXT_CHANNELS: readonly number[] = [0, 5];
const TOPIC_ROOM = 900;
const ID = /^\d{15,20}$/;
/** What somebody needs in a channel that others do not see. */
const PERSONS = PERMISSION.VIEW_CHANNEL | PERMISSION.SEND_MESSAGES |
  PERMISSION.READ_MESSAGE_HISTORY | PERMISSION.ADD_REACTIONS | PERMISSION.ATTACH_FILES |
  PERMISSION.SEND_MESSAGES_IN_THREADS;

/** Looks for the pool's channels and changes nothing. Throws DiscordError. */
export async function surveyGrounds(
  rest: Rest,
  wish: GroundsWish,
  signal?: AbortSignal,
): Promise<Grounds> {
  const guild = await rest.guild(wish.guildId, signal);
  const bot = await rest.member(wish.guildId, wish.me, signal);
  const all = await rest.channels(wish.guildId, signal);
  const problems: string[] = [];
  const notices: string[] = [];
  const grounds = PLACES.flatMap((place) => {
    const found = ground(place, wish, all, problems);
    return found === undefined ? [] : [found];
  });
  const again = inviteUrl(wish.applicationId, wish.guildId);
  for (const { channel, place } of grounds) {
    const other = grounds.find((one) => one.place !== place && one.channel?.id === channel?.id);
    if (channel === undefined) continue;
    if (other !== undefined && place < other.place) {
      problems.push(
        `Cannot use "#${channel.name}" for ${place} and ${other.place}: each is its own`,
      );
    }
    judge({ guild, bot, channel, again }, problems, notices);
  }
  const unmade = grounds.filter(({ channel }) => channel === undefined);
  const rights = permissionsIn(guild, undefined, bot);
  if (unmade.length > 0 && !may(rights, "MANAGE_CHANNELS")) {
    const names = unmade.map(({ name }) => `"#${name}"`).join(", ");
    problems.push(
      `Cannot create ${names}: the bot lacks the permission Manage Channels; invite it again by ` +
        `${again}, or make the channels and give their ids`,
    );
  }
  if (unmade.length > 0) judge({ guild, bot, channel: undefined, again }, problems, notices);
  if (wish.only !== undefined) notices.push(...privacyNotices(grounds, wish.only.people));
  return { guild, grounds, problems: [...new Set(problems)], notices: [...new Set(notices)] };
}

function privacyNotices(grounds: readonly Ground[], people: readonly Id[]): string[] {
  const notices: string[] = [];
  const there = grounds.filter(({ channel }) => channel !== undefined);
  if (there.length > 0) {
    const names = there.map(({ name }) => `"#${name}"`).join(", ");
    notices.push(`Who sees ${names} stays as it is: only channels that are made become private`);
  }
  if (there.length < grounds.length && people.length === 0) {
    notices.push("Only administrators see the channels that are made: --author names others");
  }
  return notices;
}

function ground(
  place: PoolPlace,
  { channels, marks, guildId }: GroundsWish,
  all: readonly Channel[],
  problems: string[],
): Ground | undefined {
  const wanted = channels[place].trim().replace(/^#/, "").replace(/^<#(\d+)>$/, "$1");
  if (ID.test(wanted)) {
    const channel = all.find(({ id }) => id === wanted);
    if (channel !== undefined && TEXT_CHANNELS.includes(channel.type)) {
      return { place, name: channel.name, channel, isOwn: true };
    }
    problems.push(
      channel === undefined
        ? `Cannot find channel "${wanted}" (${place}) in server "${guildId}", or the bot may not see it`
        : `Cannot use "#${channel.name}" (${place}): it is no text channel`,
    );
    return undefined;
  }
  const name = channelName(wanted);
  const named = all.filter((one) => TEXT_CHANNELS.includes(one.type) && one.name === name);
  const own = named.find(({ topic }) => marks.some((mark) => markIn(topic) === mark));
  const channel = own ?? named.find(({ topic }) => markIn(topic) === undefined);
  if (channel === undefined && named.length > 0) {
    problems.push(
      `Cannot use "#${name}" (${place}): its topic says that it is a sweep's or another pool's; ` +
        `give another name, or its id "${named[0]!.id}" when it is yours`,
    );
    return undefined;
  }
  return { place, name, channel, isOwn: own !== undefined };
}

function judge(
  { guild, bot, channel, again }: {
    guild: Guild;
    bot: GuildMember;
    channel: Channel | undefined;
    again: string;
  },
  problems: string[],
  notices: string[],
): void {
  const place = channel === undefined ? `on server "${guild.name}"` : `in "#${channel.name}"`;
  for (const { name, label, vital } of missingPermissions(permissionsIn(guild, channel, bot))) {
    // Of making channels is said elsewhere.
    if (name === "MANAGE_CHANNELS") continue;
    const text = `The bot lacks the permission "${label}" ${place}: invite it again by ${again}, ` +
      "and see that no setting of the channel takes it away";
    (vital ? problems : notices).push(text);
  }
}

/** Makes what is to be made, one after another; what was made before a failure is found again by its mark. */
export async function layGrounds(
  rest: Rest,
  { guild, grounds }: Grounds,
  wish: GroundsWish,
  signal?: AbortSignal,
): Promise<Readonly<Record<PoolPlace, { id: Id; name: string }>>> {
  const laid: Partial<Record<PoolPlace, { id: Id; name: string }>> = {};
  for (const { place, name, channel, isOwn } of grounds) {
    const topic = topicOf(place, channel?.topic ?? "", wish.marks[0]);
    const { id } = channel === undefined
      ? await rest.createChannel(wish.guildId, {
        name,
        topic,
        ...(wish.only === undefined ? {} : { overwrites: overwritesOf(place, guild, wish) }),
      }, signal)
      : isOwn
      ? channel
      : await claim(rest, channel, topic, signal);
    laid[place] = { id, name };
  }
  return laid as Readonly<Record<PoolPlace, { id: Id; name: string }>>;
}

/** So that no sweep takes it for its own; where the topic may not be written it is used unmarked. */
async function claim(
  rest: Rest,
  channel: Channel,
  topic: string,
  signal: AbortSignal | undefined,
): Promise<Channel> {
  try {
    return await rest.editChannel(channel.id, { topic }, signal);
  } catch (error) {
    if (error instanceof DiscordError && error.kind === "forbidden") return channel;
    throw error;
  }
}

function topicOf(place: PoolPlace, before: string, mark: string): string {
  const own = before === "" ? POOL_TOPICS[place] : before;
  return `${own.slice(0, TOPIC_ROOM)} [herd:${mark}]`;
}

function overwritesOf(
  place: PoolPlace,
  guild: Guild,
  { me, only }: GroundsWish,
): Channel["overwrites"] {
  const roles = new Set(guild.roles.map(({ id }) => id));
  const workers = WORKER_WANTED.reduce((bits, name) => bits | PERMISSION[name], 0n);
  const own = WANTED.reduce((bits, { name }) => bits | PERMISSION[name], 0n) &
    // Only an administrator may give it within a channel; from the server the bot has it already.
    ~PERMISSION.MANAGE_CHANNELS;
  return [
    { id: guild.id, kind: "role", allow: 0n, deny: PERMISSION.VIEW_CHANNEL },
    { id: me, kind: "member", allow: own, deny: 0n },
    ...[...new Set(only?.people)].filter((id) => id !== guild.id && id !== me).map((id) => ({
      id,
      kind: roles.has(id) ? "role" as const : "member" as const,
      allow: PERSONS,
      deny: 0n,
    })),
    ...(place === "workers" ? [...new Set(only?.workerBots)] : []).map((id) => ({
      id,
      kind: "member" as const,
      allow: workers,
      deny: 0n,
    })),
  ];
}
