import type { ToolKind } from "../chat/turn.ts";

/** How agents' programs name a tool of the MCP server "herd" when they ask whether they may use it. */
const FORMS = [
  /^mcp__herd__(\w+)$/,
  /^(?:Tool: )?herd[./](\w+)$/,
  /^(\w+) \(herd MCP Server\)$/,
];
/** What the agent itself says is a command or a change of files is none of herd's tools, whatever its name. */
const NEVER: readonly ToolKind[] = ["execute", "edit", "delete", "move", "fetch"];

/**
 * Whether it is asked for one of herd's own tools. Those keep their own rules, the caps and the
 * confirmations of a sweep: a second question would be about the same.
 */
export function isOwnTool(
  { title, kind }: { title: string | null | undefined; kind: ToolKind },
  names: readonly string[],
): boolean {
  if (NEVER.includes(kind)) return false;
  const name = FORMS.flatMap((form) => form.exec(title ?? "")?.[1] ?? [])[0];
  return name !== undefined && names.includes(name);
}
