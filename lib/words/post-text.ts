import { visible } from "../base/width.ts";

/** Longest text of one post: Discord takes 2,000 characters, and a prefix comes before it. */
export const POST_LIMIT = 1900;

/** The text itself when it is short enough, else its beginning up to a line's or a word's end. */
export function keepBeginning(text: string, most = POST_LIMIT): string {
  if (text.length <= most) return text;
  const cut = whole(text.slice(0, most - 2));
  const end = Math.max(cut.lastIndexOf("\n"), cut.lastIndexOf(" "));
  return `${(end > most / 2 ? cut.slice(0, end) : cut).trimEnd()} …`;
}

/** The text itself when it is short enough, else its end: the newest lines of a log. */
export function keepEnd(text: string, most = POST_LIMIT): string {
  if (text.length <= most) return text;
  const cut = text.slice(text.length - most + 2);
  const start = cut.indexOf("\n") + 1;
  return `…\n${whole(start > 0 && start < most / 2 ? cut.slice(start) : cut)}`;
}

/**
 * Text from a log, a file or another person as part of a sentence: one line,
 * nothing that drives a terminal, not longer than `most`.
 */
export function quoted(text: string, most = 160): string {
  const line = visible(text.replace(/\s+/g, " ").trim());
  return line.length <= most ? line : `${whole(line.slice(0, most - 1)).trimEnd()}…`;
}

/** Without half a character at either end: emoji are two halves. */
function whole(text: string): string {
  return text.replace(/[\ud800-\udbff]$/, "").replace(/^[\udc00-\udfff]/, "");
}

/** Sentences, as many as fit; of the others only the number is told. */
export function joinFitting(lines: readonly string[], most = POST_LIMIT, noun = "line"): string {
  const kept: string[] = [];
  let length = 0;
  for (const [i, line] of lines.entries()) {
    const rest = `… and ${lines.length - i} more ${noun}${lines.length - i === 1 ? "" : "s"}`;
    if (length + line.length + 1 + rest.length > most) return [...kept, rest].join("\n");
    kept.push(line);
    length += line.length + 1;
  }
  return kept.join("\n");
}
