import { nearest } from "../base/text.ts";
import { numberOf } from "./numeric-text.ts";
import type { Report, Spot } from "./report.ts";
import type { Entry, ListNode, MappingNode, Node } from "./yaml-node.ts";
import { readPlain } from "./yaml-scalar.ts";

/** The entries of a mapping whose keys were checked. A key without a value counts as absent. */
export type Fields = ReadonlyMap<string, Entry>;

/** Each reader reports what is wrong and gives undefined then. */
export function readFields(
  node: Node,
  allowed: readonly string[],
  report: Report,
): Fields | undefined {
  if (isNull(node)) return new Map();
  if (node.kind !== "mapping") return wrong(node, report, "a mapping of keys to values");
  for (const entry of node.entries) {
    if (!allowed.includes(entry.key)) unknownKey(entry, node, allowed, report);
  }
  return fieldsOf(node);
}

export function fieldsOf(node: MappingNode): Fields {
  const given = node.entries.filter((entry) => !isNull(entry.value));
  return new Map(given.map((entry) => [entry.key, entry]));
}

function unknownKey(
  entry: Entry,
  owner: MappingNode,
  allowed: readonly string[],
  report: Report,
): void {
  const where = owner.path === "" ? "the top level" : owner.path;
  const near = nearest(entry.key, allowed);
  if (near !== undefined) report.misspelt(owner.path, near);
  report.mistake(
    entry.at,
    `Unknown key ${quote(entry.key)} in ${where}, allowed are ${allowed.join(", ")}`,
    near === undefined ? undefined : `Did you mean "${near}"?`,
  );
}

/** Reports a key that must be there. */
export function missing(
  owner: MappingNode | Spot,
  key: string,
  expected: string,
  report: Report,
): undefined {
  // The unknown key that was meant for it is the mistake.
  if (report.isMisspelt(owner.path, key)) return undefined;
  const at = "head" in owner ? owner.head : owner;
  const where = at.path === "" ? "the top level" : at.path;
  return report.mistake(at, `Missing key "${key}" in ${where}: expected ${expected}`);
}

export function readText(
  node: Node,
  report: Report,
  options: { empty?: boolean } = {},
): string | undefined {
  if (node.kind !== "scalar" || isNull(node)) return wrong(node, report, "a text");
  if (node.text === "" && options.empty !== true) return wrong(node, report, "a text");
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(node.text)) {
    return wrong(node, report, "one line of text without control characters");
  }
  if (/[\uD800-\uDFFF]/u.test(node.text)) return wrong(node, report, "well-formed Unicode");
  return node.text;
}

export function readNumber(node: Node, report: Report): number | undefined {
  if (node.kind !== "scalar") return wrong(node, report, "a number");
  if (!node.plain) return numberOf(node.text) ?? wrong(node, report, "a number");
  const { value, notice, mistake } = readPlain(node.text);
  if (mistake !== undefined || typeof value !== "number") {
    return wrong(node, report, "a finite number");
  }
  if (notice !== undefined) report.notice(node, notice);
  return value;
}

export function readWhole(
  node: Node,
  report: Report,
  range: { least: number; most?: number },
): number | undefined {
  const { least, most = Number.MAX_SAFE_INTEGER } = range;
  const expected = range.most === undefined
    ? `a whole number of at least ${least}`
    : `a whole number from ${least} to ${most}`;
  const text = node.kind === "scalar" ? node.text : "";
  const value = node.kind === "scalar" && (node.plain ? isNumeric(text) : true)
    ? node.plain ? readNumber(node, report) : numberOf(text)
    : undefined;
  if (value === undefined || !Number.isSafeInteger(value) || value < least || value > most) {
    return wrong(node, report, expected);
  }
  return value;
}

function isNumeric(text: string): boolean {
  return typeof readPlain(text).value === "number";
}

export function readBoolean(node: Node, report: Report): boolean | undefined {
  if (node.kind !== "scalar") return wrong(node, report, "true or false");
  const { value, notice } = readPlain(node.text);
  if (typeof value !== "boolean") return wrong(node, report, "true or false");
  if (node.plain && notice !== undefined) report.notice(node, notice);
  return value;
}

export function readChoice<T extends string>(
  node: Node,
  choices: readonly T[],
  report: Report,
): T | undefined {
  const text = node.kind === "scalar" ? node.text : undefined;
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  const near = text === undefined ? undefined : nearest(text, choices);
  const hint = near === undefined ? undefined : `Did you mean "${near}"?`;
  return wrong(node, report, oneOf(choices), hint);
}

/** The items of a list; what a single item gives is up to the caller. */
export function readItems(node: Node, report: Report, of: string): ListNode["items"] | undefined {
  return node.kind === "list" ? node.items : wrong(node, report, `a list of ${of}`);
}

/** A list of texts, all of them or none. */
export function readTexts(node: Node, report: Report): readonly string[] | undefined {
  const items = readItems(node, report, "texts")?.map((item) => readText(item, report));
  return items === undefined ? undefined : whole(items);
}

/** The list when no item of it failed. */
export function whole<T>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  const good = items.filter((item) => item !== undefined);
  return good.length === items.length ? good : undefined;
}

/** `Cannot read slurm.time: found 3, expected a text`. */
export function wrong(node: Node, report: Report, expected: string, hint?: string): undefined {
  const what = node.path === "" ? "the file" : node.path;
  return report.mistake(
    node,
    `Cannot read ${what}: found ${describe(node)}, expected ${expected}`,
    hint,
  );
}

export function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.plain && readPlain(node.text).value === null;
}

export function describe(node: Node): string {
  if (node.kind === "list") return node.items.length === 0 ? "an empty list" : "a list";
  if (node.kind === "mapping") return node.entries.length === 0 ? "an empty mapping" : "a mapping";
  if (isNull(node)) return "no value";
  return node.plain && typeof readPlain(node.text).value !== "string"
    ? node.text
    : quote(node.text);
}

/** A user's text in a message: quoted, escaped, and cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

export function oneOf(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `"${choice}"`);
  const last = quoted.at(-1) ?? "";
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(", ")} or ${last}`;
}
