import type { Grid } from "./config.ts";
import {
  describe,
  type Fields,
  quote,
  readFields,
  readText,
  readWhole,
  whole,
  wrong,
} from "./fields.ts";
import { fallback } from "./plan.ts";
import type { ParameterTable } from "./read-parameters.ts";
import { readReference } from "./read-reference.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

type Sampling = "random" | "sobol";
const FORMS = '"all", a list of parameters, "random" or "sobol"; without it, one at a time';
/** Sobol numbers and seeds are 32-bit. */
const MOST_SEED = 0xffff_ffff;
const MOST_SAMPLES = 1_000_000;

/** `grid`, with the top-level `samples` and `seed` that go with sampling. */
export function readGrid(fields: Fields, table: ParameterTable, report: Report): Grid | undefined {
  const node = fields.get("grid")?.value;
  const sampling = node === undefined ? undefined : samplingOf(node);
  if (sampling === undefined) refuseSampling(fields, report);
  if (node === undefined) return { kind: "one-at-a-time" };
  if (sampling !== undefined) return readSampling(node, sampling, fields, report);
  if (node.kind === "list") return readNames(node.items, table, report);
  if (node.kind === "scalar" && node.text === "all") return { kind: "all" };
  if (node.kind === "mapping") {
    return wrong(node, report, 'one key, "random" or "sobol", with samples and seed');
  }
  return wrong(node, report, FORMS);
}

function samplingOf(node: Node): Sampling | undefined {
  const word = node.kind === "scalar"
    ? node.text
    : node.kind === "mapping" && node.entries.length === 1
    ? node.entries[0]!.key
    : "";
  return word === "random" || word === "sobol" ? word : undefined;
}

function refuseSampling(fields: Fields, report: Report): void {
  for (const key of ["samples", "seed"]) {
    const entry = fields.get(key);
    if (entry === undefined) continue;
    report.mistake(
      entry.at,
      `Cannot use "${key}" here: it goes with "grid: random" and "grid: sobol"`,
    );
  }
}

function readSampling(
  node: Node,
  kind: Sampling,
  top: Fields,
  report: Report,
): Grid | undefined {
  const inner = node.kind === "mapping"
    ? readFields(node.entries[0]!.value, ["samples", "seed"], report)
    : new Map();
  if (inner === undefined) return undefined;
  for (const key of ["samples", "seed"]) {
    const twice = inner.has(key) ? top.get(key) : undefined;
    if (twice !== undefined) {
      report.mistake(twice.at, `Cannot use "${key}" twice: it stands under "grid" already`);
    }
  }
  const samplesNode: Node | undefined = (inner.get("samples") ?? top.get("samples"))?.value;
  const seedNode: Node | undefined = (inner.get("seed") ?? top.get("seed"))?.value;
  const samples = samplesNode === undefined
    ? report.mistake(
      node,
      `Missing key "samples": "grid: ${kind}" needs the number of trials to draw`,
      'Add "samples: 20"',
    )
    : readWhole(samplesNode, report, { least: 1, most: MOST_SAMPLES });
  const seed = seedNode === undefined
    ? 0
    : readWhole(seedNode, report, { least: 0, most: MOST_SEED });
  return samples === undefined || seed === undefined ? undefined : { kind, samples, seed };
}

function readNames(
  items: readonly Node[],
  table: ParameterTable,
  report: Report,
): Grid | undefined {
  const seen = new Set<string>();
  const names = whole(items.map((item) => {
    const text = readText(item, report);
    const name = text === undefined
      ? undefined
      : readReference(text, item, table, report, "use in the grid");
    if (name === undefined) return undefined;
    if (seen.has(name)) {
      return report.mistake(item, `Cannot use ${describe(item)} twice in the grid`);
    }
    seen.add(name);
    return name;
  }));
  return names === undefined ? undefined : { kind: "some", names };
}

/** Where the grid takes parameters at their default, each must have one (or one value alone). */
export function checkDefaults(
  grid: Grid,
  zip: readonly (readonly string[])[],
  table: ParameterTable,
  report: Report,
): void {
  if (grid.kind !== "one-at-a-time" && grid.kind !== "some") return;
  const listed = grid.kind === "some" ? grid.names : [];
  // To name one member of a zip group is to name the group.
  const groups = zip.filter((group) => group.some((name) => listed.includes(name)));
  const swept = new Set([...listed, ...groups.flat()]);
  for (const parameter of table.parameters) {
    if (swept.has(parameter.name) || fallback(parameter) !== undefined) continue;
    const why = grid.kind === "some" ? "it is not in the grid" : "no grid is set";
    report.mistake(
      table.entries.get(parameter.name)!.at,
      `Parameter ${quote(parameter.name)} needs a default, because ${why}`,
      'Add a "default" to it, or write "grid: all" to try every combination',
    );
  }
}
