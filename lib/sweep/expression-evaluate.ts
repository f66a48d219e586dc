import { arithmetic, negate } from "./expression-arithmetic.ts";
import { contains, equal, ordered } from "./expression-compare.ts";
import { ExpressionError } from "./expression-error.ts";
import { describe, isTrue, numeric, toOperand } from "./expression-operand.ts";
import type { Operand } from "./expression-operand.ts";
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
    case "list":
      return node.items.map((item) => evaluateNode(item, params));
    case "call":
      return extreme(node, params);
    case "unary":
      return unary(node, params);
    case "binary": {
      const left = evaluateNode(node.left, params);
      return arithmetic(node.operator, left, evaluateNode(node.right, params), node.column);
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

function unary(node: ExpressionNode & { kind: "unary" }, params: Params): Operand {
  const operand = evaluateNode(node.operand, params);
  if (node.operator === "not") return !isTrue(operand);
  const number = numeric(operand);
  if (number === undefined) {
    throw new ExpressionError(
      `Cannot apply "${node.operator}" to ${describe(operand)}`,
      node.column,
    );
  }
  return node.operator === "-" ? negate(number) : number;
}

function compareChain(node: ExpressionNode & { kind: "compare" }, params: Params): boolean {
  let left = evaluateNode(node.first, params);
  for (const link of node.links) {
    const right = evaluateNode(link.operand, params);
    if (!compare(link.operator, left, right, link.column)) return false;
    left = right;
  }
  return true;
}

function compare(operator: Comparison, left: Operand, right: Operand, column: number): boolean {
  switch (operator) {
    case "==":
      return equal(left, right);
    case "!=":
      return !equal(left, right);
    case "in":
      return contains(left, right, operator, column);
    case "not in":
      return !contains(left, right, operator, column);
    default:
      return ordered(operator, left, right, column);
  }
}

/** `min` and `max`: of several values, or of the items of one list or string. The first of equals wins. */
function extreme(node: ExpressionNode & { kind: "call" }, params: Params): Operand {
  const values = node.items.map((item) => evaluateNode(item, params));
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
