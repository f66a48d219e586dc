import type { Id } from "./message.ts";

/** Something that Discord sent and nobody has checked yet. */
export type Raw = Readonly<Record<string, unknown>>;

/** The object, or an empty one: what is missing inside is then missing one by one. */
export function rawOf(value: unknown): Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Raw : {};
}

/** The objects of a list; anything else is none. */
export function rawsOf(value: unknown): readonly Raw[] {
  return Array.isArray(value) ? value.map(rawOf) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A text that says something, as a name does. */
export function wordsOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Digits as text; ids beyond 2^53 as numbers are damaged already, and so is anything else. */
export function idOf(value: unknown): Id | undefined {
  return typeof value === "string" && /^\d{1,20}$/.test(value) ? value : undefined;
}

export function idsOf(value: unknown): readonly Id[] {
  return Array.isArray(value) ? value.flatMap((one) => idOf(one) ?? []) : [];
}

/** A bit set, which Discord writes as decimal text. */
export function bitsOf(value: unknown): bigint | undefined {
  return typeof value === "string" && /^\d{1,30}$/.test(value) ? BigInt(value) : undefined;
}

/** Milliseconds since the epoch of Discord's ISO time. */
export function timeOf(value: unknown): number | undefined {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
