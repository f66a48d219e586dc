import { isList } from "./identity.ts";
import type { Value } from "./value.ts";

/** Two values that mean the same to a trainer: numbers agree to one part in a billion, types do not mix. */
export function sameValue(a: Value, b: Value): boolean {
  if (typeof a === "number" && typeof b === "number") {
    // Whole numbers are names as often as amounts: seed 1000000001 is not seed 1000000000.
    if (a === b || (Number.isSafeInteger(a) && Number.isSafeInteger(b))) return a === b;
    return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length &&
      a.every((item, i) => sameValue(item, b[i]!));
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key]!, b[key]!));
}
