import { createHash } from "node:crypto";
import type { PermissionRequest } from "./agent-session.ts";
import type { ToolKind } from "./turn.ts";

/** What a person has allowed for always in one conversation: until its reset, or until it is taken back. */
export interface Grant {
  id: string;
  kind: ToolKind;
  tool: string;
  /** Who gave it, such as `discord:123`. */
  by: string;
}

const MOST_GRANTS = 100;

/** Always is said of this tool, not of all of its kind. */
export function grantOf({ kind, tool }: PermissionRequest, by: string): Grant {
  return { id: grantId(kind, tool), kind, tool, by };
}

/** Whether it was allowed for always. */
export function isGranted(
  grants: readonly Grant[],
  { kind, tool }: Pick<PermissionRequest, "kind" | "tool">,
): boolean {
  const id = grantId(kind, tool);
  return grants.some((one) => one.id === id);
}

/** Whether what is said for always of the one holds for the other. */
export function isSameUse(
  one: Pick<PermissionRequest, "kind" | "tool">,
  other: Pick<PermissionRequest, "kind" | "tool">,
): boolean {
  return grantId(one.kind, one.tool) === grantId(other.kind, other.tool);
}

/** The newest last; of too many the oldest have to be asked for again. */
export function withGrant(grants: readonly Grant[], grant: Grant): readonly Grant[] {
  return [...grants.filter(({ id }) => id !== grant.id), grant].slice(-MOST_GRANTS);
}

/** The same in each life, and short enough for a button. */
function grantId(kind: ToolKind, tool: string): string {
  return createHash("sha256").update(`${kind} ${tool}`).digest("hex").slice(0, 16);
}
