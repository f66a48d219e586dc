import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { cleanToken, tokenMistake } from "../discord/bot-token.ts";
import { DISCORD_API_URL } from "../discord/create-link.ts";
import { createDiscordRest } from "../discord/create-rest.ts";
import { DiscordError } from "../discord/discord-error.ts";
import { inviteUrl } from "../discord/permissions.ts";
import { proxyFor } from "../discord/proxy.ts";
import type { DiscordRest } from "../discord/rest.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface DiscordAsked {
  env: Env;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** Who a bot is, as Discord says. */
export interface BotFacts {
  id: string;
  applicationId: string;
  name: string;
  /** Where a person adds it to a server, with what the coordinator needs. */
  invite: string;
  messageContent: boolean;
  guilds: readonly { id: string; name: string }[];
}

export function discordUrl(env: Env): string {
  return env["DISCORD_API_URL"] || DISCORD_API_URL;
}

/** REST alone, for as long as `use` takes. */
export async function withDiscord<T>(
  token: string,
  { env, clock, log }: Omit<DiscordAsked, "signal">,
  use: (rest: DiscordRest) => Promise<T>,
): Promise<T> {
  await using rest = createDiscordRest({
    token: cleanToken(token),
    baseUrl: discordUrl(env),
    proxy: proxyFor(discordUrl(env), env),
    clock,
    log,
    random: Math.random,
  });
  return await use(rest);
}

/** Throws UserError for a token that Discord refuses, and where Discord is not reached. */
export async function introduceBot(token: string, asked: DiscordAsked): Promise<BotFacts> {
  const mistake = tokenMistake(token);
  if (mistake !== undefined) throw new UserError(mistake.detail, { hint: mistake.hint });
  return await explained(() =>
    withDiscord(token, asked, async (rest) => {
      const me = await rest.me(asked.signal);
      const { id, messageContent } = await rest.application(asked.signal);
      const guilds = await rest.guilds(asked.signal);
      return {
        id: me.id,
        applicationId: id,
        name: me.name,
        invite: inviteUrl(id),
        messageContent,
        guilds,
      };
    })
  );
}

/** What Discord refuses, as the user's to mend. */
export async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DiscordError)) throw error;
    throw new UserError(error.message, {
      hint: error.kind === "unauthorized"
        ? "Reset the token on the page Bot of the Developer Portal, and copy it whole"
        : error.kind === "unreachable"
        ? "See whether this machine reaches discord.com, perhaps through HTTPS_PROXY"
        : "See what the bot may do on that server: `herd pool invite` and `herd broker invite` print " +
          "the link with its rights",
      cause: error,
    });
  }
}
