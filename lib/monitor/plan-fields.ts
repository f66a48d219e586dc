import { nearest } from "../base/text.ts";
import type { Grant, MetricSource } from "../sweep/config.ts";
import type { MonitorPhase } from "../sweep/monitor-event.ts";
import type { Direction } from "../sweep/ranking.ts";
import { readRemediation, readSource } from "./answer-words.ts";
import { formatIn } from "./cadence.ts";
import { directionWord, readDirection } from "./direction.ts";
import { readObjective } from "./objective-words.ts";
import { readSpan } from "./quantity-words.ts";

/** What single lines of MONITOR_PLAN.md say; undefined: nothing, or nothing that could be read. */
export interface PlanFields {
  phase: MonitorPhase | undefined;
  /** "none" when nothing is optimised. */
  metric: string | undefined;
  direction: Direction | undefined;
  source: MetricSource | undefined;
  remediation: "remediate" | "notify" | undefined;
  scope: "sweep" | "trial" | undefined;
  /** Seconds between ticks, within 60 and 3600; undefined: as the YAML says. */
  cadence: { activeSeconds: number; steadySeconds: number } | undefined;
  grants: readonly Grant[];
}

export type FieldName = keyof PlanFields;

/** In the order of the file. The first two are read by name by HyperHerd's code, too. */
export const FIELD_LABELS: Readonly<Record<FieldName, string>> = {
  phase: "Phase",
  metric: "Success metric",
  direction: "Direction",
  source: "Metric source",
  remediation: "Remediation",
  scope: "Remediation scope",
  cadence: "Cadence",
  grants: "Grants",
};

export const FIELD_NAMES = Object.keys(FIELD_LABELS) as FieldName[];

/** The value of a field as it stands in the file. */
export function fieldText(fields: PlanFields, name: FieldName): string {
  switch (name) {
    case "phase":
      return fields.phase ?? "interviewing";
    case "metric":
      return oneLine(fields.metric ?? "none");
    case "direction":
      return fields.direction === undefined ? "none" : directionWord(fields.direction);
    case "source":
      return fields.source ?? "none";
    case "remediation":
      return fields.remediation ?? "notify";
    case "scope":
      return fields.scope ?? "sweep";
    case "cadence":
      return cadenceText(fields.cadence);
    case "grants":
      return fields.grants.length === 0 ? "none" : fields.grants.join(", ");
  }
}

/** Reads one field's value into `fields`; answers what is odd about it. */
export function readField(fields: PlanFields, name: FieldName, text: string): string | undefined {
  const value = text.trim().replace(/^[`"']+|[`"']+$/g, "").replace(/^\[\]$/, "");
  if (value === "") return undefined;
  switch (name) {
    case "phase":
      return readPhase(fields, value);
    case "metric":
      return readMetric(fields, value);
    case "direction":
      fields.direction = readDirection(value) ?? fields.direction;
      return isNone(value) || readDirection(value) !== undefined
        ? undefined
        : odd(name, value, ["maximize", "minimize", "none"]);
    case "source":
      fields.source = readSource(value) ?? fields.source;
      return readSource(value) === undefined
        ? odd(name, value, ["results-json", "wandb", "none"])
        : undefined;
    case "remediation":
      fields.remediation = readRemediation(value) ?? fields.remediation;
      return readRemediation(value) === undefined
        ? odd(name, value, ["remediate", "notify"])
        : undefined;
    case "scope": {
      const word = /^(sweep|trial)s?$/i.exec(value)?.[1]?.toLowerCase();
      if (word === undefined) return odd(name, value, ["sweep", "trial"]);
      fields.scope = word === "trial" ? "trial" : "sweep";
      return undefined;
    }
    case "cadence":
      return readCadence(fields, value);
    case "grants":
      return readGrants(fields, value);
  }
}

const PHASES: readonly MonitorPhase[] = [
  "interviewing",
  "canary",
  "stage",
  "live",
  "post-mortem",
  "done",
];

/** HyperHerd's names of phases. */
const OLD_PHASES: Readonly<Record<string, MonitorPhase>> = {
  "not-started": "canary",
  "canary-pending": "canary",
  "phase2-pending": "stage",
  "postmortem-waiting": "post-mortem",
  "postmortem": "post-mortem",
  "halted": "live",
};

function readPhase(fields: PlanFields, value: string): string | undefined {
  const word = value.toLowerCase().split(/[\s(,;]/)[0]!;
  const phase = PHASES.find((one) => one === word) ??
    (Object.hasOwn(OLD_PHASES, word) ? OLD_PHASES[word] : undefined);
  if (phase === undefined) return odd("phase", value, PHASES);
  fields.phase = phase;
  return undefined;
}

function readMetric(fields: PlanFields, value: string): string | undefined {
  if (isNone(value)) {
    fields.metric = "none";
    return undefined;
  }
  const words = readObjective(value);
  if (words !== undefined && "metric" in words) fields.metric = words.metric;
  else if (words !== undefined && "objective" in words && words.objective !== "none") {
    fields.metric = words.objective.metric;
    fields.direction ??= words.objective.direction;
  } else return odd("metric", value, ["the name of a metric", "none"]);
  return undefined;
}

function readCadence(fields: PlanFields, value: string): string | undefined {
  if (/^(?:as configured|defaults?|none|usual|adaptive)$/i.test(value)) return undefined;
  const spans = [...value.matchAll(/\d+(?:\.\d+)?\s*[a-z]+(?:\s*\d+\s*m(?:in)?\b)?/gi)]
    .flatMap(([span]) => readSpan(span.replace(/\s+/g, " ")) ?? []);
  const [active, steady = active] = spans;
  if (active === undefined || steady === undefined) {
    return odd("cadence", value, [
      '"3 min while things happen, 45 min when quiet"',
      "as configured",
    ]);
  }
  const within = (seconds: number) => Math.min(3600, Math.max(60, seconds));
  fields.cadence = { activeSeconds: within(active), steadySeconds: within(steady) };
  return within(active) === active && within(steady) === steady
    ? undefined
    : `Cadence is "${shown(value)}"; ticks are one minute to one hour apart`;
}

function cadenceText(cadence: PlanFields["cadence"]): string {
  if (cadence === undefined) return "as configured";
  const { activeSeconds, steadySeconds } = cadence;
  return `${exactSpan(activeSeconds)} while things happen, ${exactSpan(steadySeconds)} when quiet`;
}

function exactSpan(seconds: number): string {
  return seconds % 60 === 0 ? formatIn(seconds * 1000) : `${Math.round(seconds)} s`;
}

const GRANTS: readonly Grant[] = ["stop", "prune", "halt", "bump", "force"];

function readGrants(fields: PlanFields, value: string): string | undefined {
  if (isNone(value)) return undefined;
  const words = value.replace(/[[\]`"']/g, "").toLowerCase().split(/[\s,;]+/).filter((one) =>
    one !== ""
  );
  fields.grants = GRANTS.filter((grant) => words.includes(grant));
  const unknown = words.filter((word) => word !== "and" && !GRANTS.some((grant) => grant === word));
  if (unknown.length === 0) return undefined;
  const meant = nearest(unknown[0]!, GRANTS);
  const hint = meant === undefined
    ? `Expected ${GRANTS.join(", ")} or none`
    : `Did you mean "${meant}"`;
  return `Grants has "${shown(unknown[0]!)}", which is none. ${hint}`;
}

function isNone(value: string): boolean {
  return /^(?:none|no|nothing|-|n\/a|unspecified)$/i.test(value);
}

function odd(name: FieldName, value: string, allowed: readonly string[]): string {
  return `${FIELD_LABELS[name]} is "${shown(value)}", which says nothing here. Expected ${
    allowed.join(", ")
  }`;
}

function shown(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ").trim();
}
