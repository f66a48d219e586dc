import type { Paint } from "../lib/base/colors.ts";
import { visible } from "../lib/base/width.ts";
import type { Definition } from "../lib/sweep/event.ts";
import { canonicalText } from "../lib/sweep/identity.ts";
import { valueText } from "../lib/sweep/overrides.ts";
import { resourceFields } from "../lib/sweep/resource-text.ts";
import { STATUSES } from "../lib/sweep/status.ts";
import type { Value } from "../lib/sweep/value.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { statusCell } from "./paint-status.ts";

export interface LsLook {
  paint: Paint;
  definition: Definition | undefined;
  /** Digits of the largest index. */
  digits: number;
  /** `new`, `gone` and the like behind a trial's name. */
  mark(view: TrialView): string | undefined;
}

const STATUS_WIDTH = Math.max(...STATUSES.map((status) => status.length));

/** A trial in two lines or three: what it is, its values, and what conditions made of it. */
export function trialLines(view: TrialView, look: LsLook): string[] {
  const { trial, status } = view;
  const { paint, digits } = look;
  const margin = " ".repeat(digits + 2);
  const mark = look.mark(view);
  const cell = statusCell(paint, status);
  const word = status.padEnd(STATUS_WIDTH);
  const painted = typeof cell === "string" ? word : cell.paint(word);
  const lines = [
    `${`${trial.index}`.padStart(digits)}  ${painted}  ${visible(trial.name)}${
      mark === undefined ? "" : `  ${paint.yellow(mark)}`
    }`,
  ];
  const params = Object.entries(trial.params).map(([name, value]) => paramText(name, value, look));
  if (params.length > 0) lines.push(margin + params.join("  "));
  const made = conditionText(view, paint);
  if (made !== "") lines.push(margin + made);
  return lines;
}

/** A value that is not the parameter's default stands out. */
function paramText(name: string, value: Value, { paint, definition }: LsLook): string {
  const text = assigned(name, value);
  const defaults = definition?.defaults;
  if (defaults === undefined || !Object.hasOwn(defaults, name)) return text;
  return canonicalText(defaults[name]!) === canonicalText(value) ? text : paint.cyan(text);
}

function conditionText({ trial }: TrialView, paint: Paint): string {
  const parts: string[] = [];
  const extras = Object.entries(trial.extras).map(([name, value]) => assigned(name, value));
  if (extras.length > 0) parts.push(`set ${extras.join("  ")}`);
  const resources = Object.entries(resourceFields(trial.resources)).map(([name, value]) =>
    assigned(name, value)
  );
  if (resources.length > 0) parts.push(`slurm ${resources.join("  ")}`);
  if (trial.conditions.length > 0) {
    const names = trial.conditions.map((name) => visible(JSON.stringify(name))).join(", ");
    parts.push(
      paint.dim(`by ${trial.conditions.length === 1 ? "condition" : "conditions"} ${names}`),
    );
  }
  return parts.join("  ");
}

/** Text with spaces or nothing in it is put in quotes, so that one sees where it ends. */
function assigned(name: string, value: Value): string {
  const text = valueText(value);
  const bare = typeof value !== "string" || /^[^\s"]+$/.test(text);
  return visible(`${name}=${bare ? text : JSON.stringify(text)}`);
}
