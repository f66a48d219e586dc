import type { Place } from "../base/errors.ts";
import { ExpressionError } from "./expression-error.ts";
import { evaluateNode } from "./expression-evaluate.ts";
import { isTrue, toValue } from "./expression-operand.ts";
import { parseTree } from "./expression-parser.ts";
import { children } from "./expression-tree.ts";
import type { ExpressionNode } from "./expression-tree.ts";
import type { Value } from "./value.ts";

export { ExpressionError };

/** A parsed, checked expression: plain data. */
export interface Expression {
  readonly source: string;
  /** Bare names of the parameters that it uses, sorted. */
  readonly names: readonly string[];
  readonly root: ExpressionNode;
  /** Where it begins in the file that it was read from, if it was. */
  readonly at?: Place;
}

/**
 * Parses Python's expression language as far as conditions have it. `names` are
 * bare parameter names. A dotted name (`model.lr`) is written as it is; one that
 * Python could not spell (`weight-decay`, `2fast`) stands in backticks.
 *
 * Constant parts that every evaluation reaches are calculated here once, so that
 * `lr < 9**9**9` and `1 / 0` fail when the file is read.
 *
 * @throws ExpressionError
 */
export function parseExpression(source: string, names: Iterable<string>): Expression {
  const root = parseTree(source, new Set(names));
  checkConstants(root);
  return { source, names: [...namesIn(root)].sort(), root };
}

/**
 * The value for one trial; `params` by bare name. A tuple's value is a list.
 *
 * @throws ExpressionError for what Python would raise, for results that are not
 * finite or not exact, and for results that are too large.
 */
export function evaluate(
  expression: Expression,
  params: Readonly<Record<string, Value>>,
): Value {
  const value = toValue(evaluateNode(expression.root, params));
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ExpressionError("The result is not a finite number", expression.root.column);
  }
  return value;
}

/** Whether an expression holds for a trial, by Python's truth. Throws as `evaluate` does. */
export function holds(
  expression: Expression,
  params: Readonly<Record<string, Value>>,
): boolean {
  return isTrue(evaluateNode(expression.root, params));
}

/** Tells an expression from a plain map among the values of a condition's `set`. */
export function isExpression(value: unknown): value is Expression {
  return typeof value === "object" && value !== null && "source" in value && "root" in value &&
    "names" in value && typeof value.source === "string" && Array.isArray(value.names);
}

function namesIn(node: ExpressionNode, found = new Set<string>()): Set<string> {
  if (node.kind === "name") found.add(node.name);
  for (const child of children(node)) namesIn(child, found);
  return found;
}

/** Evaluates the largest constant parts that every evaluation reaches. */
function checkConstants(node: ExpressionNode): void {
  if (namesIn(node).size === 0) evaluateNode(node, {});
  else for (const child of alwaysReached(node)) checkConstants(child);
}

function alwaysReached(node: ExpressionNode): readonly ExpressionNode[] {
  switch (node.kind) {
    case "and":
    case "or":
      return [node.left];
    case "if":
      return [node.test];
    case "compare":
      return [node.first, node.links[0]!.operand];
    default:
      return children(node);
  }
}
