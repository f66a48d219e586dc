import { arithmetic, negate } from "./expression-arithmetic.ts";
import { contains, equal, ordered } from "./expression-compare.ts";
import { ExpressionError } from "./expression-error.ts";
import { asTuple, describe, isTrue, numeric, toOperand } from "./expression-operand.ts";
import type { Operand } from "./expression-operand.ts";
import { agreed, agreedItems, meanings, spelled } from "./expression-spelled.ts";
import type { Side } from "./expression-spelled.ts";
import type { Comparison, ExpressionNode } from "./expression-tree.ts";
import type { Value } from "./value.ts";

type Params = Readonly<Record<string, Value>>;

/** Python's meaning of a tree; throws ExpressionError where Python would raise, and at a limit. */
export function evaluateNode(node: ExpressionNode, params: Params): Operand {
  switch (node.kind) {
    case "int":
      return BigInt(node.value);
    case "float":
    case "constant":
      return node.value;
    case "name":
      return lookUp(node.name, node.column, params);
    case "list": {
      const items = node.items.map((item) => evaluateNode(item, params));
      return node.tuple === true ? asTuple(items) : items;
    }
    case "call":
      return extreme(node, params);
    case "unary":
      return unary(node, params);
    case "binary": {
      const [left, right] = agreed(sideOf(node.left, params), sideOf(node.right, params));
      return arithmetic(node.operator, left, right, node.column);
    }
    case "and": {
      const left = evaluateNode(node.left, params);
      return isTrue(left) ? evaluateNode(node.right, params) : left;
    }
    case "or": {
      const left = evaluateNode(node.left, params);
      return isTrue(left) ? left : evaluateNode(node.right, params);
    }
    case "compare":
      return compareChain(node, params);
    case "if":
      return evaluateNode(
        isTrue(evaluateNode(node.test, params)) ? node.then : node.otherwise,
        params,
      );
  }
}

function lookUp(name: string, column: number, params: Params): Operand {
  if (!Object.hasOwn(params, name)) {
    throw new ExpressionError(`Parameter "${name}" has no value in this trial`, column);
  }
  return toOperand(params[name]!);
}

function sideOf(node: ExpressionNode, params: Params): Side {
  return { node, operand: evaluateNode(node, params) };
}

function unary(node: ExpressionNode & { kind: "unary" }, params: Params): Operand {
  const operand = evaluateNode(node.operand, params);
  if (node.operator === "not") return !isTrue(operand);
  const number = numeric(spelled({ node: node.operand, operand }) ?? operand);
  if (number === undefined) {
    throw new ExpressionError(
      `Cannot apply "${node.operator}" to ${describe(operand)}`,
      node.column,
    );
  }
  return node.operator === "-" ? negate(number) : number;
}

function compareChain(node: ExpressionNode & { kind: "compare" }, params: Params): boolean {
  let left = sideOf(node.first, params);
  for (const link of node.links) {
    const right = sideOf(link.operand, params);
    if (!compare(link.operator, left, right, link.column)) return false;
    left = right;
  }
  return true;
}

function compare(operator: Comparison, one: Side, other: Side, column: number): boolean {
  const whole = other.operand;
  const [left, right] = agreed(one, other);
  switch (operator) {
    case "==":
      return equal(left, right);
    case "!=":
      return !equal(left, right);
    case "in":
      return meanings(one, whole).some((item) => contains(item, whole, operator, column));
    case "not in":
      return !meanings(one, whole).some((item) => contains(item, whole, operator, column));
    default:
      return ordered(operator, left, right, column);
  }
}

/** `min` and `max`: of several values, or of the items of one list or string. The first of equals wins. */
function extreme(node: ExpressionNode & { kind: "call" }, params: Params): Operand {
  const values = agreedItems(node.items.map((item) => sideOf(item, params)));
  const items = values.length === 1 ? itemsOf(values[0]!, node) : values;
  const operator = node.function === "min" ? "<" : ">";
  let best = items[0];
  if (best === undefined) {
    throw new ExpressionError(`Cannot take ${node.function}() of nothing`, node.column);
  }
  for (const item of items.slice(1)) {
    if (ordered(operator, item, best, node.column)) best = item;
  }
  return best;
}

function itemsOf(value: Operand, node: ExpressionNode & { kind: "call" }): readonly Operand[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return [...value];
  throw new ExpressionError(
    `Cannot take ${node.function}() of ${describe(value)} alone`,
    node.column,
    `Write ${node.function}(a, b) or ${node.function}([a, b])`,
  );
}
