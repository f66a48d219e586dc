import { visible } from "../lib/base/width.ts";
import type { BotFacts } from "../lib/daemon/introduce-bot.ts";

/** The bot and its server, as far as flags say them. Pushes what is missing. */
export async function findBot(
  introduce: (token: string) => Promise<BotFacts>,
  { token, guildId }: {
    token: { variable: string; text: string | undefined };
    guildId: string | undefined;
  },
  missing: string[],
  otherwise = "",
): Promise<{ bot: BotFacts; guildId: string } | undefined> {
  if (token.text === undefined) {
    missing.push(
      `The bot's token: the variable ${token.variable} is not set (--token-env names another` +
        `${otherwise})`,
    );
    if (guildId === undefined) missing.push("The Discord server: --guild ID");
    return undefined;
  }
  const bot = await introduce(token.text);
  if (!bot.messageContent) {
    missing.push(
      "MESSAGE CONTENT INTENT of the bot is off: discord.com/developers/applications → Bot → " +
        "Privileged Gateway Intents",
    );
  }
  const [only, ...others] = bot.guilds;
  const chosen = guildId === undefined
    ? others.length === 0 ? only : undefined
    : bot.guilds.find(({ id }) => id === guildId);
  if (chosen !== undefined) return { bot, guildId: chosen.id };
  const listed = bot.guilds.slice(0, 10).map(({ id, name }) => `"${visible(name)}" (${id})`);
  missing.push(
    bot.guilds.length === 0
      ? `The Discord server: the bot is in none yet, invite it by ${bot.invite}`
      : `The Discord server: --guild ID; the bot is in ${listed.join(", ")}`,
  );
  return undefined;
}
