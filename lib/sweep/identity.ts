import { createHash } from "node:crypto";
import { canonicalNumber } from "./number-text.ts";
import { numberOf } from "./numeric-text.ts";
import type { Value } from "./value.ts";

type Choice = Readonly<Record<string, Value>>;

/**
 * Identity of a trial: 12 hex digits of a digest of what the sweep chose for it,
 * names as written. 32 and 32.0 are one, as are numbers that share ten
 * significant digits; 1 and "1" are two, true and "True" are two. Its name,
 * labels, extras, static overrides and resources are no part of it.
 */
export function trialKey(params: Choice): string {
  return digest(choiceText(params));
}

/**
 * Like `trialKey`, but text that reads as a number is that number. For
 * workspaces that HyperHerd made, whose YAML took `1e-3` for text.
 */
export function matchKey(params: Choice): string {
  return digest(choiceText(mapValues(params, unquoted)));
}

/** The choice as text: equal exactly when two choices are the same trial. */
export function choiceText(params: Choice): string {
  let text = "{";
  for (const name of Object.keys(params).sort()) {
    text += `${JSON.stringify(name)}:${canonicalText(params[name]!)},`;
  }
  return `${text}}`;
}

/** Canonical JSON of a value: maps sorted, equal numbers alike, types kept apart. */
export function canonicalText(value: Value): string {
  if (typeof value === "number") return String(canonicalNumber(value));
  if (typeof value === "string") return JSON.stringify(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map(canonicalText).join(",")}]`;
  return choiceText(value);
}

/** The first 12 hex digits of the SHA-1 of a text. */
export function digest(text: string): string {
  return createHash("sha1").update(text).digest("hex").slice(0, 12);
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function unquoted(value: Value): Value {
  if (typeof value === "string") return numberOf(value) ?? value;
  if (value === null || typeof value !== "object") return value;
  return isList(value) ? value.map(unquoted) : mapValues(value, unquoted);
}

function mapValues(record: Choice, change: (value: Value) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
