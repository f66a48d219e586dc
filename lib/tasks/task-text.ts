import { codeRanges } from "./code-ranges.ts";
import type { CodeRange } from "./code-ranges.ts";
import type { WishOverrides } from "./pool-desk.ts";
import type { TaskWish } from "./task.ts";
import { WISH_WORDS } from "./wish-words.ts";
import type { Vocabulary, WishKind } from "./wish-words.ts";

/** A value longer than this was not meant for one. */
const TAG =
  /\[[ \t]*(model|thinking|worker|timeout|priority|sandbox|key)[ \t]*:([^[\]]{0,300})\]/gi;

const OVERRIDE: Readonly<Record<WishKind, keyof WishOverrides>> = {
  model: "model",
  thinking: "thinking",
  worker: "worker",
  timeout: "timeoutMs",
  priority: "priority",
  sandbox: "sandbox",
  key: "key",
};

interface Tag extends CodeRange {
  kind: WishKind;
  value: string;
}

/**
 * A task as people write it: free text with tags such as `[model:cheap]` anywhere but in code.
 * The first tag of a kind counts, all of that kind are taken out, with the blanks that set them
 * apart; every other character of the text stays as it is. What `overrides` says wins, in the
 * same words as tags; a timeout as `30m`. Every mistake is told, each a sentence without period.
 */
export function parseTaskText(
  text: string,
  overrides: WishOverrides,
  vocabulary: Vocabulary,
): { wish: TaskWish } | { refused: string[] } {
  const unusable = refuseText(text, vocabulary);
  if (unusable !== undefined) return { refused: [unusable] };
  const tags = tagsOf(text);
  const wish: TaskWish = {
    text: without(text, tags),
    model: undefined,
    thinking: undefined,
    worker: undefined,
    timeoutMs: undefined,
    priority: 0,
    sandbox: undefined,
    key: undefined,
  };
  const refused: string[] = [];
  for (const kind of Object.keys(WISH_WORDS) as WishKind[]) {
    const said = overrides[OVERRIDE[kind]] ?? tags.find((tag) => tag.kind === kind)?.value;
    if (said === undefined) continue;
    const part = WISH_WORDS[kind](said.trim(), vocabulary);
    if ("refused" in part) refused.push(part.refused);
    else Object.assign(wish, part);
  }
  if (wish.text.trim() === "") refused.push(NO_TEXT);
  return refused.length > 0 ? { refused } : { wish };
}

const NO_TEXT = "Cannot take the task: it has no text beside its tags, write what is to be done";

/** What could not reach an agent as it was written. */
function refuseText(text: string, { longestTask }: Vocabulary): string | undefined {
  if (text.trim() === "") return "Cannot take the task: it has no text, write what is to be done";
  // Whoever sends megabytes need not have them counted.
  const length = text.length > 2 * longestTask ? text.length : [...text].length;
  if (length > longestTask) {
    return `Cannot take the task: it has ${length} characters, at most ${longestTask} are allowed`;
  }
  if (text.includes("\0")) {
    return `Cannot take the task: character ${
      text.indexOf("\0") + 1
    } is NUL, which no program can read`;
  }
  return text.isWellFormed()
    ? undefined
    : "Cannot take the task: it is not well-formed Unicode, a surrogate stands alone";
}

function tagsOf(text: string): Tag[] {
  const ranges = codeRanges(text);
  const tags: Tag[] = [];
  let code = 0;
  for (const found of text.matchAll(TAG)) {
    const start = found.index;
    const end = start + found[0].length;
    while (code < ranges.length && ranges[code]!.end <= start) code++;
    // A backslash in front makes it text.
    if ((ranges[code]?.start ?? Infinity) < end || isEscaped(text, start)) continue;
    tags.push({ kind: found[1]!.toLowerCase() as WishKind, value: found[2]!, start, end });
  }
  return tags;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

/** Neighbouring tags go as one, with the blanks that nothing needs any more. */
function without(text: string, tags: readonly Tag[]): string {
  const kept: string[] = [];
  let at = 0;
  let endsWithTags = false;
  for (const { start, end } of joined(text, tags)) {
    const piece = text.slice(at, start);
    const bare = trimmedEnd(piece);
    const starts = bare === "" ? at === 0 || text[at - 1] === "\n" : bare.endsWith("\n");
    const next = afterBlanks(text, end);
    const lineEnd = /^\r?\n|^$/.exec(text.slice(next, next + 2))?.[0];
    if (lineEnd !== undefined) {
      // A line of nothing but tags goes as a whole; else what stood before them is its end.
      kept.push(bare);
      at = starts ? next + lineEnd.length : next;
      endsWithTags = starts && at === text.length;
    } else {
      kept.push(piece);
      at = starts || bare !== piece ? next : end;
    }
  }
  const whole = kept.join("") + text.slice(at);
  return endsWithTags ? whole.replace(/\r?\n$/, "") : whole;
}

function trimmedEnd(text: string): string {
  let end = text.length;
  while (isBlank(text[end - 1])) end--;
  return text.slice(0, end);
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text[at])) at++;
  return at;
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function joined(text: string, tags: readonly Tag[]): CodeRange[] {
  const ranges: CodeRange[] = [];
  for (const { start, end } of tags) {
    const last = ranges.at(-1);
    if (last !== undefined && /^[ \t]*$/.test(text.slice(last.end, start))) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges;
}
