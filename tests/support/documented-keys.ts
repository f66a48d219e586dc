import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** A table of keys as docs/commands.md has it: path such as `trials[].index` to type. */
export interface KeyTable {
  /** The line above the table, such as "With `--best`:"; empty for a section's first one. */
  title: string;
  types: ReadonlyMap<string, string>;
}

export function doc(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}

/** The text below a heading, up to the next one of its level or above. */
export function section(page: string, heading: string): string {
  const level = /^#+/.exec(heading)![0].length;
  const from = page.indexOf(`\n${heading}\n`);
  assert.ok(from >= 0, `the page has no heading "${heading}"`);
  const rest = page.slice(from + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${level}} `, "m"));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The rows of each table with this head, cells trimmed. */
export function tables(text: string, head: readonly string[]): string[][][] {
  const found: string[][][] = [];
  let rows: string[][] | undefined;
  for (const line of text.split("\n")) {
    const cells = line.startsWith("|")
      ? line.slice(1, line.lastIndexOf("|")).split(/(?<!\\)\|/).map((cell) => cell.trim())
      : undefined;
    if (cells === undefined) rows = undefined;
    else if (cells.join("|") === head.join("|")) found.push(rows = []);
    else if (!/^-+$/.test(cells[0]!.replaceAll(":", ""))) rows?.push(cells);
  }
  return found;
}

/** The tables of keys in a section of docs/commands.md. */
export function keyTables(text: string): KeyTable[] {
  const lines = text.split("\n");
  const titles = lines.flatMap((line, i) => {
    if (!line.startsWith("| Key | Type |")) return [];
    const above = lines[i - 2] ?? "";
    return [/^With .*:$/.test(above) ? above : ""];
  });
  return tables(text, ["Key", "Type", "Meaning"]).map((rows, i) => ({
    title: titles[i] ?? "",
    types: new Map(rows.map(([key = "", type = ""]) => [key.replaceAll("`", ""), type])),
  }));
}

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  "text": (value) => typeof value === "string",
  "number": (value) => typeof value === "number",
  "boolean": (value) => typeof value === "boolean",
  "mapping": (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "list": Array.isArray,
  "list of texts": (value) => isListOf(value, "string"),
  "list of numbers": (value) => isListOf(value, "number"),
  "any": () => true,
};

function isListOf(value: unknown, type: string): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}

/**
 * Holds documents of a command to a table of keys: each key is in the table and
 * has the type that it says, and each key of the table was seen (those below an
 * entry of a list that was always empty cannot be).
 */
export function assertDocumented(table: KeyTable, documents: readonly unknown[]): void {
  const seen = new Set<string>();
  const empty = new Set<string>();
  for (const document of documents) walk(document, "", table.types, seen, empty);
  const below = (key: string) => [...empty].some((list) => key.startsWith(`${list}[]`));
  const unseen = [...table.types.keys()].filter((key) => !seen.has(key) && !below(key));
  assert.deepEqual(unseen, [], "keys of the docs that were never printed");
}

function walk(
  value: unknown,
  path: string,
  types: ReadonlyMap<string, string>,
  seen: Set<string>,
  empty: Set<string>,
): void {
  const type = types.get(path);
  if (type !== undefined) {
    seen.add(path);
    const [kind = "", ...or] = type.split(" or ");
    const check = CHECKS[kind];
    assert.ok(check, `the docs know no type "${type}"`);
    const fits = (value === null && or.includes("null")) || check(value);
    assert.ok(fits, `${path} is ${JSON.stringify(value)}, the docs say ${type}`);
    return;
  }
  if (Array.isArray(value)) {
    if (value.length === 0) empty.add(path);
    for (const item of value) walk(item, `${path}[]`, types, seen, empty);
    if (value.length > 0) empty.delete(path);
    return;
  }
  assert.ok(
    typeof value === "object" && value !== null,
    `the docs do not have the key "${path}" (it is ${JSON.stringify(value)})`,
  );
  for (const [key, inner] of Object.entries(value)) {
    walk(inner, path === "" ? key : `${path}.${key}`, types, seen, empty);
  }
}
