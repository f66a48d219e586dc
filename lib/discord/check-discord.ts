import type { Finding } from "../base/finding.ts";
import { tokenMistake } from "./bot-token.ts";
import { DiscordError } from "./discord-error.ts";
import { CONTENT_REFUSED, TOKEN_REFUSED } from "./gateway-ending.ts";
import type { Id } from "./message.ts";
import { inviteUrl, missingPermissions, permissionsIn, type Wanted } from "./permissions.ts";
import type { Proxy } from "./proxy.ts";
import type { Channel, DiscordRest, Guild } from "./rest.ts";

export interface DiscordCheck {
  /** As it is in the environment; "" when it is not. */
  token: string;
  guildId: Id | undefined;
  /** `discord.channel_id`, or where the sweep's channel is known to be. */
  channelId: Id | undefined;
  rest: Pick<
    DiscordRest,
    "me" | "application" | "guilds" | "guild" | "member" | "channel" | "gateway"
  >;
  /** The proxy on the way, for the sentence that says that nothing answers. */
  proxy: Proxy | undefined;
  signal?: AbortSignal;
}

const AREA = "Discord";
const TEXT_CHANNELS: readonly number[] = [0, 5];
/** Below so many new sessions left for the day, people should know. */
const FEW_SESSIONS = 50;
const MOST_GUILDS_SHOWN = 10;

/** How Discord is set up, and what is missing; it only reads. Throws nothing but the signal's reason. */
export async function checkDiscord(check: DiscordCheck): Promise<readonly Finding[]> {
  const mistake = tokenMistake(check.token);
  if (mistake !== undefined) return [bad(mistake.detail, mistake.hint)];
  const findings: Finding[] = [];
  try {
    await lookAt(check, findings);
  } catch (error) {
    check.signal?.throwIfAborted();
    if (!(error instanceof DiscordError)) throw error;
    findings.push(trouble(error, check.proxy));
  }
  return findings;
}

async function lookAt(check: DiscordCheck, findings: Finding[]): Promise<void> {
  const { rest, guildId, signal } = check;
  const me = await rest.me(signal);
  const application = await rest.application(signal);
  findings.push(good(`The bot is "${me.name}" of application "${application.name}"`));
  findings.push(
    application.messageContent
      ? good("MESSAGE CONTENT INTENT is on")
      : doubt(CONTENT_REFUSED.detail, CONTENT_REFUSED.hint),
  );
  const { remaining, resetAfterMs } = await rest.gateway(signal);
  if (remaining < FEW_SESSIONS) {
    const hours = Math.ceil(resetAfterMs / 3_600_000);
    findings.push(
      doubt(
        `Discord allows this bot only ${remaining} more new sessions within ${hours} h`,
        "See whether another program uses the same token, and restarts again and again",
      ),
    );
  }
  if (guildId === undefined) {
    findings.push(
      bad("discord.guild_id is not set", await guildHint(check, application.id)),
    );
    return;
  }
  const guild = await visible(() => rest.guild(guildId, signal));
  if (guild === undefined) {
    const message = `The bot cannot see server "${guildId}": it has not been invited`;
    findings.push(bad(message, await guildHint(check, application.id)));
    return;
  }
  findings.push(good(`Server "${guild.name}" is visible`));
  await lookAtChannel(check, guild, me.id, application.id, findings);
}

async function lookAtChannel(
  { rest, channelId, signal }: DiscordCheck,
  guild: Guild,
  me: Id,
  application: Id,
  findings: Finding[],
): Promise<void> {
  let channel: Channel | undefined;
  if (channelId !== undefined) {
    channel = await visible(() => rest.channel(channelId, signal));
    const why = channel === undefined
      ? "is not visible to the bot"
      : channel.guildId !== guild.id
      ? `does not belong to server "${guild.name}"`
      : TEXT_CHANNELS.includes(channel.type)
      ? undefined
      : "is no text channel";
    if (why !== undefined) {
      const mend = "Set discord.channel_id to a text channel of the server in which the bot may " +
        "view channels, or leave it out and let herd create one";
      findings.push(bad(`Channel "${channelId}" ${why}`, mend));
      return;
    }
    findings.push(good(`Channel "#${channel?.name}" is visible`));
  }
  const holder = await rest.member(guild.id, me, signal);
  const missing = missingPermissions(permissionsIn(guild, channel, holder))
    // A channel that is there need not be created.
    .filter(({ name }) => channel === undefined || name !== "MANAGE_CHANNELS");
  const place = channel === undefined
    ? `on server "${guild.name}"`
    : `in channel "#${channel.name}"`;
  if (missing.length === 0) {
    findings.push(good(`The bot has every permission that it needs ${place}`));
  } else findings.push(...missing.map((wanted) => lacking(wanted, place, application, guild.id)));
}

function lacking(wanted: Wanted, place: string, application: Id, guild: Id): Finding {
  const without = wanted.without.charAt(0).toLowerCase() + wanted.without.slice(1);
  return {
    area: AREA,
    // Without a channel, and without the right to make one, there will be none.
    mark: wanted.vital || wanted.name === "MANAGE_CHANNELS" ? "bad" : "doubt",
    message: `The bot lacks the permission "${wanted.label}" ${place}: ${without}`,
    mend: `Invite it again, with the right permissions, by ${inviteUrl(application, guild)}, ` +
      "and see that no setting of the channel takes them away",
  };
}

/** Undefined where Discord says that it is not there, or not for us. */
async function visible<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const hidden = error instanceof DiscordError &&
      (error.kind === "missing" || error.kind === "forbidden" || error.kind === "rejected");
    if (hidden) return undefined;
    throw error;
  }
}

async function guildHint({ rest, signal }: DiscordCheck, application: Id): Promise<string> {
  const guilds = await rest.guilds(signal);
  const named = guilds.slice(0, MOST_GUILDS_SHOWN).map(({ id, name }) => `"${name}" (${id})`);
  const more = guilds.length > named.length ? ` and ${guilds.length - named.length} more` : "";
  const seen = guilds.length === 0
    ? "The bot is in no server"
    : `The bot is in ${named.join(", ")}${more}: set discord.guild_id to one of these`;
  return `${seen}${guilds.length === 0 ? ": invite it" : ", or invite it"} by ${
    inviteUrl(application)
  }`;
}

function trouble(error: DiscordError, proxy: Proxy | undefined): Finding {
  if (error.kind === "unauthorized") return bad(TOKEN_REFUSED.detail, TOKEN_REFUSED.hint);
  if (error.kind !== "unreachable") return bad(error.message);
  return bad(
    error.message,
    proxy === undefined
      ? "See whether this machine reaches the internet; where it does so through a proxy, set HTTPS_PROXY"
      : `See whether the proxy ${proxy.shown} (HTTPS_PROXY) lets connections to Discord through`,
  );
}

function good(message: string): Finding {
  return { area: AREA, mark: "good", message };
}

function doubt(message: string, mend: string): Finding {
  return { area: AREA, mark: "doubt", message, mend };
}

function bad(message: string, mend?: string): Finding {
  return { area: AREA, mark: "bad", message, ...(mend === undefined ? {} : { mend }) };
}
