import { type Fields, readText } from "./fields.ts";
import type { Report } from "./report.ts";

export interface TokenKeys {
  /** With the token itself. */
  text: string;
  /** With the name of the variable that has it. */
  variable: string;
  /** A name that one may have. */
  example: string;
  /** What to do about a token that is none. */
  hint: string;
}

/** A Discord bot's token, or where it is; undefined when neither is told. No message shows it. */
export function readToken(
  fields: Fields,
  { text: textKey, variable: variableKey, example, hint }: TokenKeys,
  report: Report,
): { env: string } | { text: string } | undefined {
  const text = fields.get(textKey);
  const variable = fields.get(variableKey);
  if (text !== undefined && variable !== undefined) {
    return report.mistake(
      variable.at,
      `Cannot use "${variableKey}" beside "${textKey}": one of them is enough`,
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
        hint,
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
    `Cannot read ${variable.value.path}: expected the name of a variable such as "${example}"`,
  );
}
