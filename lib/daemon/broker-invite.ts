import type { BotConfig } from "../chat/broker-config.ts";
import { BOT_TOKEN_VARIABLE } from "../chat/broker-defaults.ts";
import { botToken, tokenSource } from "./bot-token.ts";
import { readBrokerSettingsIfThere } from "./broker-settings.ts";
import { introduceConversing } from "./broker-setup.ts";
import { withDotenv } from "./herd-config-file.ts";
import type { DiscordAsked } from "./introduce-bot.ts";

/** `url`: the page on which a person adds the bot to a server; undefined where its token is not here. */
export interface BotInvitation {
  /** As the configuration calls it. */
  bot: string;
  /** As Discord calls it. */
  name: string | undefined;
  url: string | undefined;
  /** Where its token is to be. */
  variable: string;
}

/**
 * Links for the bots of the configuration; without one, or with `variable`, for the bot of that
 * variable, which may stand in `.env` beside the configuration. Throws UserError for a token that Discord refuses.
 */
export async function inviteConversing(
  variable: string | undefined,
  asked: DiscordAsked,
): Promise<readonly BotInvitation[]> {
  const usual: Pick<BotConfig, "name" | "token"> = {
    name: "herd",
    token: { env: variable ?? BOT_TOKEN_VARIABLE },
  };
  const bots = variable === undefined
    ? readBrokerSettingsIfThere(asked.env)?.broker.bots ?? [usual]
    : [usual];
  const env = withDotenv(asked.env);
  const invitations: BotInvitation[] = [];
  for (const bot of bots) {
    const given = botToken(bot, [], env);
    const facts = "text" in given
      ? await introduceConversing(given.text, { ...asked, env })
      : undefined;
    invitations.push({
      bot: bot.name,
      name: facts?.name,
      url: facts?.invite,
      variable: tokenSource(bot),
    });
  }
  return invitations;
}
