import { randomBytes } from "node:crypto";
import { shownText } from "../base/shown.ts";

/** Who wrote a text, and so what it may do to the reader: nothing, ask, or direct. */
export type QuoteKind =
  /** Logs, names, values, files, what programs printed: never instructions. */
  | "data"
  /** A person in the channel who may direct the sweep. */
  | "message"
  /** The sweep's owner: PROMPT.md and the plan. */
  | "owner";

export interface QuoteOptions {
  /** Where it is from, in herd's own words: "standard error of trial 3". */
  source: string;
  /** Absent: `data`. */
  kind?: QuoteKind;
  /** Longest text, in characters; 10,000 when absent. */
  limit?: number;
  /** Which end stays when it is too long; absent: the beginning. */
  keep?: "start" | "end";
}

/** Wraps a text from outside between marks that it cannot contain. */
export type Quote = (text: string, options: QuoteOptions) => string;

/** Leaves room for marks and a notice within the longest result of a tool. */
const LONGEST = 10_000;

/** Unguessable: who wrote a log could not know it. One for each turn. */
export function newMark(): string {
  return randomBytes(6).toString("hex");
}

/**
 * The quoting of one turn. A text can neither hold the mark nor anything that
 * looks like the beginning or the end of a quotation, so nothing in it is ever
 * outside of it.
 */
export function createQuote(mark: string): Quote {
  return (text, { source, kind = "data", limit = LONGEST, keep = "start" }) => {
    // Cleaning takes time; of a log of gigabytes only what may be shown is worth it.
    const near = keep === "end" ? text.slice(-20 * limit) : text.slice(0, 20 * limit);
    const body = defuse(cut(cleanText(near), { limit, keep }), mark);
    const label = cleanLine(source, 120).replace(/[<>"]/g, "'");
    return `<${kind} mark="${mark}" source="${label}">\n${body}\n</${kind} mark="${mark}">`;
  };
}

/**
 * Text as a person at a screen would have seen it, without what nobody sees:
 * terminal sequences, control characters, text direction and invisible
 * characters. Of a line that was written over and over, the last state stays.
 */
export function cleanText(text: string): string {
  return shownText(text.replace(/\r+\n|[\u2028\u2029\u0085\v\f]/g, "\n"))
    // deno-lint-ignore no-control-regex -- what is left of terminal sequences: colours
    .replace(/\x1b\[[0-9;:]*[mK]/g, "")
    .split("\n").map(lastState).join("\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cs}\p{Co}]/gu, "");
}

/** A progress bar returns to the beginning of its line and writes it again. */
function lastState(line: string): string {
  const plain = line.replace(/\r+$/, "");
  return plain.slice(plain.lastIndexOf("\r") + 1);
}

/** The same on one line, at most `limit` characters. */
export function cleanLine(text: string, limit = 200): string {
  return cut(cleanText(text).replace(/\s+/g, " ").trim(), { limit, keep: "start" });
}

/** Every string in plain data cleaned and cut, keys too; numbers that JSON lacks become words. */
export function cleanValue(value: unknown, limit = 300, depth = 8): unknown {
  if (typeof value === "string") return cut(cleanText(value), { limit, keep: "start" });
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value !== "object") return undefined;
  if (depth === 0) return "…";
  if (Array.isArray(value)) return value.map((one) => cleanValue(one, limit, depth - 1) ?? null);
  // Own entries by definition, not by assignment: "__proto__" is a key like any other.
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      cleanLine(key, 120),
      cleanValue(member, limit, depth - 1),
    ]),
  );
}

/** Cuts at a whole character and says so. */
export function cut(
  text: string,
  { limit, keep }: { limit: number; keep: "start" | "end" },
): string {
  if (text.length <= limit) return text;
  const notice = limit < 80 ? "…" : "… (cut)";
  const room = Math.max(0, limit - notice.length);
  // Half a surrogate pair is no character.
  if (keep === "end") {
    return notice + text.slice(text.length - room).replace(/^[\udc00-\udfff]/, "");
  }
  return text.slice(0, room).replace(/[\ud800-\udbff]$/, "") + notice;
}

/** A full-width or small bracket reads like the plain one, and a model may take it so. */
const TAG = /[<＜﹤〈⟨‹«](?=[\s/／\\⁄∕]*(?:data|message|owner|ｄａｔａ)(?![\p{L}\p{N}_]))/giu;

function defuse(text: string, mark: string): string {
  return text.replaceAll(mark, "…").replace(TAG, "(");
}
