import { closingOf, type Fence, fenceAfter } from "./fences.ts";
import { tableAt } from "./markdown-table.ts";

export interface SplitOptions {
  /** Code blocks and tables that fit into a piece begin a new one rather than be cut. */
  whole?: boolean;
}

/**
 * Text in pieces of at most `most` UTF-16 units, in order: cut between paragraphs, else lines, else
 * sentences, else words. A code block that is cut is closed and opened again, so that no
 * piece holds half a fence. Not for less than 150 units.
 */
export function splitText(
  text: string,
  most: number,
  { whole = false }: SplitOptions = {},
): string[] {
  const pieces: string[] = [];
  let lines: string[] = [];
  let size = 0;
  /** The fence that is open at the end of `lines`. */
  let fence: Fence | undefined;
  const all = text.split("\n");

  function flush(upTo = lines.length): void {
    const kept = lines.slice(0, upTo);
    const rest = lines.slice(upTo);
    const isCut = upTo === lines.length && fence !== undefined;
    // An opening fence with nothing in it says nothing.
    if (saysSomething(kept)) {
      const piece = isCut ? [...kept, closingOf(fence!)] : kept;
      pieces.push(piece.join("\n").replace(/^\n+|\s+$/g, ""));
    }
    lines = isCut ? [fence!.line] : rest;
    size = lengthOf(lines);
  }

  for (const [i, line] of all.entries()) {
    const next = fenceAfter(line, fence);
    if (whole && fence === undefined && lines.length > 0) {
      const block = blockLength(all, i, next, most);
      if (block !== undefined && size + block > most) flush();
    }
    const closing = next ?? fence;
    // Room for the fence that would have to be closed behind it.
    const room = most - (closing === undefined ? 0 : closing.length + 1);
    // Where it is cut, the fence that is opened again needs room as well.
    const widest = room - (fence === undefined ? 0 : fence.line.length + 1);
    const ofFence = fence === undefined && next !== undefined;
    const parts = ofFence ? [line.slice(0, widest)] : cutLine(line, widest);
    for (const part of parts) {
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

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}

/** More than an opening fence and empty lines. */
function saysSomething(lines: readonly string[]): boolean {
  let fence: Fence | undefined;
  return lines.some((line) => {
    const next = fenceAfter(line, fence);
    const isFence = next !== fence;
    fence = next;
    return !isFence && line.trim() !== "";
  });
}

/** Length of the code block or table that begins at line `at`; undefined when none does or it has no room at all. */
function blockLength(
  lines: readonly string[],
  at: number,
  opened: Fence | undefined,
  most: number,
): number | undefined {
  if (opened === undefined) {
    const table = tableAt(lines, at);
    if (table === undefined) return undefined;
    const length = lengthOf(lines.slice(at, at + table.lines)) - 1;
    return length <= most ? length : undefined;
  }
  let open: Fence | undefined = opened;
  let length = lines[at]!.length;
  for (let i = at + 1; open !== undefined && i < lines.length; i++) {
    open = fenceAfter(lines[i]!, open);
    length += lines[i]!.length + 1;
    if (length > most) return undefined;
  }
  return open === undefined ? length : length + opened.length + 1;
}

/** How many lines stand before the last empty one, when that is far enough down and outside of code. */
function paragraphEnd(lines: readonly string[], most: number): number | undefined {
  let size = 0;
  let inside: Fence | undefined;
  let found: number | undefined;
  for (const [i, line] of lines.entries()) {
    inside = fenceAfter(line, inside);
    size += line.length + 1;
    if (inside === undefined && line.trim() === "" && size > most / 2) found = i + 1;
  }
  return found;
}

/** One line that is too long: at the ends of sentences, else between words, never within a character. */
function cutLine(line: string, most: number): string[] {
  if (line.length <= most) return [line];
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
export function wholeEnd(text: string, most: number): number {
  const from = Math.max(0, most - 64);
  let end = 0;
  for (const { index } of graphemes.segment(text.slice(from, most + 64))) {
    if (from + index <= most) end = from + index;
  }
  if (end > from) return end;
  // One character of more than 64 units: somewhere it must end, but not between two halves.
  return /[\ud800-\udbff]/.test(text[most - 1] ?? "") ? most - 1 : most;
}
