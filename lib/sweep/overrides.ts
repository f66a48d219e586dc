import { digest, isList } from "./identity.ts";
import { numberText } from "./number-text.ts";
import { numberOf } from "./numeric-text.ts";
import { bareName } from "./parameter-name.ts";
import type { Value } from "./value.ts";

/** What a trial passes to its launcher, apart from its name. */
export interface Passed {
  params: Readonly<Record<string, Value>>;
  extras: Readonly<Record<string, Value>>;
}

/**
 * The launcher's arguments in HyperHerd's order, in which the last one wins:
 * `experiment_name=…`, swept parameters, static overrides, what conditions set.
 * Each is one argument, whatever characters are in it.
 */
export function overrideTokens(
  trial: Passed & { name: string },
  staticOverrides: readonly string[],
): string[] {
  return [
    `experiment_name=${trial.name}`,
    ...assignments(trial.params),
    ...staticOverrides,
    ...assignments(trial.extras),
  ];
}

/** The one string that the launcher gets. */
export function overrideString(tokens: readonly string[]): string {
  return tokens.join(" ");
}

/** A value as an override writes it: text as it is, lists and maps in Hydra's syntax. */
export function valueText(value: Value): string {
  return typeof value === "string" ? value : nestedText(value);
}

/**
 * Digest of all that decides what a run does: the launcher's path and the
 * overrides that are in force, the trial's name left out. The order of
 * overrides of different keys, and whether a value comes from a parameter, a
 * condition or a static override, make no difference.
 */
export function runDigest(
  trial: Passed,
  fixed: { staticOverrides: readonly string[]; launcher: string },
): string {
  return forceDigest(inForce(trial, fixed.staticOverrides), fixed.launcher);
}

/** Overrides that win, by key without Hydra prefix; `flags` are the words without `=`. */
export interface InForce {
  values: ReadonlyMap<string, string>;
  flags: readonly string[];
}

export function inForce(trial: Passed, staticOverrides: readonly string[]): InForce {
  const values = new Map<string, string>();
  const flags: string[] = [];
  for (const [name, value] of Object.entries(trial.params)) {
    values.set(overrideKey(name), valueText(value));
  }
  for (const token of staticOverrides) {
    const assigned = assignment(token);
    if (assigned === undefined) flags.push(token);
    else values.set(assigned.key, assigned.text);
  }
  for (const [name, value] of Object.entries(trial.extras)) {
    values.set(overrideKey(name), valueText(value));
  }
  return { values, flags };
}

/** See `runDigest`. */
export function forceDigest({ values, flags }: InForce, launcher: string): string {
  const entries = [...values].map(([key, text]) => [key, comparable(text)]);
  entries.sort(([a], [b]) => (a! < b! ? -1 : 1));
  return digest(JSON.stringify([launcher, flags, entries]));
}

/** Key (see `overrideKey`) and text of `name=text`; undefined for other words. */
export function assignment(token: string): { key: string; text: string } | undefined {
  const at = token.indexOf("=");
  if (at < 1) return undefined;
  return { key: overrideKey(token.slice(0, at)), text: token.slice(at + 1) };
}

/** What an override changes: `+x`, `++x` and `x` are the same, `~x` takes x away. */
export function overrideKey(name: string): string {
  return name.startsWith("~") ? name : bareName(name);
}

/** Text of an override such that equal numbers are alike, however they are written. */
export function comparable(text: string): string {
  const number = numberOf(text);
  return number === undefined ? text : numberText(number);
}

function assignments(values: Readonly<Record<string, Value>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${valueText(value)}`);
}

function nestedText(value: Value): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value === "string") return quoted(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map(nestedText).join(",")}]`;
  const entries = Object.entries(value);
  return `{${entries.map(([key, item]) => `${escapedKey(key)}:${nestedText(item)}`).join(",")}}`;
}

/** Words that Hydra reads as the text they are, but for those that mean something else. */
const PLAIN = /^[A-Za-z_/][\w./@?*|$%+-]*$/;
const MEANT = /^(?:true|false|null|nan|inf)$/i;

function quoted(text: string): string {
  if (PLAIN.test(text) && !MEANT.test(text)) return text;
  // In Hydra's quotes a backslash counts only in front of a quote.
  const inner = text.replace(/(\\*)'/g, "$1$1\\'").replace(/(\\+)$/, "$1$1");
  return `'${inner}'`;
}

/** Hydra's grammar has no quoted keys, but it lets these be escaped. */
function escapedKey(key: string): string {
  return key.replace(/[\\()[\]{}:=, \t]/g, (character) => `\\${character}`);
}
