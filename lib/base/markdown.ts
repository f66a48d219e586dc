import { visible } from "./width.ts";

/** Text of others whose Markdown is shown, not obeyed. One line per line; no control or direction characters. */
export function escapeMarkdown(text: string): string {
  return text.split("\n").map((line) => visible(line).replace(/[\\`*_~|>#[\]]/g, "\\$&"))
    .join("\n");
}

/**
 * Text of others in one line of fixed width: line ends become " ; ", backticks apostrophes, and what
 * is beyond `most` UTF-16 units is "…".
 */
export function codeSpan(text: string, most: number): string {
  const flat = text.trim().replace(/\s*[\r\n\u2028\u2029]+\s*/g, " ; ").replace(/\t/g, " ")
    .replaceAll("`", "'");
  const shown = shorten(visible(flat).trim(), most);
  return `\`${shown === "" ? " " : shown}\``;
}

/** The text, or its beginning and "…" in at most `most` UTF-16 units; no half characters. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, Math.max(0, most - 1));
  return `${/[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head}…`;
}
