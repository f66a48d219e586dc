import type { BotConfig } from "../chat/broker-config.ts";
import { cleanToken } from "../discord/bot-token.ts";

type Env = Readonly<Record<string, string | undefined>>;
type Bot = Pick<BotConfig, "name" | "token">;

/** `unset`: where it is to be; `twin`: the bot before this one that has the same. */
export type BotToken = { text: string } | { unset: string } | { twin: string };

/** The token of one of `bots`: never show it. Of two that have the same the first one has it. */
export function botToken(bot: Bot, bots: readonly Bot[], env: Env): BotToken {
  const text = textOf(bot, env);
  if (text === "") return { unset: tokenSource(bot) };
  const before = bots.slice(0, Math.max(bots.findIndex(({ name }) => name === bot.name), 0));
  const twin = before.find((other) => cleanToken(textOf(other, env)) === cleanToken(text));
  return twin === undefined ? { text } : { twin: twin.name };
}

/** The variable that is to hold it, or the key of the configuration that does. */
export function tokenSource({ token }: Pick<Bot, "token">): string {
  return "env" in token ? token.env : "bot_token";
}

function textOf({ token }: Bot, env: Env): string {
  return "env" in token ? env[token.env]?.trim() ?? "" : token.text;
}
