import type { ToolKind } from "../chat/turn.ts";

const KINDS: readonly string[] = [
  "read",
  "edit",
  "delete",
  "move",
  "search",
  "execute",
  "think",
  "fetch",
];

/** The kind that an agent gives a tool; `other` for one that is not known. */
export function toolKind(kind: unknown): ToolKind {
  return typeof kind === "string" && KINDS.includes(kind) ? kind as ToolKind : "other";
}
