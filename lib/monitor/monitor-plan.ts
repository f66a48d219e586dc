import type { Notice } from "../sweep/config.ts";
import { FIELD_LABELS, FIELD_NAMES, fieldText, readField } from "./plan-fields.ts";
import type { FieldName, PlanFields } from "./plan-fields.ts";
import { INLINE_RULES, planLines } from "./plan-lines.ts";
import type { PlanLine } from "./plan-lines.ts";

/** MONITOR_PLAN.md: what herd goes by, in a form that people edit. */
export interface MonitorPlan extends PlanFields {
  /** The owner's words for the agent, verbatim. */
  customRules: string;
  notes: string;
  /** Lines before the first section that are no fields: kept and not understood. */
  extraLines: string;
  /** Sections that people added, with their headings, verbatim. */
  extraSections: string;
}

const TITLE = "# Monitor plan";
const INTRO = "herd goes by this file and reads it before each tick. Edit it as you like.";
const RULES = "## Custom rules";
const NOTES = "## Notes";

export function emptyPlan(): MonitorPlan {
  return {
    phase: undefined,
    metric: undefined,
    direction: undefined,
    source: undefined,
    remediation: undefined,
    scope: undefined,
    cadence: undefined,
    grants: [],
    customRules: "",
    notes: "",
    extraLines: "",
    extraSections: "",
  };
}

/** The file as Markdown; `readPlan` gives the same plan again. */
export function renderPlan(plan: MonitorPlan): string {
  const fields = FIELD_NAMES.map((name) => `- ${FIELD_LABELS[name]}: ${fieldText(plan, name)}`);
  const blocks = [
    TITLE,
    INTRO,
    fields.join("\n"),
    plan.extraLines,
    joined(RULES, plan.customRules),
    joined(NOTES, plan.notes),
    plan.extraSections,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function joined(heading: string, text: string): string {
  return text === "" ? heading : `${heading}\n\n${text}`;
}

/** Reads a plan, also HyperHerd's. What cannot be read is a notice; nothing in the text makes this throw. */
export function readPlan(text: string): { plan: MonitorPlan; notices: readonly Notice[] } {
  const plan = emptyPlan();
  const notices: Notice[] = [];
  const free: Record<PlanLine["section"], string[]> = { top: [], rules: [], notes: [], other: [] };
  const seen = new Map<FieldName, number>();
  const lines = planLines(text.replace(/^\uFEFF/, ""));
  for (const [i, line] of lines.entries()) {
    if (line.field !== undefined) {
      takeField(plan, line.field, i + 1, seen, notices);
      continue;
    }
    const rules = line.section === "top" ? INLINE_RULES.exec(line.text)?.[1] : undefined;
    if (rules !== undefined) {
      if (rules !== "" && rules !== "[]" && !/^none$/i.test(rules)) free.rules.push(rules);
    } else if (line.kind !== "rules-heading" && line.kind !== "notes-heading") {
      free[line.section].push(line.text);
    }
  }
  plan.customRules = trimLines(free.rules);
  plan.notes = trimLines(free.notes);
  plan.extraLines = trimLines(free.top.filter((line) => !isOurs(line)));
  plan.extraSections = trimLines(free.other);
  return { plan, notices };
}

function takeField(
  plan: MonitorPlan,
  field: NonNullable<PlanLine["field"]>,
  line: number,
  seen: Map<FieldName, number>,
  notices: Notice[],
): void {
  const first = seen.get(field.name);
  if (first !== undefined) {
    const label = FIELD_LABELS[field.name];
    notices.push({
      message: `${label} stands in line ${first} already; this one is passed over`,
      line,
    });
    return;
  }
  seen.set(field.name, line);
  const message = readField(plan, field.name, field.value);
  if (message !== undefined) notices.push({ message, line });
}

function isOurs(line: string): boolean {
  const bare = line.trim();
  return bare === INTRO || bare.toLowerCase() === TITLE.toLowerCase();
}

/** Without blank lines at both ends and runs of them that taking lines out has left. */
function trimLines(lines: readonly string[]): string {
  return lines.join("\n").replace(/^(?:[ \t]*\r?\n)+/, "").replace(/\s+$/, "");
}
