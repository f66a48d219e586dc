import { ExpressionError } from "./expression-error.ts";
import { describe, isList, numeric } from "./expression-operand.ts";
import type { Operand } from "./expression-operand.ts";

/** Python's `==`: 1 == 1.0 == True, lists and maps by their contents, unlike kinds are unequal. */
export function equal(left: Operand, right: Operand): boolean {
  const a = numeric(left);
  const b = numeric(right);
  // Exact for every mix: an int here is at most 2**53 - 1.
  if (a !== undefined && b !== undefined) return Number(a) === Number(b);
  if (typeof left !== "object" || typeof right !== "object") return left === right;
  if (left === null || right === null) return left === right;
  if (isList(left) || isList(right)) {
    return isList(left) && isList(right) && left.length === right.length &&
      left.every((item, i) => equal(item, right[i]!));
  }
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key]!, right[key]!));
}

/** Python's order of numbers, strings (by code point) and lists (item by item). */
export function ordered(
  operator: "<" | "<=" | ">" | ">=",
  left: Operand,
  right: Operand,
  column: number,
): boolean {
  const a = numeric(left);
  const b = numeric(right);
  if (a !== undefined && b !== undefined) return holds(operator, Number(a), Number(b));
  if (typeof left === "string" && typeof right === "string") {
    return holds(operator, comparePoints(left, right), 0);
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    const at = left.findIndex((item, i) => i >= right.length || !equal(item, right[i]));
    if (at >= 0 && at < right.length) return ordered(operator, left[at], right[at], column);
    return holds(operator, left.length, right.length);
  }
  throw new ExpressionError(
    `Cannot compare ${describe(left)} ${operator} ${describe(right)}`,
    column,
    "Numbers compare with numbers, strings with strings, lists with lists",
  );
}

function holds(operator: "<" | "<=" | ">" | ">=", a: number, b: number): boolean {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

/** JavaScript compares UTF-16 units, which sorts characters beyond U+FFFF before U+E000. */
function comparePoints(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i += 1;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/** Python's `in`: an item of a list, a part of a string, a key of a map. */
export function contains(
  item: Operand,
  whole: Operand,
  operator: "in" | "not in",
  column: number,
): boolean {
  if (typeof whole === "string") {
    if (typeof item === "string") return whole.includes(item);
  } else if (typeof whole === "object" && whole !== null) {
    if (isList(whole)) return whole.some((other) => equal(item, other));
    return typeof item === "string" && Object.hasOwn(whole, item);
  }
  throw new ExpressionError(
    `Cannot look for ${describe(item)} ${operator} ${describe(whole)}`,
    column,
    "After in comes a list, or a string when a string is looked for",
  );
}
