import { renderTable } from "../base/table.ts";
import type { Column } from "../base/table.ts";
import { joinFitting, keepBeginning, POST_LIMIT } from "../words/post-text.ts";

/** What a slash command answers, in any channel. */
export interface SlashAnswer {
  /** At most 1,900 characters. */
  text: string;
  /** Whether columns matter: to be shown in a fixed-width font. */
  code: boolean;
  /** The whole of what the text shows a part of. */
  attachment?: { name: string; text: string };
}

/** Cells per line of a chat on a telephone held sideways, and of any terminal. */
export const WIDTH = 80;
/** Rows of 80 cells that fit into one post, with head and foot. */
export const ROWS = 18;

export function say(text: string): SlashAnswer {
  return { text: keepBeginning(text), code: false };
}

/** Lines and below them a foot that is never cut away. */
export function lines(body: readonly string[], foot: readonly string[] = []): SlashAnswer {
  const below = foot.filter((line) => line !== "").map((line) => keepBeginning(line, 400));
  const room = POST_LIMIT - below.join("\n").length - 2;
  const text = [joinFitting(body, room), ...below].filter((part) => part !== "").join("\n");
  return { text, code: true };
}

export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  foot: readonly string[],
): SlashAnswer {
  const drawn = renderTable(columns, rows, { width: WIDTH });
  return lines([...drawn, ""], foot);
}

/** "21-38 of 10000; /status 3 shows more" or nothing where all is shown. */
export function pageFoot(
  command: string,
  { page, total, shown, rows = ROWS }: {
    page: number;
    total: number;
    shown: number;
    rows?: number;
  },
): string {
  if (total <= rows && page === 1) return "";
  if (shown === 0) {
    const last = Math.max(1, Math.ceil(total / rows));
    return `Page ${page} is empty: there are ${last}; /${command} ${last} shows the last`;
  }
  const first = (page - 1) * rows + 1;
  const range = `${first}-${first + shown - 1} of ${total}`;
  const more = first + shown - 1 < total ? `; /${command} ${page + 1} shows more` : "";
  return `${range}${more}`;
}

export function pageOf(args: readonly string[]): number {
  return Number(args[0] ?? 1);
}
