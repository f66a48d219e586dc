import type { HalvingSettings } from "./config.ts";
import {
  type Fields,
  missing,
  readChoice,
  readFields,
  readText,
  readWhole,
  wrong,
} from "./fields.ts";
import type { Report } from "./report.ts";
import type { MappingNode, Node } from "./yaml-node.ts";

const KEYS = ["metric", "direction", "min_steps", "budget", "eta", "mode"] as const;
const DIRECTIONS = ["min", "max"] as const;
const MODES = ["sync", "asha"] as const;

/** The section `successive_halving`. */
export function readHalving(node: Node, report: Report): HalvingSettings | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined || node.kind !== "mapping") {
    return fields === undefined
      ? undefined
      : wrong(node, report, `a mapping with ${KEYS.join(", ")}`);
  }
  const metricNode = fields.get("metric")?.value;
  const metric = metricNode === undefined
    ? missing(node, "metric", "the name that the trainer logs", report)
    : readText(metricNode, report);
  const directionNode = fields.get("direction")?.value;
  const direction = directionNode === undefined
    ? missing(node, "direction", '"min" or "max"', report)
    : readChoice(directionNode, DIRECTIONS, report);
  const minSteps = steps(node, "min_steps", fields, report);
  const budget = steps(node, "budget", fields, report);
  const etaNode = fields.get("eta")?.value;
  const eta = etaNode === undefined ? 2 : readWhole(etaNode, report, { least: 2 });
  const modeNode = fields.get("mode")?.value;
  const mode = modeNode === undefined ? "sync" : readChoice(modeNode, MODES, report);
  if (minSteps !== undefined && budget !== undefined && minSteps > budget) {
    wrong(fields.get("min_steps")!.value, report, `at most the budget, which is ${budget}`);
  }
  if (metric === undefined || direction === undefined || minSteps === undefined) return undefined;
  if (budget === undefined || eta === undefined || mode === undefined) return undefined;
  return { metric, direction, minSteps, budget, eta, mode };
}

function steps(
  node: MappingNode,
  key: "min_steps" | "budget",
  fields: Fields,
  report: Report,
): number | undefined {
  const entry = fields.get(key);
  return entry === undefined
    ? missing(node, key, "a whole number of at least 1", report)
    : readWhole(entry.value, report, { least: 1 });
}
