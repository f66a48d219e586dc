/** Escape sequences: CSI, then OSC and its like up to their end, then the short ones. */
const SEQUENCES =
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?/g;
// deno-lint-ignore no-control-regex -- as above
const HARMLESS = /^\x1b\[[0-9;:]*[mK]$/;

/**
 * A log's text for a terminal: colours, returns and tabs stay; what would move
 * the cursor, change the title or make the terminal answer is taken out.
 */
export function shownText(text: string): string {
  return text
    .replace(SEQUENCES, (found) => HARMLESS.test(found) ? found : "")
    // deno-lint-ignore no-control-regex -- as above
    .replace(/[^\P{Cc}\n\r\t\x1b\b]/gu, "");
}
