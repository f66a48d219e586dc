import { brokerInviteUrl, lackingRights } from "./broker-rights.ts";
import type { Id } from "./message.ts";
import { may, permissionsIn } from "./permissions.ts";
import type { Channel, DiscordRest, Guild, GuildMember } from "./rest.ts";

export interface BotWish {
  guildId: Id;
  applicationId: Id;
  /** The bot. */
  me: Id;
  /** Names or ids; `all`: wherever the bot is. */
  channels: readonly string[] | "all";
  /** Ids of users and roles. */
  people: readonly Id[] | "all";
}

/** Where a bot is to converse, and with whom, as Discord knows them. */
export interface BotSurvey {
  guild: Pick<Guild, "id" | "name">;
  channels: readonly { id: Id; name: string }[] | "all";
  users: readonly Id[] | "all";
  roles: readonly { id: Id; name: string }[];
  /** What keeps it from working. */
  problems: readonly string[];
  /** What works less than it could. */
  notices: readonly string[];
}

type Rest = Pick<DiscordRest, "guild" | "member" | "channels">;

/** Of a text channel or one for announcements; threads and others cannot be allowed. */
const TEXT_CHANNELS: readonly number[] = [0, 5];

/** The channels in which the bot could be, in Discord's order. Throws DiscordError. */
export async function channelsOfBot(
  rest: Rest,
  { guildId, me }: Pick<BotWish, "guildId" | "me">,
  signal?: AbortSignal,
): Promise<readonly { id: Id; name: string }[]> {
  const guild = await rest.guild(guildId, signal);
  const bot = await rest.member(guildId, me, signal);
  return (await rest.channels(guildId, signal))
    .filter((one) => TEXT_CHANNELS.includes(one.type) && sees(guild, one, bot))
    .map(({ id, name }) => ({ id, name }));
}

/** Changes nothing. Throws DiscordError. */
export async function surveyBot(
  rest: Rest,
  wish: BotWish,
  signal?: AbortSignal,
): Promise<BotSurvey> {
  const guild = await rest.guild(wish.guildId, signal);
  const bot = await rest.member(wish.guildId, wish.me, signal);
  const all = await rest.channels(wish.guildId, signal);
  const problems: string[] = [];
  const notices: string[] = [];
  const channels = wish.channels === "all" ? "all" as const : wish.channels.flatMap((wanted) => {
    const found = findChannel(wanted, all);
    if (typeof found === "string") problems.push(found);
    return typeof found === "string" ? [] : [found];
  });
  for (const channel of channels === "all" ? [undefined] : channels) {
    const lacking = lackingRights(permissionsIn(guild, channel, bot));
    const place = channel === undefined ? `On "${guild.name}"` : `#${channel.name}`;
    const again = brokerInviteUrl(wish.applicationId, guild.id);
    for (const { name, label, without } of lacking) {
      const told = `${place}: the bot lacks the right "${label}": ${without}`;
      if (name === "VIEW_CHANNEL") problems.push(`${told}; the channel's permissions give it`);
      else notices.push(`${told}; invite it again by ${again}`);
    }
  }
  const roles = wish.people === "all"
    ? []
    : guild.roles.filter(({ id }) => id !== guild.id && wish.people.includes(id));
  const isRole = (id: Id) => guild.roles.some((role) => role.id === id);
  return {
    guild,
    channels: channels === "all" ? channels : distinct(channels),
    // The role that has the server's own id is everybody.
    users: wish.people === "all" || wish.people.includes(guild.id)
      ? "all"
      : wish.people.filter((id) => !isRole(id)),
    roles: roles.map(({ id, name }) => ({ id, name })),
    problems: [...new Set(problems)],
    notices: [...new Set(notices)],
  };
}

/** A sentence says why there is none. */
function findChannel(wanted: string, all: readonly Channel[]): Channel | string {
  const text = wanted.trim().replace(/^<#(\d+)>$/, "$1").replace(/^#/, "");
  const named = all.filter(({ id, name }) => id === text || name === text.toLowerCase());
  const [found, second] = named.filter(({ type }) => TEXT_CHANNELS.includes(type));
  if (found === undefined) {
    return named.length > 0
      ? `Cannot use "#${text}": it is no text channel`
      : `Cannot find channel "${text}" on this server, or the bot may not see it`;
  }
  return second === undefined
    ? found
    : `Cannot choose between channels called "#${text}": give the id of one`;
}

function sees(guild: Guild, channel: Channel, bot: GuildMember): boolean {
  return may(permissionsIn(guild, channel, bot), "VIEW_CHANNEL");
}

function distinct(channels: readonly Channel[]): { id: Id; name: string }[] {
  return [...new Map(channels.map(({ id, name }) => [id, { id, name }])).values()];
}
