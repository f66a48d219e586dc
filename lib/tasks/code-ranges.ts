/** From `start` up to and without `end`, in UTF-16 units. */
export interface CodeRange {
  start: number;
  end: number;
}

interface Run {
  at: number;
  length: number;
}

const OPENING = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/;

/**
 * Where a text is code, as Markdown has it: fenced blocks, and spans between runs of equally many
 * backticks. What is opened and never closed is no code. In the order of the text.
 */
export function codeRanges(text: string): CodeRange[] {
  const ranges: CodeRange[] = [];
  let at = 0;
  for (const block of fencedBlocks(text)) {
    ranges.push(...codeSpans(text, at, block.start), block);
    at = block.end;
  }
  return [...ranges, ...codeSpans(text, at, text.length)];
}

function fencedBlocks(text: string): CodeRange[] {
  const blocks: CodeRange[] = [];
  const lines = linesOf(text);
  const never = new Map<string, number>();
  for (let i = 0; i < lines.length; i++) {
    const [, ticks, tildes] = OPENING.exec(lines[i]!.text) ?? [];
    const fence = ticks ?? tildes;
    if (fence === undefined) continue;
    // What one fence did not find, a longer one of the same kind will not find either.
    if (fence.length >= (never.get(fence[0]!) ?? Infinity)) continue;
    const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*$`);
    let end = i + 1;
    while (end < lines.length && !closing.test(lines[end]!.text)) end++;
    if (end === lines.length) {
      never.set(fence[0]!, fence.length);
      continue;
    }
    blocks.push({ start: lines[i]!.at, end: lines[end]!.at + lines[end]!.text.length });
    i = end;
  }
  return blocks;
}

function linesOf(text: string): { at: number; text: string }[] {
  let at = 0;
  return text.split("\n").map((line) => {
    const start = at;
    at += line.length + 1;
    return { at: start, text: line.endsWith("\r") ? line.slice(0, -1) : line };
  });
}

function codeSpans(text: string, from: number, to: number): CodeRange[] {
  const runs = runsIn(text.slice(from, to), from);
  const byLength = new Map<number, number[]>();
  runs.forEach(({ length }, i) => {
    const same = byLength.get(length);
    if (same === undefined) byLength.set(length, [i]);
    else same.push(i);
  });
  const spans: CodeRange[] = [];
  for (let i = 0; i < runs.length; i++) {
    const { at, length } = runs[i]!;
    const same = byLength.get(length)!;
    while (same[0] !== undefined && same[0] <= i) same.shift();
    const close = same[0];
    if (close === undefined) continue;
    const end = runs[close]!.at + length;
    // One or two backticks of different paragraphs have nothing to do with each other.
    if (length < 3 && /\n[ \t\r]*\n/.test(text.slice(at, end))) continue;
    spans.push({ start: at, end });
    i = close;
  }
  return spans;
}

/** Runs of backticks that can open or close; one after a backslash is a character like any other. */
function runsIn(text: string, offset: number): Run[] {
  return [...text.matchAll(/\\[\s\S]|`+/g)]
    .filter(([found]) => found.startsWith("`"))
    .map((found) => ({ at: offset + found.index, length: found[0].length }));
}
