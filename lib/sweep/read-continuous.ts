import type { ContinuousParameter } from "./config.ts";
import {
  type Fields,
  isNull,
  missing,
  readChoice,
  readNumber,
  readWhole,
  wrong,
} from "./fields.ts";
import type { Report } from "./report.ts";
import type { MappingNode, Node } from "./yaml-node.ts";

export const DEFAULT_STEPS = 5;
/** More points of one parameter than any cluster runs; a slip of the keyboard more likely. */
const MOST_STEPS = 1_000_000;

/** A parameter of type continuous, without its name. Undefined when a part of it could not be read. */
export function readContinuous(
  node: Node,
  fields: Fields,
  report: Report,
): Omit<ContinuousParameter, "name" | "abbrev"> | undefined {
  const low = bound(node, "low", fields, report);
  const high = bound(node, "high", fields, report);
  const scaleNode = fields.get("scale")?.value;
  const scale = scaleNode === undefined
    ? "linear"
    : readChoice(scaleNode, ["linear", "log"] as const, report);
  const stepsNode = fields.get("steps")?.value;
  const steps = stepsNode === undefined
    ? DEFAULT_STEPS
    : readWhole(stepsNode, report, { least: 1, most: MOST_STEPS });
  const defaultNode = fields.get("default")?.value;
  const value = defaultNode === undefined ? undefined : readNumber(defaultNode, report);
  noteNullDefault(node, report);
  if (low === undefined || high === undefined || scale === undefined || steps === undefined) return;
  if (!(low < high)) {
    return wrong(fields.get("low")!.value, report, `less than "high", which is ${high}`);
  }
  if (scale === "log" && low <= 0) {
    return wrong(fields.get("low")!.value, report, "more than 0, as the scale is log");
  }
  if (defaultNode !== undefined && value !== undefined && (value < low || value > high)) {
    return wrong(defaultNode, report, `a number from ${low} to ${high}`);
  }
  return { type: "continuous", low, high, scale, steps, default: value };
}

function bound(
  node: Node,
  key: "low" | "high",
  fields: Fields,
  report: Report,
): number | undefined {
  const entry = fields.get(key);
  if (entry !== undefined) return readNumber(entry.value, report);
  return node.kind === "mapping" ? missing(node, key, "a number", report) : undefined;
}

/** HyperHerd could not tell null from "none"; for numbers there is nothing to tell. */
function noteNullDefault(node: Node, report: Report): void {
  const entry = (node as MappingNode).entries.find((each) => each.key === "default");
  if (entry === undefined || !isNull(entry.value)) return;
  report.notice(entry.value, `Read ${entry.value.path} as "no default": leave the key out`);
}
