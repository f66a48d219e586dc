import { wrong } from "./fields.ts";
import type { Report } from "./report.ts";
import { parseSpan, SPAN_FORMS } from "./span.ts";
import type { Node } from "./yaml-node.ts";

/** Seconds from `least` to `most`. */
export function readSpan(
  node: Node,
  report: Report,
  range: { least: number; most: number },
): number | undefined {
  const seconds = node.kind === "scalar" ? parseSpan(node.text) : undefined;
  if (seconds === undefined) return wrong(node, report, SPAN_FORMS);
  if (seconds >= range.least && seconds <= range.most) return seconds;
  return wrong(node, report, `${inWords(range.least)} to ${inWords(range.most)}`);
}

function inWords(seconds: number): string {
  const [unit, size] = seconds % 86_400 === 0
    ? ["day", 86_400] as const
    : seconds % 3600 === 0
    ? ["hour", 3600] as const
    : seconds % 60 === 0
    ? ["minute", 60] as const
    : ["second", 1] as const;
  const n = seconds / size;
  return `${n} ${unit}${n === 1 ? "" : "s"}`;
}
