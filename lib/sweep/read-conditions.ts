import type { Clause, Condition, Resources } from "./config.ts";
import {
  type Fields,
  missing,
  quote,
  readFields,
  readItems,
  readText,
  whole,
  wrong,
} from "./fields.ts";
import { canonical, noteUnmatched } from "./read-literal.ts";
import type { ParameterTable } from "./read-parameters.ts";
import { readExpression } from "./read-expression.ts";
import { readReference } from "./read-reference.ts";
import { CONDITION_KEYS, readResources } from "./read-resources.ts";
import { readValue } from "./read-value.ts";
import { readWhen } from "./read-when.ts";
import type { Report } from "./report.ts";
import type { Entry, Node } from "./yaml-node.ts";
import type { Value } from "./value.ts";

const KEYS = ["name", "when", "exclude", "force", "set", "slurm"] as const;
const ACTIONS = ["exclude", "force", "set", "slurm"] as const;

/** The section `conditions`. Conditions that could not be read are left out. */
export function readConditions(
  node: Node,
  table: ParameterTable,
  report: Report,
): readonly Condition[] {
  const items = readItems(node, report, "conditions") ?? [];
  return items.map((item) => readCondition(item, table, report))
    .filter((condition) => condition !== undefined);
}

function readCondition(node: Node, table: ParameterTable, report: Report): Condition | undefined {
  if (node.kind !== "mapping") return wrong(node, report, 'a mapping with "when" and an action');
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  if (!ACTIONS.some((key) => fields.has(key) || report.isMisspelt(node.path, key))) {
    missing(node, "exclude", "at least one of exclude, force, set and slurm", report);
  }
  const nameNode = fields.get("name")?.value;
  const when = fields.get("when");
  const clauses = when === undefined
    ? missing(node, "when", "at least one clause such as {lr: 0.1}", report)
    : readWhen(when.value, table, report);
  const condition = {
    name: nameNode === undefined ? "unnamed" : readText(nameNode, report),
    when: clauses as readonly Clause[] | undefined,
    exclude: readRecord(fields, "exclude", report, (each) => readExclude(each, table, report)),
    force: readRecord(fields, "force", report, (each) => readForce(each, table, report)),
    set: readRecord(fields, "set", report, (each) => readSet(each, table, report)),
    slurm: readSlurm(fields, report),
  };
  const { name, exclude, force, set, slurm } = condition;
  if (name === undefined || clauses === undefined || slurm === undefined) return undefined;
  if (exclude === undefined || force === undefined || set === undefined) return undefined;
  return { name, when: clauses, exclude, force, set, slurm };
}

/** A mapping whose entries `read` turns into key and value; undefined when one failed. */
function readRecord<T>(
  fields: Fields,
  key: string,
  report: Report,
  read: (entry: Entry) => readonly [string, T] | undefined,
): Readonly<Record<string, T>> | undefined {
  const node = fields.get(key)?.value;
  if (node === undefined) return {};
  if (node.kind !== "mapping" || node.entries.length === 0) {
    return wrong(node, report, "a mapping with at least one entry");
  }
  const entries = whole(node.entries.map(read));
  return entries === undefined ? undefined : Object.fromEntries(entries);
}

function readExclude(
  entry: Entry,
  table: ParameterTable,
  report: Report,
): readonly [string, readonly Value[]] | undefined {
  const name = readReference(entry.key, entry.at, table, report, "exclude values of");
  const nodes = entry.value.kind === "list" ? entry.value.items : [entry.value];
  if (nodes.length === 0) return wrong(entry.value, report, "a value or a list of values");
  const values = whole(nodes.map((node) => {
    const value = canonical(node, name, table, report);
    if (value !== undefined && name !== undefined) noteUnmatched(node, value, name, table, report);
    return value;
  }));
  return name === undefined || values === undefined ? undefined : [name, values];
}

function readForce(
  entry: Entry,
  table: ParameterTable,
  report: Report,
): readonly [string, Value] | undefined {
  const name = readReference(entry.key, entry.at, table, report, "force");
  const value = canonical(entry.value, name, table, report);
  return name === undefined || value === undefined ? undefined : [name, value];
}

function readSet(
  entry: Entry,
  table: ParameterTable,
  report: Report,
): readonly [string, Condition["set"][string]] | undefined {
  const { key, at, value: node } = entry;
  // deno-lint-ignore no-control-regex
  if (key === "" || /["'`=\\\s\u0000-\u001f\u007f-\u009f]/.test(key)) {
    return report.mistake(
      at,
      `Cannot set ${quote(key)}: expected the name of an override, ` +
        'without quotes, backtick, "=", backslash and white space',
    );
  }
  if (node.kind === "mapping" && node.entries.some((each) => each.key === "expr")) {
    if (node.entries.length > 1) {
      return wrong(node, report, 'either "{expr: ...}" alone or a value');
    }
    const expression = readExpression(node.entries[0]!.value, table, report);
    return expression === undefined ? undefined : [key, { expression }];
  }
  const value = readValue(node, report, { quotedNumbers: true });
  return value === undefined ? undefined : [key, value];
}

function readSlurm(fields: Fields, report: Report): Partial<Resources> | undefined {
  const node = fields.get("slurm")?.value;
  if (node === undefined) return {};
  if (node.kind !== "mapping" || node.entries.length === 0) {
    return wrong(node, report, 'a mapping with at least one entry such as "{mem: 32G}"');
  }
  const own = readFields(node, CONDITION_KEYS, report);
  return own === undefined ? undefined : readResources(own, report);
}
