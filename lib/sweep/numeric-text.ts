import type { Value } from "./value.ts";

const NUMBER = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
/** "007" is a label that somebody wrote with care, not the number 7. */
const PADDED = /^[-+]?0\d/;

/**
 * The number that a value means where numbers are compared: itself, what its
 * text spells, or the infinity that "inf" stands for (JSON has no number for it).
 */
export function meantNumber(value: Value | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  if (value === "inf" || value === "-inf") return value === "inf" ? Infinity : -Infinity;
  return numberOf(value);
}

/** The number that a text spells, when nothing of it is lost by reading it so. */
export function numberOf(text: string): number | undefined {
  if (!NUMBER.test(text) || PADDED.test(text)) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) return undefined;
  return /[.eE]/.test(text) || Number.isSafeInteger(number) ? number : undefined;
}
