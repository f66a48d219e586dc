import { isList } from "./expression-operand.ts";
import type { Operand } from "./expression-operand.ts";
import type { ExpressionNode } from "./expression-tree.ts";
import { meantNumber } from "./numeric-text.ts";
import { toOperand } from "./expression-operand.ts";

/** A value at work with the node that it came from. */
export interface Side {
  node: ExpressionNode;
  operand: Operand;
}

/**
 * A parameter's text that spells a number (`values: ["16", "32"]`) is that
 * number where it meets one, as in conditions; beside text it stays text.
 * Anything but a parameter keeps Python's types.
 */
export function agreed(left: Side, right: Side): [Operand, Operand] {
  const a = spelled(left);
  const b = spelled(right);
  if (a === undefined && b === undefined) return [left.operand, right.operand];
  if (a !== undefined && b !== undefined) return [a, b];
  if (a !== undefined && isNumber(right.operand)) return [a, right.operand];
  if (b !== undefined && isNumber(left.operand)) return [left.operand, b];
  return [left.operand, right.operand];
}

/** The items of `min(...)` and `max(...)`. */
export function agreedItems(sides: readonly Side[]): Operand[] {
  const numbers = sides.map((side) => isNumber(side.operand) ? side.operand : spelled(side));
  const meet = numbers.every((number) => number !== undefined);
  return sides.map(({ operand }, i) => meet ? numbers[i]! : operand);
}

/** What a parameter's text may stand for in a list: itself, and the number that it spells. */
export function meanings(side: Side, whole: Operand): Operand[] {
  const number = typeof whole === "object" && whole !== null && isList(whole)
    ? spelled(side)
    : undefined;
  return number === undefined ? [side.operand] : [side.operand, number];
}

/** The number that a parameter's text spells. */
export function spelled({ node, operand }: Side): Operand | undefined {
  if (node.kind !== "name" || typeof operand !== "string") return undefined;
  const number = meantNumber(operand);
  return number === undefined ? undefined : toOperand(number);
}

function isNumber(operand: Operand): boolean {
  return typeof operand === "number" || typeof operand === "bigint";
}
