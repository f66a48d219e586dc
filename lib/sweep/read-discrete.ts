import { count } from "../base/text.ts";
import type { DiscreteParameter } from "./config.ts";
import {
  type Fields,
  isNull,
  missing,
  quote,
  readItems,
  readText,
  whole,
  wrong,
} from "./fields.ts";
import { matchValue } from "./match-value.ts";
import { formatG, numberText } from "./number-text.ts";
import { readValue } from "./read-value.ts";
import type { Report } from "./report.ts";
import { sameValue } from "./same-value.ts";
import type { MappingNode, Node } from "./yaml-node.ts";
import type { Value } from "./value.ts";

/** Letters and digits of any script: file systems hold them, and no shell splits or expands them. */
const LABEL = /^[\p{L}\p{N}\p{M}._+@,=-]+$/u;
const LONGEST_LABEL = 100;

/** A parameter of type discrete, without its name. Undefined when a part of it could not be read. */
export function readDiscrete(
  node: Node,
  fields: Fields,
  report: Report,
  options: { columns: boolean },
): Omit<DiscreteParameter, "name" | "abbrev"> | undefined {
  const valuesNode = fields.get("values")?.value;
  if (valuesNode === undefined && !options.columns) {
    const at = node as MappingNode;
    const there = at.entries.find((entry) => entry.key === "values");
    return there === undefined
      ? missing(at, "values", "a list of at least one value", report)
      : wrong(there.value, report, "a list of at least one value");
  }
  const values = valuesNode === undefined ? [] : readValues(valuesNode, report);
  const labels = readLabels(fields, report);
  if (values === undefined || labels === undefined) return undefined;
  if (labels !== "none" && !labelsFit(fields, labels, values.length, report)) return undefined;
  if (valuesNode?.kind === "list" && labels === "none") {
    const { items } = valuesNode;
    if (!values.every((value, i) => needsNoLabel(value, items[i]!, report))) return undefined;
  }
  const nodes = valuesNode?.kind === "list" ? valuesNode.items : [];
  noteRepeated(values, nodes, report);
  noteForeign(values, nodes, report);
  const floats = values.filter((value, i) => isWrittenAsFloat(value, nodes[i]));
  const chosen = readDefault(node, values, report, options);
  if (chosen === "wrong") return undefined;
  return {
    type: "discrete",
    values,
    labels: labels === "none" ? undefined : labels,
    ...(floats.length === 0 ? {} : { floats }),
    default: chosen.value,
  };
}

function readValues(node: Node, report: Report): readonly Value[] | undefined {
  const items = readItems(node, report, "values");
  if (items === undefined) return undefined;
  if (items.length === 0) return wrong(node, report, "a list of at least one value");
  return whole(items.map((item) => readValue(item, report)));
}

function readLabels(fields: Fields, report: Report): readonly string[] | "none" | undefined {
  const entry = fields.get("labels");
  if (entry === undefined) return "none";
  const items = readItems(entry.value, report, "labels");
  const seen = new Map<string, number>();
  const labels = items?.map((item) => {
    const text = readText(item, report);
    if (text === undefined) return undefined;
    if (!LABEL.test(text) || text.length > LONGEST_LABEL) {
      return wrong(
        item,
        report,
        `up to ${LONGEST_LABEL} letters, digits and . _ + - @ , = (a label becomes part of a file's name)`,
      );
    }
    const line = seen.get(text);
    if (line !== undefined) {
      return report.mistake(item, `Cannot use the label ${quote(text)} twice: labels must differ`);
    }
    seen.set(text, item.line);
    return text;
  });
  return labels === undefined ? undefined : whole(labels);
}

function labelsFit(
  fields: Fields,
  labels: readonly string[],
  values: number,
  report: Report,
): boolean {
  if (labels.length === values) return true;
  const at = fields.get("labels")!.value;
  report.mistake(
    at,
    `Cannot match labels with values: found ${count(labels.length, "label")} for ${
      count(values, "value")
    }`,
    "Give one label for each value, in the same order",
  );
  return false;
}

function needsNoLabel(value: Value, node: Node, report: Report): boolean {
  const slash = typeof value === "string" && value.includes("/");
  const nested = typeof value === "object" && value !== null;
  if (!slash && !nested) return true;
  const what = slash ? `the value ${quote(value)} with its "/"` : "a list or a mapping as a value";
  report.mistake(
    node,
    `Cannot name trials after ${what}: this parameter needs "labels"`,
    'Add "labels: [...]" with one short name for each value',
  );
  return false;
}

function noteRepeated(values: readonly Value[], nodes: readonly Node[], report: Report): void {
  // Only short lists are written by hand, and every pair is compared.
  if (values.length > 1000) return;
  values.forEach((value, i) => {
    // Once for each value, where it stands for the second time.
    if (values.slice(0, i).filter((other) => sameValue(other, value)).length !== 1) return;
    const times = values.filter((other) => sameValue(other, value)).length;
    const list = nodes[i]!.path.replace(/\[\d+\]$/, "");
    const often = times === 2 ? "twice" : `${times} times`;
    report.notice(nodes[i]!, `Found ${JSON.stringify(value)} ${often} in ${list}`);
  });
}

/** PyYAML takes a float without a dot, or with an exponent without a sign, for text. */
const PYYAML_FLOAT = /^(?:[-+]?\d+\.\d*|\.\d+)(?:[eE][-+]\d+)?$/;

function noteForeign(values: readonly Value[], nodes: readonly Node[], report: Report): void {
  for (const [i, value] of values.entries()) {
    const node = nodes[i];
    if (typeof value !== "number" || node?.kind !== "scalar" || !node.plain) continue;
    if (!/[.eE]/.test(node.text) || /^0x/.test(node.text) || PYYAML_FLOAT.test(node.text)) continue;
    const name = formatG(value, 4);
    if (name === node.text && numberText(value) === node.text) continue;
    const message = `Read ${node.text} as a number, where HyperHerd had the text: new names ` +
      `read ${name}; write "${node.text}" in quotes for the text`;
    report.notice(node, message, "a number that PyYAML takes for text");
  }
}

/** A whole number only: others are floats anyway. Four digits write small ones alike. */
function isWrittenAsFloat(value: Value, node: Node | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && Math.abs(value) >= 1e4 &&
    node?.kind === "scalar" && node.plain && /[.eE]/.test(node.text) && !/^0x/.test(node.text);
}

/** HyperHerd read a null default as "none"; that is kept unless null is one of the values. */
function readDefault(
  node: Node,
  values: readonly Value[],
  report: Report,
  options: { columns: boolean },
): { value: Value | undefined } | "wrong" {
  const entries = node.kind === "mapping" ? node.entries : [];
  const at = entries.find((entry) => entry.key === "default")?.value;
  if (at === undefined) return { value: undefined };
  const free = options.columns && values.length === 0;
  if (isNull(at) && !free && !values.includes(null)) {
    report.notice(at, `Read ${at.path} as "no default", as null is not one of the values`);
    return { value: undefined };
  }
  const value = readValue(at, report);
  if (value === undefined) return "wrong";
  if (free) return { value };
  const match = matchValue(value, values);
  if (match !== undefined) return { value: match.value };
  wrong(at, report, `one of the values ${list(values)}`);
  return "wrong";
}

function list(values: readonly Value[]): string {
  const shown = values.slice(0, 10).map((value) => JSON.stringify(value)).join(", ");
  return values.length > 10 ? `${shown}, …` : shown;
}
