import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { PermissionRules } from "./broker-config.ts";
import { PERMISSION_DEFAULTS } from "./broker-defaults.ts";
import { readIdList } from "./read-ids.ts";
import { openSection } from "./section.ts";
import type { ToolKind } from "./turn.ts";

const ANSWERS = ["allow", "ask", "deny"] as const;

/** The section `permissions`: one answer for each kind of tool. */
export function readPermissions(node: Node | undefined, report: Report): PermissionRules {
  const usual = PERMISSION_DEFAULTS;
  const kinds = Object.keys(usual.kinds) as ToolKind[];
  const section = openSection(node, [...kinds, "timeout", "approvers"] as const, report);
  if (section === undefined) return usual;
  const read = kinds.map((kind) =>
    [kind, section.choice(kind, ANSWERS, usual.kinds[kind])] as const
  );
  const approvers = section.at("approvers");
  const listed = approvers === undefined
    ? undefined
    : readIdList(approvers, "user or role", report) ?? [];
  if (approvers !== undefined && listed?.length === 0) {
    report.notice(approvers, `${approvers.path} is empty: nobody may allow what is asked`);
  }
  return {
    kinds: Object.fromEntries(read) as Record<ToolKind, typeof ANSWERS[number]>,
    timeoutMs: section.span("timeout", { least: 10, most: 86_400 }, usual.timeoutMs),
    approvers: listed,
  };
}
