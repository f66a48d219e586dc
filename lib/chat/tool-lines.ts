import { codeSpan } from "../base/markdown.ts";
import { count } from "../base/text.ts";
import type { ToolCounts, ToolUse } from "./turn.ts";

/** How much is shown of what an agent does: each use, how many, or nothing. */
export type ToolDisplay = "full" | "compact" | "none";

const SIGN = { running: "🔧", completed: "✅", failed: "❌" } as const;
/** More lines of one sort than this are told as a number. */
const MOST_LINES = 3;
/** Of one title, UTF-16 units. */
const TITLE_UNITS = 120;

/**
 * What the agent did and does with tools, as lines: never more than eight, each below 150 units.
 * `earlier`: uses before those, which are told as numbers.
 */
export function toolLines(
  tools: readonly ToolUse[],
  display: ToolDisplay,
  earlier: ToolCounts = { completed: 0, failed: 0 },
): string[] {
  const uses = byId(tools);
  if (display === "none" || uses.length === 0) return [];
  return display === "compact" ? [counts(uses, earlier)] : fullLines(uses, earlier);
}

/** The last word about each use, in the order in which they began. */
function byId(tools: readonly ToolUse[]): ToolUse[] {
  return [...new Map(tools.map((use) => [use.id, use])).values()];
}

function fullLines(uses: readonly ToolUse[], earlier: ToolCounts): string[] {
  const running = uses.filter(({ status }) => status === "running");
  const finished = uses.filter(({ status }) => status !== "running");
  const isMany = finished.length > MOST_LINES || earlier.completed + earlier.failed > 0;
  const before = isMany ? [counts(finished, earlier)] : finished.map(line);
  const newest = running.slice(-MOST_LINES);
  const more = running.length - newest.length;
  return [
    ...before,
    ...newest.map(line),
    ...(more > 0 ? [`${SIGN.running} ${more} more`] : []),
  ];
}

function line({ status, title }: ToolUse): string {
  return `${SIGN[status]} ${codeSpan(title, TITLE_UNITS)}`;
}

/** "✅ 12 tools done · ❌ 1 tool failed · 🔧 2 tools running". */
function counts(uses: readonly ToolUse[], earlier: ToolCounts): string {
  const of = (status: ToolUse["status"]) => uses.filter((use) => use.status === status).length;
  const parts = [
    [of("completed") + earlier.completed, SIGN.completed, "done"],
    [of("failed") + earlier.failed, SIGN.failed, "failed"],
    [of("running"), SIGN.running, "running"],
  ] as const;
  return parts.filter(([n]) => n > 0)
    .map(([n, sign, word]) => `${sign} ${count(n, "tool")} ${word}`).join(" · ");
}
