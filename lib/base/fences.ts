/** A code block of Markdown that is open, as the line that opened it says. */
export interface Fence {
  mark: "`" | "~";
  length: number;
  /** The word behind it, such as "python"; "" without. */
  language: string;
  /** The opening line as it is repeated where the block is cut. */
  line: string;
}

/** A run of more than 32 is a line drawn by hand; a fence that is repeated in each piece must stay short. */
const OPENS = /^ {0,3}(`{3,32}(?=[^`]*$)|~{3,32}(?!~))[ \t]*(\S*)/;
const CLOSES = /^ {0,3}(`{3,}|~{3,})([\w+#.-]*)\s*$/;
const LONGEST_LANGUAGE = 32;

/**
 * The block that is open behind a line, given the one that is open in front of it. A fence with a
 * language closes a block as well when it is long enough: chat programs see it so.
 */
export function fenceAfter(line: string, open: Fence | undefined): Fence | undefined {
  if (open === undefined) return opening(line);
  const run = CLOSES.exec(line)?.[1];
  return run !== undefined && run[0] === open.mark && run.length >= open.length ? undefined : open;
}

function opening(line: string): Fence | undefined {
  const [, run, word = ""] = OPENS.exec(line) ?? [];
  if (run === undefined) return undefined;
  const language = /^[\w+#.-]+$/.test(word) && word.length <= LONGEST_LANGUAGE ? word : "";
  const mark = run.startsWith("~") ? "~" : "`";
  return { mark, length: run.length, language, line: `${run}${language}` };
}

/** The line that closes it. */
export function closingOf({ mark, length }: Fence): string {
  return mark.repeat(length);
}

/** A fence that no run of backticks in `content` can close. */
export function fenceAround(content: string): string {
  let longest = 2;
  for (const run of content.match(/`{3,}/g) ?? []) longest = Math.max(longest, run.length);
  return "`".repeat(longest + 1);
}

/** What is open at the end of a text. */
export function fenceAtEnd(text: string): Fence | undefined {
  let open: Fence | undefined;
  for (const line of text.split("\n")) open = fenceAfter(line, open);
  return open;
}

/** Keeps three backticks from being seen as such; takes no room on a screen. */
const BREAK = "\u200b";

/**
 * Every block fenced by exactly three backticks, as programs that know no other fences want it: tildes
 * and longer fences are replaced, what would end the block inside of it is broken, an open end closed.
 */
export function plainFences(text: string): string {
  const lines: string[] = [];
  let open: Fence | undefined;
  for (const line of text.split("\n")) {
    const next = fenceAfter(line, open);
    if (open === undefined && next !== undefined) lines.push(`\`\`\`${next.language}`);
    else if (open !== undefined && next === undefined) lines.push("```");
    else lines.push(open === undefined ? line : line.replace(/`(?=``)/g, `\`${BREAK}`));
    open = next;
  }
  if (open !== undefined) {
    if (lines.at(-1) === "") lines.pop();
    lines.push("```");
  }
  return lines.join("\n");
}
