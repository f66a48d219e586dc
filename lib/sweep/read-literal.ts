import { nearest } from "../base/text.ts";
import { quote } from "./fields.ts";
import { matchValue } from "./match-value.ts";
import type { ParameterTable } from "./read-parameters.ts";
import { readValue } from "./read-value.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";
import type { Value } from "./value.ts";

/**
 * A value that a condition names for a parameter: the parameter's own value
 * where one is meant (so that "32" and 32 agree whichever side has the quotes),
 * else with quoted numbers read as numbers.
 */
export function canonical(
  node: Node,
  name: string | undefined,
  table: ParameterTable,
  report: Report,
): Value | undefined {
  const written = readValue(node, report);
  if (written === undefined) return undefined;
  const parameter = table.parameters.find((each) => each.name === name);
  const match = parameter?.type === "discrete" ? matchValue(written, parameter.values) : undefined;
  if (match !== undefined) return match.value;
  return readValue(node, report, { quotedNumbers: true });
}

/** Says when a text is none of the parameter's values: the condition never applies then. */
export function noteUnmatched(
  node: Node,
  value: Value,
  name: string,
  table: ParameterTable,
  report: Report,
): void {
  const parameter = table.parameters.find((each) => each.name === name);
  if (parameter?.type !== "discrete" || parameter.values.length === 0) return;
  if (typeof value !== "string" || matchValue(value, parameter.values) !== undefined) return;
  const texts = parameter.values.filter((each) => typeof each === "string");
  const near = nearest(value, texts);
  report.notice(
    node,
    `Found ${quote(value)}, which is not one of the values of ${quote(name)}` +
      (near === undefined ? "" : `: did you mean ${quote(near)}?`),
  );
}
