import type { Value } from "./value.ts";

/**
 * A value at work: Python's int is a bigint, its float a number, so that both
 * keep Python's rules. A parameter's whole number counts as an int.
 */
export type Operand =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly Operand[]
  | { readonly [key: string]: Operand };

export function toOperand(value: Value): Operand {
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(toOperand);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toOperand(item)]));
}

/** Told from a list only where Python's formatting does: `"%s-%s" % (a, b)`. */
const TUPLE = Symbol("tuple");

export function asTuple(items: readonly Operand[]): readonly Operand[] {
  return Object.defineProperty([...items], TUPLE, { value: true });
}

export function isTuple(operand: Operand): operand is readonly Operand[] {
  return Array.isArray(operand) && TUPLE in operand;
}

/** Back to what JSON can say. Negative zero becomes zero: JSON and names do not tell them apart. */
export function toValue(operand: Operand): Value {
  if (typeof operand === "bigint") return Number(operand);
  if (typeof operand === "number") return operand === 0 ? 0 : operand;
  if (typeof operand !== "object" || operand === null) return operand;
  if (isList(operand)) return operand.map(toValue);
  return Object.fromEntries(Object.entries(operand).map(([key, item]) => [key, toValue(item)]));
}

/** Python's truth: nothing, zero and what is empty are false. */
export function isTrue(operand: Operand): boolean {
  switch (typeof operand) {
    case "boolean":
      return operand;
    case "bigint":
      return operand !== 0n;
    case "number":
      return operand !== 0;
    case "string":
      return operand !== "";
    default:
      if (operand === null) return false;
      return isList(operand) ? operand.length > 0 : Object.keys(operand).length > 0;
  }
}

/** The number that an operand is, where True counts 1; undefined when it is none. */
export function numeric(operand: Operand): bigint | number | undefined {
  if (typeof operand === "bigint" || typeof operand === "number") return operand;
  return typeof operand === "boolean" ? BigInt(operand) : undefined;
}

/** "the string "adam"", "the number 2": for messages. */
export function describe(operand: Operand): string {
  switch (typeof operand) {
    case "bigint":
    case "number":
      return `the number ${operand}`;
    case "string":
      return `the string ${shorten(JSON.stringify(operand))}`;
    case "boolean":
      return operand ? "True" : "False";
    default:
      return operand === null ? "None" : isList(operand) ? "a list" : "a map";
  }
}

export function isList<T>(
  value: readonly T[] | { readonly [key: string]: T },
): value is readonly T[] {
  return Array.isArray(value);
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 36)}..."`;
}
