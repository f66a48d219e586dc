import { LIMITS } from "./limits.ts";

const FENCE = /^(`{3,})([\w+-]*)\s*$/;

/**
 * Text in pieces that Discord takes, in order: cut between paragraphs, else lines, else
 * sentences, else words. A code block that is cut is closed and opened again, so that no
 * piece holds half a fence.
 */
export function splitText(text: string, most: number = LIMITS.content): string[] {
  const pieces: string[] = [];
  let lines: string[] = [];
  let size = 0;
  /** The fence that is open at the end of `lines`. */
  let fence: string | undefined;
  const opened = () => fence === undefined ? [] : [fence];

  function flush(upTo = lines.length): void {
    const kept = lines.slice(0, upTo);
    const rest = lines.slice(upTo);
    const piece = [...kept, ...(upTo === lines.length && fence !== undefined ? ["```"] : [])];
    // An opening fence with nothing in it says nothing.
    if (kept.some((line) => !FENCE.test(line) && line.trim() !== "")) {
      pieces.push(piece.join("\n").replace(/^\n+|\s+$/g, ""));
    }
    lines = upTo === lines.length ? opened() : rest;
    size = lines.reduce((sum, line) => sum + line.length + 1, 0);
  }

  for (const line of text.split("\n")) {
    const isFence = FENCE.exec(line);
    const next = isFence === null ? fence : fence === undefined ? line.trimEnd() : undefined;
    // Room for the fence that would have to be closed behind it.
    const room = most - (next === undefined && fence === undefined ? 0 : 4);
    // Where it is cut, the fence that is opened again needs room as well.
    const widest = room - (fence === undefined ? 0 : fence.length + 1);
    for (const part of line.length > widest ? cutLine(line, widest) : [line]) {
      if (size + part.length > room && lines.length > 0) {
        flush(fence === undefined ? paragraphEnd(lines, most) : undefined);
        if (size + part.length > room) flush();
      }
      lines.push(part);
      size += part.length + 1;
    }
    fence = next;
  }
  flush();
  return pieces;
}

/** How many lines stand before the last empty one, when that is far enough down and outside of code. */
function paragraphEnd(lines: readonly string[], most: number): number | undefined {
  let size = 0;
  let inside = false;
  let found: number | undefined;
  for (const [i, line] of lines.entries()) {
    if (FENCE.test(line)) inside = !inside;
    size += line.length + 1;
    if (!inside && line.trim() === "" && size > most / 2) found = i + 1;
  }
  return found;
}

/** One line that is too long: at the ends of sentences, else between words, never within a character. */
function cutLine(line: string, most: number): string[] {
  const parts: string[] = [];
  let rest = line;
  while (rest.length > most) {
    const head = rest.slice(0, most);
    const sentence = Math.max(
      head.lastIndexOf(". "),
      head.lastIndexOf("? "),
      head.lastIndexOf("! "),
    );
    const word = head.lastIndexOf(" ");
    const at = sentence > most / 2
      ? sentence + 2
      : word > most / 2
      ? word + 1
      : wholeEnd(rest, most);
    parts.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at);
  }
  parts.push(rest);
  return parts.filter((part) => part !== "");
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The last place up to `most` that is between two characters as people see them. */
function wholeEnd(text: string, most: number): number {
  const from = Math.max(0, most - 64);
  let end = 0;
  for (const { index } of graphemes.segment(text.slice(from, most + 64))) {
    if (from + index <= most) end = from + index;
  }
  if (end > from) return end;
  // One character of more than 64 units: somewhere it must end, but not between two halves.
  return /[\ud800-\udbff]/.test(text[most - 1] ?? "") ? most - 1 : most;
}
