import { scalarText } from "./yaml-scalar-text.ts";

/** What a file is to say. Entries without a value are left out. */
export type Plain =
  | string
  | number
  | boolean
  | readonly Plain[]
  | { readonly [key: string]: Plain | undefined };

export type PlainMapping = { readonly [key: string]: Plain | undefined };

const LONGEST_NOTE = 80;

/**
 * A mapping as lines of block YAML, each ended. Lists, and mappings of numbers alone, stand in
 * one line. `notes` are comments behind an entry, by its path, such as `pool.discord.guild_id`.
 */
export function yamlText(
  tree: PlainMapping,
  notes: Readonly<Record<string, string>> = {},
): string {
  return linesOf(tree, "", "", notes).map((line) => `${line}\n`).join("");
}

function linesOf(
  tree: PlainMapping,
  indent: string,
  path: string,
  notes: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const own = path === "" ? key : `${path}.${key}`;
    const note = Object.hasOwn(notes, own) ? ` # ${noteText(notes[own]!)}` : "";
    const head = `${indent}${scalarText(key)}:`;
    return isMapping(value) && !isFlat(value)
      ? [`${head}${note}`, ...linesOf(value, `${indent}  `, own, notes)]
      : [`${head} ${flowText(value)}${note}`];
  });
}

function flowText(value: Plain): string {
  if (isMapping(value)) {
    const entries = Object.entries(value).flatMap(([key, one]) =>
      one === undefined ? [] : [`${scalarText(key)}: ${flowText(one)}`]
    );
    return `{${entries.join(", ")}}`;
  }
  return isList(value) ? `[${value.map(flowText).join(", ")}]` : scalarText(value);
}

/** Prices and the like; so is a mapping without entries, which has no lines of its own. */
function isFlat(value: PlainMapping): boolean {
  return Object.values(value).every((one) => one === undefined || typeof one === "number");
}

/** One line, whatever was put into it. */
function noteText(note: string): string {
  return note.replace(/[\p{C}\p{Z}]+/gu, " ").trim().slice(0, LONGEST_NOTE);
}

function isMapping(value: Plain): value is PlainMapping {
  return typeof value === "object" && !isList(value);
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
