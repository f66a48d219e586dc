import { nearest } from "../base/text.ts";
import type { Objective } from "./config.ts";
import { missing, readChoice, readFields, readText, wrong } from "./fields.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const KEYS = ["metric", "direction"] as const;
const DIRECTIONS = ["min", "max"] as const;
const WORDS: Readonly<Record<string, "min" | "max">> = {
  maximize: "max",
  maximise: "max",
  max: "max",
  minimize: "min",
  minimise: "min",
  min: "min",
};
const FORMS =
  '"maximize METRIC", "minimize METRIC", "none", or a mapping with metric and direction';

/** `maximize val_acc`, `{metric: val_acc, direction: max}` or `none`. */
export function readObjective(node: Node, report: Report): Objective | undefined {
  if (node.kind === "mapping") return readMapping(node, report);
  const text = node.kind === "scalar" ? node.text.trim() : "";
  if (text.toLowerCase() === "none") return "none";
  const [, verb = "", metric = ""] = /^(\S+)\s+(\S.*)$/.exec(text) ?? [];
  const word = verb.toLowerCase();
  const direction = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (direction === undefined || metric === "") {
    const near = nearest(word, ["maximize", "minimize"]);
    const hint = near === undefined || metric === ""
      ? undefined
      : `Did you mean "${near} ${metric}"?`;
    return wrong(node, report, FORMS, hint);
  }
  // One line without control characters, as in the mapping.
  return readText(node, report) === undefined ? undefined : { metric, direction };
}

function readMapping(node: Node & { kind: "mapping" }, report: Report): Objective | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const metricNode = fields.get("metric")?.value;
  const metric = metricNode === undefined
    ? missing(node, "metric", "the name that the trainer logs", report)
    : readText(metricNode, report);
  const directionNode = fields.get("direction")?.value;
  const direction = directionNode === undefined
    ? missing(node, "direction", '"min" or "max"', report)
    : readChoice(directionNode, DIRECTIONS, report);
  return metric === undefined || direction === undefined ? undefined : { metric, direction };
}
