import type { Repeats } from "./config.ts";
import { quote, readFields, readText, readWhole, wrong } from "./fields.ts";
import { bareName } from "./parameter-name.ts";
import type { ParameterTable } from "./read-parameters.ts";
import type { Report, Spot } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const DEFAULT_PARAMETER = "seed";
const MOST = 100_000;

/** `repeats: 3`, or `{count, parameter, first}`. */
export function readRepeats(
  node: Node,
  table: ParameterTable,
  report: Report,
): Repeats | undefined {
  if (node.kind === "scalar") {
    const count = readWhole(node, report, { least: 1, most: MOST });
    if (count === undefined || !isFree(DEFAULT_PARAMETER, node, table, report)) return undefined;
    return { count, parameter: DEFAULT_PARAMETER, first: 0 };
  }
  if (node.kind === "list") {
    return wrong(node, report, "a number, or a mapping with count, parameter and first");
  }
  const fields = readFields(node, ["count", "parameter", "first"], report);
  if (fields === undefined) return undefined;
  const countNode = fields.get("count")?.value;
  const nameNode = fields.get("parameter")?.value;
  const firstNode = fields.get("first")?.value;
  const count = countNode === undefined
    ? report.mistake(node.head, 'Missing key "count" in repeats: expected a whole number')
    : readWhole(countNode, report, { least: 1, most: MOST });
  const parameter = nameNode === undefined ? DEFAULT_PARAMETER : readName(nameNode, report);
  const first = firstNode === undefined
    ? 0
    : readWhole(firstNode, report, { least: 0, most: 0xffff_ffff });
  if (parameter !== undefined && !isFree(parameter, nameNode ?? node, table, report)) return;
  if (count === undefined || parameter === undefined || first === undefined) return undefined;
  return { count, parameter, first };
}

function readName(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined) return undefined;
  return /^[A-Za-z0-9_.][A-Za-z0-9._-]{0,199}$/.test(text) && text !== "experiment_name"
    ? text
    : wrong(node, report, "a name of letters, digits, dot, underscore and hyphen");
}

function isFree(name: string, at: Spot, table: ParameterTable, report: Report): boolean {
  const taken = table.names.get(bareName(name)) ??
    table.parameters.find((each) => each.abbrev === name)?.name;
  if (taken === undefined) return true;
  report.mistake(
    at,
    `Cannot repeat with ${quote(name)}: the parameter ${quote(taken)} has this name already`,
    'Choose another one: "repeats: {count: 3, parameter: run}"',
  );
  return false;
}
