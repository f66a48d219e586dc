import { nearest } from "../base/text.ts";
import type { Clause, Operator } from "./config.ts";
import { describe, quote, whole, wrong } from "./fields.ts";
import { meantNumber } from "./numeric-text.ts";
import { readExpression } from "./read-expression.ts";
import { canonical, noteUnmatched } from "./read-literal.ts";
import type { ParameterTable } from "./read-parameters.ts";
import { readReference } from "./read-reference.ts";
import type { Report } from "./report.ts";
import type { Entry, Node } from "./yaml-node.ts";
import { readPlain } from "./yaml-scalar.ts";

const OPERATORS = ["eq", "ne", "gt", "ge", "lt", "le", "in", "not_in"] as const;
const CLAUSE = 'a value, a list of values, or one operator such as "{gt: 0.1}"';

/** The clauses of a `when`; all of them must hold. */
export function readWhen(
  node: Node,
  table: ParameterTable,
  report: Report,
): readonly Clause[] | undefined {
  if (node.kind !== "mapping" || node.entries.length === 0) {
    return wrong(node, report, 'at least one clause such as "{lr: 0.1}"');
  }
  return whole(node.entries.map((entry) => readClause(entry, table, report)));
}

function readClause(entry: Entry, table: ParameterTable, report: Report): Clause | undefined {
  if (entry.key === "expr" && meansExpression(entry.value, table)) {
    const expression = readExpression(entry.value, table, report);
    return expression === undefined ? undefined : { kind: "expression", expression };
  }
  const parameter = readReference(entry.key, entry.at, table, report, "test");
  if (parameter === undefined) return undefined;
  return readComparison(entry.value, parameter, table, report);
}

/** A parameter may be called `expr`; a text is an expression even then. */
function meansExpression(value: Node, table: ParameterTable): boolean {
  if (!table.names.has("expr")) return true;
  if (value.kind !== "scalar") return false;
  return !value.plain || typeof readPlain(value.text).value === "string";
}

function readComparison(
  node: Node,
  parameter: string,
  table: ParameterTable,
  report: Report,
): Clause | undefined {
  if (node.kind === "scalar") return readOperand(node, "eq", parameter, table, report);
  if (node.kind === "list") return readOperand(node, "in", parameter, table, report);
  const [entry, ...rest] = node.entries;
  if (entry === undefined || rest.length > 0) {
    return report.mistake(
      node,
      `Cannot read ${node.path}: found ${node.entries.length} operators, expected exactly one of ` +
        OPERATORS.join(", "),
    );
  }
  const operator = OPERATORS.find((each) => each === entry.key);
  if (operator === undefined) {
    const near = nearest(entry.key, OPERATORS);
    return report.mistake(
      entry.at,
      `Unknown operator ${quote(entry.key)} in ${node.path}, allowed are ${OPERATORS.join(", ")}`,
      near === undefined ? undefined : `Did you mean "${near}"?`,
    );
  }
  return readOperand(entry.value, operator, parameter, table, report);
}

function readOperand(
  node: Node,
  operator: Operator,
  parameter: string,
  table: ParameterTable,
  report: Report,
): Clause | undefined {
  if (operator === "in" || operator === "not_in") {
    if (node.kind !== "list" || node.items.length === 0) {
      return wrong(node, report, "a list of at least one value");
    }
    const values = whole(node.items.map((item) => readMember(item, parameter, table, report)));
    return values === undefined
      ? undefined
      : { kind: "compare", parameter, operator, value: values };
  }
  if (operator !== "eq" && operator !== "ne") {
    const value = canonical(node, parameter, table, report);
    if (value === undefined) return undefined;
    const number = meantNumber(value);
    if (number === undefined) {
      report.notice(
        node,
        `Found ${describe(node)} for "${operator}", which compares numbers: it never holds`,
      );
    }
    return { kind: "compare", parameter, operator, value: number ?? value };
  }
  if (node.kind === "mapping") return wrong(node, report, CLAUSE);
  const value = readMember(node, parameter, table, report);
  return value === undefined ? undefined : { kind: "compare", parameter, operator, value };
}

function readMember(node: Node, parameter: string, table: ParameterTable, report: Report) {
  const value = canonical(node, parameter, table, report);
  if (value !== undefined) noteUnmatched(node, value, parameter, table, report);
  return value;
}
