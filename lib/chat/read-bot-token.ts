import type { Fields } from "../sweep/fields.ts";
import { readToken } from "../sweep/read-token.ts";
import type { Report } from "../sweep/report.ts";
import { BOT_TOKEN_VARIABLE } from "./broker-defaults.ts";

/** `bot_token` or `bot_token_env`; undefined when neither is told. No message shows a token. */
export function readBotToken(
  fields: Fields,
  report: Report,
): { env: string } | { text: string } | undefined {
  return readToken(fields, {
    text: "bot_token",
    variable: "bot_token_env",
    example: BOT_TOKEN_VARIABLE,
    hint:
      `Copy it from Discord's developer portal, best into a variable: "\${${BOT_TOKEN_VARIABLE}}"`,
  }, report);
}
