import type { BotConfig } from "../chat/broker-config.ts";
import { readBrokerSettingsIfThere } from "./broker-settings.ts";
import { introduceConversing } from "./broker-setup.ts";
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
 * variable. Throws UserError for a token that Discord refuses.
 */
export async function inviteConversing(
  variable: string | undefined,
  asked: DiscordAsked,
): Promise<readonly BotInvitation[]> {
  const usual: Pick<BotConfig, "name" | "token"> = {
    name: "herd",
    token: { env: variable ?? "DISCORD_BOT_TOKEN" },
  };
  const bots = variable === undefined
    ? readBrokerSettingsIfThere(asked.env)?.broker.bots ?? [usual]
    : [usual];
  const invitations: BotInvitation[] = [];
  for (const { name, token } of bots) {
    const text = "env" in token ? asked.env[token.env]?.trim() ?? "" : token.text;
    const facts = text === "" ? undefined : await introduceConversing(text, asked);
    invitations.push({
      bot: name,
      name: facts?.name,
      url: facts?.invite,
      variable: "env" in token ? token.env : "bot_token",
    });
  }
  return invitations;
}
