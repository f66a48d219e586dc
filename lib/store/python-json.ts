/**
 * JSON as Python's `json` module writes it: NaN, Infinity and -Infinity may
 * stand for numbers. And files that a trainer writes in place may be cut off.
 */
import type { Value } from "../sweep/value.ts";

/** Throws SyntaxError for what is not JSON, like `JSON.parse`. */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    const marked = text.replace(
      /"(?:[^"\\]+|\\.)*"|-?Infinity|NaN/g,
      (token) => token.startsWith('"') ? token : `"${MARK}${token}"`,
    );
    return JSON.parse(
      marked,
      (_key, value) =>
        typeof value === "string" && value.startsWith("\u0000herd:")
          ? Number(value.slice("\u0000herd:".length))
          : value,
    );
  }
}

/** A string that starts with this stands for a number that JSON has no word for. In JSON's own spelling. */
const MARK = "\\u0000herd:";

/** As Python's `json.dumps` gives it: a space after comma and colon, NaN and Infinity as words. */
export function pythonJson(value: Value): string {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) =>
    `${JSON.stringify(name)}: ${pythonJson(member)}`
  );
  return `{${members.join(", ")}}`;
}

/** The parts of the outermost array or object, each as it is written, as far as they are whole. */
export interface Parts {
  items: string[];
  /** False when the text ends before its last bracket does, or goes on after it. */
  whole: boolean;
}

/**
 * Cuts the outermost array or object at its commas without reading what is
 * between them, so that whole parts survive a torn file and numbers keep every
 * digit. Undefined when the text does not start with `open`.
 */
export function topLevelParts(text: string, open: "[" | "{"): Parts | undefined {
  const start = text.search(/\S/);
  if (text[start] !== open) return undefined;
  const items: string[] = [];
  let depth = 1;
  let from = start + 1;
  const token = /"(?:[^"\\]+|\\.)*"|["[\]{},]/gs;
  token.lastIndex = from;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    // A quote that nothing closes: the rest is torn.
    if (found === '"') break;
    if (found === "[" || found === "{") depth++;
    if (found === "]" || found === "}") depth--;
    if (depth > 1 || (depth === 1 && found !== ",")) continue;
    const item = text.slice(from, match.index).trim();
    if (item !== "") items.push(item);
    from = token.lastIndex;
    if (depth === 0) return { items, whole: text.slice(from).trim() === "" };
  }
  return { items, whole: false };
}

/** Name and written value of a member as `topLevelParts` cuts it; undefined when it is none. */
export function memberOf(part: string): { name: string; value: string } | undefined {
  const match = /^("(?:[^"\\]+|\\.)*")\s*:\s*(.+)$/s.exec(part);
  if (match === null) return undefined;
  try {
    parsePythonJson(match[2]!);
    return { name: JSON.parse(match[1]!), value: match[2]! };
  } catch {
    return undefined;
  }
}
