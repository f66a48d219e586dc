/** What is wrong with a token before Discord is asked, with what to do about it. */
export interface TokenMistake {
  detail: string;
  hint: string;
}

/** The token as it was meant: without space around it and the "Bot " of the documentation. */
export function cleanToken(text: string): string {
  return text.trim().replace(/^Bot\s+/i, "");
}

/** Undefined where it may be one. Never says the token. */
export function tokenMistake(text: string): TokenMistake | undefined {
  const token = cleanToken(text);
  if (token === "") {
    return {
      detail: "DISCORD_BOT_TOKEN is not in the environment",
      hint: "Set it to the token of your bot, in the shell that starts herd or in the file .env " +
        "of the workspace",
    };
  }
  // A header with anything else would fail in every request, and look like a broken network.
  if (/^[\x21-\x7e]+$/.test(token)) return undefined;
  return {
    detail: "DISCORD_BOT_TOKEN holds a character that no token has",
    hint: "Copy the token once more from the Discord developer portal",
  };
}
