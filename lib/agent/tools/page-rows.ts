import { z } from "../../base/schema.ts";
import { cleanValue, cut } from "../quote-data.ts";
import type { Quote } from "../quote-data.ts";

/** Of the rows themselves; marks, totals and the notice come on top. */
const LONGEST = 9_000;

/** Arguments of every tool that gives pages. */
export const pageArguments = {
  offset: z.int().min(0).optional(),
  limit: z.int().min(1).max(100).optional(),
};

export interface Rows {
  /** One plain object or value per line. */
  rows: readonly unknown[];
  /** Place of the first of them among all. */
  offset: number;
  /** How many there are in all. */
  total: number;
  /** Facts that stand above the rows. */
  head?: unknown;
  source: string;
  /** Of one string in a row; 300 when absent. */
  longest?: number;
}

/** One JSON document per line, as many as fit, quoted; and a sentence on where the next page begins. */
export function pageRows(quote: Quote, page: Rows): string {
  const { rows, offset, total, head, source, longest = 300 } = page;
  const lines: string[] = [];
  let size = 0;
  if (head !== undefined) {
    const text = cut(jsonLine(head, longest), { limit: LONGEST / 2, keep: "start" });
    lines.push(text);
    size = text.length;
  }
  let shown = 0;
  for (const row of rows) {
    const line = jsonLine(row, longest);
    // At least one row, or the next page would be this one again.
    if (shown > 0 && size + line.length > LONGEST) break;
    lines.push(line);
    size += line.length + 1;
    shown++;
  }
  const text = quote(lines.join("\n"), { source });
  return `${text}\n${placeOf({ offset, shown, total })}`;
}

function placeOf(
  { offset, shown, total }: { offset: number; shown: number; total: number },
): string {
  if (total === 0) return "There is none.";
  if (shown === 0) return `None from offset ${offset} on; there are ${total} in all.`;
  const next = offset + shown;
  const range = `${offset + 1} to ${next} of ${total}`;
  return next < total ? `Shown: ${range}. Next page: offset ${next}.` : `Shown: ${range}.`;
}

/** Plain data of one piece, quoted. */
export function quoteFacts(quote: Quote, facts: unknown, source: string, longest = 300): string {
  return quote(jsonLine(facts, longest), { source });
}

/** Compact JSON of cleaned data; what is unknown is left out. */
export function jsonLine(value: unknown, longest = 300): string {
  return JSON.stringify(withoutUnknown(cleanValue(value, longest))) ?? "null";
}

/** Members that are null or empty say nothing and are paid for. */
function withoutUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUnknown);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .map(([key, member]) => [key, withoutUnknown(member)]),
  );
}
