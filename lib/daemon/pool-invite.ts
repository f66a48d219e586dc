import { workerInviteUrl } from "../discord/permissions.ts";
import { introduceBot } from "./introduce-bot.ts";
import type { DiscordAsked } from "./introduce-bot.ts";
import { readPoolConfigIfThere } from "./pool-settings.ts";
import { UserError } from "../base/errors.ts";

export interface Invitation {
  bot: string;
  /** As Discord calls it; undefined where only its id is known. */
  name: string | undefined;
  url: string;
}

/** The pool's own bot: of the configuration, else of DISCORD_BOT_TOKEN. Undefined without a token. */
export async function inviteCoordinator(asked: DiscordAsked): Promise<Invitation | undefined> {
  const { discord } = readPoolConfigIfThere(asked.env) ?? {};
  const { token = { env: "DISCORD_BOT_TOKEN" } } = discord ?? {};
  const text = "env" in token ? asked.env[token.env]?.trim() ?? "" : token.text;
  if (text === "") return undefined;
  const { applicationId, name, invite } = await introduceBot(text, asked);
  const url = discord === undefined ? invite : `${invite}&guild_id=${discord.guildId}`;
  return { bot: applicationId, name, url };
}

/** Bots of workers that reach nothing but Discord, by client id or by the variables of their tokens. */
export async function inviteWorkers(
  { ids, variables }: { ids: readonly string[]; variables: readonly string[] },
  asked: DiscordAsked,
): Promise<readonly Invitation[]> {
  const guildId = guildOf(asked.env);
  const made: Invitation[] = ids.map((id) => {
    if (!/^\d{15,20}$/.test(id)) {
      throw new UserError(`Cannot use --bot "${id}": expected a client id, of digits`, {
        hint: "Developer Portal → the application → OAuth2 → Client ID",
      });
    }
    return { bot: id, name: undefined, url: workerInviteUrl(id, guildId) };
  });
  for (const variable of variables) {
    const token = asked.env[variable]?.trim();
    if (!token) {
      throw new UserError(
        /^\w{1,64}$/.test(variable)
          ? `Cannot use --token-env ${variable}: the variable is not set`
          : "Cannot use --token-env: expected the name of a variable",
      );
    }
    const { applicationId, name } = await introduceBot(token, asked);
    made.push({ bot: applicationId, name, url: workerInviteUrl(applicationId, guildId) });
  }
  return made;
}

function guildOf(env: DiscordAsked["env"]): string | undefined {
  return readPoolConfigIfThere(env)?.discord?.guildId;
}
