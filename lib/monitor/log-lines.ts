import { shownText } from "../base/shown.ts";

/** What a log may hold of one line; the rest of a dumped tensor says nothing more. */
const LONGEST_LINE = 4000;
/** Of a longer text only the end counts. */
const LONGEST_TEXT = 512 * 1024;

/**
 * A log's end as plain lines: escape sequences and control characters taken out,
 * each state of a progress bar (they return the carriage) a line of its own.
 */
export function logLines(text: string): string[] {
  return shownText(text.slice(-LONGEST_TEXT))
    // deno-lint-ignore no-control-regex -- colours are what is looked for
    .replace(/\x1b\[[0-9;:]*[mK]/g, "")
    .split(/[\r\n]+/)
    .map((line) => bare(line.length > LONGEST_LINE ? line.slice(0, LONGEST_LINE) : line).trimEnd());
}

/** One line for people from text of anybody's: nothing in it moves a cursor, hides or turns text around. */
export function oneLine(text: string, most: number): string {
  const plain = bare(text.replace(/\s+/g, " ")).trim();
  const characters = [...plain];
  return characters.length <= most ? plain : `${characters.slice(0, most - 1).join("").trimEnd()}…`;
}

/** Without control characters, invisible ones and those that change the direction of writing. */
function bare(text: string): string {
  return text.replaceAll("\t", "    ").replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "");
}
