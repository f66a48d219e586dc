import { type Fields, readText } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import { BOT_TOKEN_VARIABLE } from "./broker-defaults.ts";

/** `bot_token` or `bot_token_env`; undefined when neither is told. No message shows a token. */
export function readBotToken(
  fields: Fields,
  report: Report,
): { env: string } | { text: string } | undefined {
  const text = fields.get("bot_token");
  const variable = fields.get("bot_token_env");
  if (text !== undefined && variable !== undefined) {
    return report.mistake(
      variable.at,
      'Cannot use "bot_token_env" beside "bot_token": one of them is enough',
      "Keep one of them",
    );
  }
  if (text !== undefined) {
    const { value } = text;
    return value.kind === "scalar" && /^[\x21-\x7e]{20,200}$/.test(value.text)
      ? { text: value.text }
      : report.mistake(
        value,
        `Cannot read ${value.path}: expected a bot's token, which is not shown here`,
        `Copy it from Discord's developer portal, best into a variable: "\${${BOT_TOKEN_VARIABLE}}"`,
      );
  }
  if (variable === undefined) return undefined;
  const name = readText(variable.value, report);
  if (name === undefined || /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return name === undefined ? undefined : { env: name };
  }
  // Somebody may have put the token itself here.
  return report.mistake(
    variable.value,
    `Cannot read ${variable.value.path}: expected the name of a variable such as "${BOT_TOKEN_VARIABLE}"`,
  );
}
