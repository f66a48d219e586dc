import type { Repeats } from "./config.ts";
import { type Fields, quote, readItems, readText, whole, wrong } from "./fields.ts";
import { assignment } from "./overrides.ts";
import { bareName } from "./parameter-name.ts";
import type { ParameterTable } from "./read-parameters.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

/** The top level's `static_overrides`; without them those of the legacy section `hydra`. */
export function findStaticOverrides(fields: Fields, report: Report): Node | undefined {
  const own = fields.get("static_overrides")?.value;
  const hydra = fields.get("hydra");
  if (hydra === undefined) return own;
  const entries = hydra.value.kind === "mapping" ? hydra.value.entries : [];
  const lifted = entries.find((entry) => entry.key === "static_overrides");
  if (lifted !== undefined && own === undefined) {
    report.notice(
      lifted.at,
      "Took hydra.static_overrides for static_overrides: write them at the top level",
    );
  } else {
    report.notice(
      hydra.at,
      lifted === undefined
        ? 'Ignored "hydra": herd has no use for it'
        : "Ignored hydra.static_overrides: static_overrides at the top level win",
    );
  }
  const rest = entries.filter((entry) => entry !== lifted).map((entry) => entry.key);
  if (lifted !== undefined && rest.length > 0) {
    report.notice(hydra.at, `Ignored the rest of "hydra": ${rest.join(", ")}`);
  }
  return own ?? lifted?.value;
}

/** Overrides that every trial gets, as they stand. */
export function readStaticOverrides(node: Node, report: Report): readonly string[] | undefined {
  const items = readItems(node, report, 'overrides such as "trainer.epochs=10"');
  if (items === undefined) return undefined;
  return whole(items.map((item) => {
    if (item.kind !== "mapping") return readText(item, report);
    const [entry] = item.entries;
    const example = entry?.value.kind === "scalar" ? `${entry.key}=${entry.value.text}` : "a=1";
    return wrong(item, report, "a text", `Write it as "${example}"`);
  }));
}

/** An override comes after the swept ones, and the last one wins: such a parameter is not swept at all. */
export function checkShadowing(
  node: Node,
  table: ParameterTable,
  repeats: Repeats | undefined,
  report: Report,
): void {
  for (const item of node.kind === "list" ? node.items : []) {
    const key = item.kind === "scalar" ? assignment(item.text)?.key : undefined;
    if (key === undefined) continue;
    if (key === repeats?.parameter) {
      report.mistake(
        item,
        `Cannot repeat with ${quote(key)}: this static override gives it one value in every trial`,
      );
    } else if (table.names.has(bareName(key))) {
      report.notice(
        item,
        `Found ${quote(key)} among parameters and static_overrides: ` +
          "the override wins, so every trial runs with its value",
      );
    }
  }
}
