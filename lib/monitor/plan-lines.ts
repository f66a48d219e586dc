import { FIELD_LABELS, FIELD_NAMES } from "./plan-fields.ts";
import type { FieldName } from "./plan-fields.ts";

/** A line of MONITOR_PLAN.md and what it is. Lines joined with "\n" are the file, byte for byte. */
export interface PlanLine {
  text: string;
  kind: "field" | "rules-heading" | "notes-heading" | "heading" | "text";
  /** Where it stands; fields inside rules and notes are text. */
  section: "top" | "rules" | "notes" | "other";
  field?: { name: FieldName; before: string; value: string; after: string };
}

const OLD_LABELS: Readonly<Record<string, FieldName>> = { "scope": "scope", "metric": "metric" };

const BY_LABEL: ReadonlyMap<string, FieldName> = new Map([
  ...Object.entries(OLD_LABELS),
  ...FIELD_NAMES.map((name): [string, FieldName] => [FIELD_LABELS[name].toLowerCase(), name]),
]);

const FIELD = new RegExp(
  String.raw`^(?<before>[ \t]*(?:[-*+][ \t]+)?(?:\*\*|__)?(?<label>${
    [...BY_LABEL.keys()].join("|")
  })` +
    String
      .raw`(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]*)(?<value>.*?)(?<after>(?:[ \t]+#.*|[ \t]*<!--.*)?[ \t]*\r?)$`,
  "i",
);

/** A line that starts with "- Custom rules: []": HyperHerd kept its lists on one line. */
export const INLINE_RULES = /^[ \t]*[-*+][ \t]+custom rules:[ \t]*(.*?)[ \t]*\r?$/i;

export function planLines(text: string): PlanLine[] {
  let section: PlanLine["section"] = "top";
  let fence: string | undefined;
  return text.split("\n").map((line): PlanLine => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return { text: line, kind: "text", section };
    }
    if (fence !== undefined) return { text: line, kind: "text", section };
    const heading = /^#{2}[ \t]+(.*?)[ \t#]*\r?$/.exec(line)?.[1]?.toLowerCase();
    if (heading !== undefined) {
      section = heading === "custom rules" ? "rules" : heading === "notes" ? "notes" : "other";
      const kind = section === "rules"
        ? "rules-heading"
        : section === "notes"
        ? "notes-heading"
        : "heading";
      return { text: line, kind, section };
    }
    const field = section === "rules" || section === "notes" ? undefined : fieldOf(line);
    return field === undefined
      ? { text: line, kind: "text", section }
      : { text: line, kind: "field", section, field };
  });
}

function fieldOf(line: string): PlanLine["field"] {
  // A sentence that happens to begin so is no value.
  const groups = line.length > 2_000 ? undefined : FIELD.exec(line)?.groups;
  const name = BY_LABEL.get(groups?.["label"]?.toLowerCase() ?? "");
  if (groups === undefined || name === undefined) return undefined;
  return { name, before: groups["before"]!, value: groups["value"]!, after: groups["after"]! };
}
