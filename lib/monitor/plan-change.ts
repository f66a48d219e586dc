import { emptyPlan } from "./monitor-plan.ts";
import { FIELD_LABELS, FIELD_NAMES, fieldText, readField } from "./plan-fields.ts";
import type { FieldName, PlanFields } from "./plan-fields.ts";
import { planLines } from "./plan-lines.ts";

/** Fields that are to change; `undefined` puts a field back to its default. */
export type PlanChange = { readonly [Name in FieldName]?: PlanFields[Name] };

/** Edits single fields of a plan's text in place. Every other byte stays: comments, order, line ends, free text. */
export function applyPlanChange(text: string, change: PlanChange): string {
  const fields: PlanFields = { ...emptyPlan(), ...change };
  let lines = text.split("\n");
  for (const name of FIELD_NAMES) {
    if (!Object.hasOwn(change, name)) continue;
    lines = setField(lines, name, fieldText(fields, name));
  }
  if (Object.hasOwn(change, "direction") && !Object.hasOwn(change, "metric")) {
    lines = bareMetric(lines);
  }
  return lines.join("\n");
}

function setField(lines: readonly string[], name: FieldName, value: string): string[] {
  const read = planLines(lines.join("\n"));
  const at = read.findIndex(({ field }) => field?.name === name);
  const found = read[at]?.field;
  if (found !== undefined) {
    // "Phase:" with nothing behind it.
    const gap = /[:*_]$/.test(found.before) ? " " : "";
    return lines.with(at, `${found.before}${gap}${value}${found.after}`);
  }
  const last = read.findLastIndex(({ field, section }) => field !== undefined && section === "top");
  const title = read.findIndex(({ text }) => /^#[ \t]/.test(text));
  const place = Math.max(last, title) + 1;
  const end = lines.some((line) => line.endsWith("\r")) ? "\r" : "";
  const added = `- ${FIELD_LABELS[name]}: ${value}${end}`;
  // A list right below a title or right above text would run into it.
  const above = last < 0 && title >= 0 ? [end] : [];
  const below = last < 0 && (lines[place] ?? "").trim() !== "" ? [end] : [];
  return [...lines.slice(0, place), ...above, added, ...below, ...lines.slice(place)];
}

/** HyperHerd wrote "Success metric: val_acc, max": the old direction must not stand beside the new one. */
function bareMetric(lines: readonly string[]): string[] {
  const read = planLines(lines.join("\n"));
  const at = read.findIndex(({ field }) => field?.name === "metric");
  const found = read[at]?.field;
  const fields = emptyPlan();
  if (found === undefined) return [...lines];
  readField(fields, "metric", found.value);
  if (fields.metric === undefined || fields.metric === found.value) return [...lines];
  return lines.with(at, `${found.before}${fields.metric}${found.after}`);
}
