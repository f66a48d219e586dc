import { count } from "../base/text.ts";
import type { Grid, Parameter } from "./config.ts";
import { readItems, readText, whole, wrong } from "./fields.ts";
import type { ParameterTable } from "./read-parameters.ts";
import { readReference } from "./read-reference.ts";
import type { Report } from "./report.ts";
import { sameValue } from "./same-value.ts";
import type { Node } from "./yaml-node.ts";

type Groups = readonly (readonly string[])[];

/** `zip: [[a, b], [c, d]]`, or `zip: [a, b]` for one group: values that go together, first with first. */
export function readZip(
  node: Node,
  grid: Grid | undefined,
  table: ParameterTable,
  report: Report,
): Groups | undefined {
  const items = readItems(node, report, "groups such as [lr, batch_size]");
  if (items === undefined) return undefined;
  const flat = items.length > 0 && items.every((item) => item.kind === "scalar");
  const used = new Set<string>();
  const groups = (flat ? [node] : items).map((group) => readGroup(group, used, table, report));
  groups.forEach((names, i) => {
    const at = flat ? node : items[i]!;
    const members = names?.map((name) => table.parameters.find((each) => each.name === name));
    // A member that could not be read has its own mistake.
    const known = members === undefined ? undefined : whole(members);
    if (known !== undefined) checkGroup(known, at, grid, report);
  });
  return whole(groups);
}

function readGroup(
  node: Node,
  used: Set<string>,
  table: ParameterTable,
  report: Report,
): readonly string[] | undefined {
  const items = readItems(node, report, "at least two parameters");
  if (items === undefined) return undefined;
  if (items.length < 2) return wrong(node, report, "a list of at least two parameters");
  return whole(items.map((item) => {
    const text = readText(item, report);
    const name = text === undefined ? undefined : readReference(text, item, table, report, "zip");
    if (name === undefined) return undefined;
    if (used.has(name)) return report.mistake(item, `Cannot zip "${name}" twice`);
    used.add(name);
    return name;
  }));
}

function checkGroup(
  members: readonly Parameter[],
  at: Node,
  grid: Grid | undefined,
  report: Report,
): void {
  const lengths = members.map((each) => each.type === "discrete" ? each.values.length : each.steps);
  if (new Set(lengths).size > 1) {
    const found = members.map((each, i) => `"${each.name}" has ${count(lengths[i]!, "value")}`);
    report.mistake(
      at,
      `Cannot zip parameters of different lengths: ${found.join(", ")}`,
      "Give each the same number of values (or steps)",
    );
    return;
  }
  if (grid?.kind === "random" || grid?.kind === "sobol") {
    const continuous = members.find((each) => each.type === "continuous");
    if (continuous !== undefined) {
      report.mistake(
        at,
        `Cannot zip "${continuous.name}" with "grid: ${grid.kind}": it is continuous, ` +
          "and its values are drawn one by one",
      );
    }
  } else if (standsAtDefaults(members, grid)) checkDefaults(members, at, report);
}

/** Whether some trial takes the group at its defaults. One member in the grid brings the others in. */
function standsAtDefaults(members: readonly Parameter[], grid: Grid | undefined): boolean {
  if (grid?.kind === "one-at-a-time") return true;
  return grid?.kind === "some" && !members.some((each) => grid.names.includes(each.name));
}

/** The default trial is one of the pairs, or it would be a combination that nobody asked for. */
function checkDefaults(members: readonly Parameter[], at: Node, report: Report): void {
  const places = members.flatMap((each) => {
    if (each.type !== "discrete" || each.default === undefined) return [];
    const chosen = each.default;
    return [{ name: each.name, at: each.values.map((value) => sameValue(value, chosen)) }];
  });
  const length = places[0]?.at.length ?? 0;
  const agree = Array.from({ length }, (_, i) => places.every((each) => each.at[i]));
  if (places.length < 2 || agree.includes(true)) return;
  report.mistake(
    at,
    `Cannot pair the defaults of ${places.map((each) => `"${each.name}"`).join(" and ")}: ` +
      "they stand at different places in their values",
    "Choose defaults that go together",
  );
}
