import { isComputed } from "./conditions.ts";
import type { Clause, Condition, Config, Parameter } from "./config.ts";
import { plannedTrial } from "./ls-document.ts";
import { resourceFields } from "./resource-text.ts";
import type { Value } from "./value.ts";
import { showValue } from "./view.ts";
import type { TrialView } from "./view.ts";

/** The sweep as the YAML makes it, and a page of its trials as `ls --json` shows them. */
export function parametersDocument(
  sweep: { name: string | undefined; config: Config | undefined; trouble: string | undefined },
  page: { items: readonly TrialView[]; total: number; offset: number },
  staticOverrides: readonly string[],
): object {
  const { name, config, trouble } = sweep;
  return {
    sweep: config?.name ?? name ?? null,
    grid: config === undefined ? null : gridDocument(config),
    parameters: (config?.parameters ?? []).map(parameterDocument),
    conditions: (config?.conditions ?? []).map(conditionDocument),
    static_overrides: staticOverrides,
    resources: config === undefined ? null : resourceFields(config.slurm),
    max_concurrent: config?.slurm.maxConcurrent ?? null,
    /** Why the YAML cannot be read now. */
    trouble: trouble ?? null,
    trials: page.items.map((view) => plannedTrial(view, { config, staticOverrides })),
    total: page.total,
    offset: page.offset,
  };
}

function gridDocument({ grid, zip, repeats, trialsFile }: Config): object {
  return {
    ...grid,
    zip,
    repeats: repeats ?? null,
    trials_file: trialsFile ?? null,
  };
}

function parameterDocument(parameter: Parameter): object {
  const { name, type, abbrev } = parameter;
  const common = { name, type, abbrev: abbrev ?? null, default: parameter.default ?? null };
  if (parameter.type === "discrete") {
    return { ...common, values: parameter.values, labels: parameter.labels ?? null };
  }
  const { low, high, scale, steps } = parameter;
  return { ...common, low, high, scale, steps };
}

function conditionDocument({ name, when, exclude, force, set, slurm }: Condition): object {
  const values = Object.entries(set).map(([key, value]): [string, Value] => [
    key,
    isComputed(value) ? `= ${value.expression.source}` : value,
  ]);
  return {
    name,
    when: when.map(clauseText),
    exclude,
    force,
    set: Object.fromEntries(values),
    resources: resourceFields(slurm),
  };
}

const SIGNS = {
  eq: "=",
  ne: "≠",
  gt: ">",
  ge: "≥",
  lt: "<",
  le: "≤",
  in: "in",
  not_in: "not in",
} as const;

function clauseText(clause: Clause): string {
  if (clause.kind === "expression") return clause.expression.source;
  return `${clause.parameter} ${SIGNS[clause.operator]} ${showValue(clause.value)}`;
}
