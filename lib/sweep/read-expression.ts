import { type Expression, ExpressionError, parseExpression } from "./expression.ts";
import { wrong } from "./fields.ts";
import type { ParameterTable } from "./read-parameters.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

/** An expression; a mistake in it is reported at its own line and column in the file. */
export function readExpression(
  node: Node,
  table: ParameterTable,
  report: Report,
): Expression | undefined {
  if (node.kind !== "scalar" || node.text.trim() === "") {
    return wrong(node, report, 'an expression in quotes such as "lr > 0.1 and layers == 4"');
  }
  try {
    const expression = parseExpression(node.text, table.names.keys());
    const { line, column } = node.spotOf(node.text.search(/\S/));
    return { ...expression, at: { file: report.file, line, column, path: node.path } };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return report.mistake(
      node.spotOf(error.column - 1),
      `Cannot read ${node.path}: ${error.message}`,
      error.hint,
    );
  }
}
