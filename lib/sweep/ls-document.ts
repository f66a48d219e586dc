import type { Config } from "./config.ts";
import { overrideString, overrideTokens } from "./overrides.ts";
import { effectiveResources, resourceFields } from "./resource-text.ts";
import type { Status } from "./status.ts";
import type { Value } from "./value.ts";
import type { TrialView } from "./view.ts";

/**
 * What `ls --json` prints; the trials come one by one, so that a hundred
 * thousand need no memory. `resources` is what a trial's job asks for, written
 * as in the YAML's `slurm` section.
 */
export function lsDocument(
  views: readonly TrialView[],
  sweep: { config: Config | undefined; staticOverrides: readonly string[] },
): unknown {
  return { trials: trialDocuments(views, sweep) };
}

function* trialDocuments(
  views: readonly TrialView[],
  sweep: Parameters<typeof lsDocument>[1],
): Generator<unknown> {
  for (const view of views) yield plannedTrial(view, sweep);
}

/** One trial of that document. */
export function plannedTrial(
  { trial, status }: TrialView,
  { config, staticOverrides }: Parameters<typeof lsDocument>[1],
): PlannedDocument {
  const resources = config === undefined
    ? trial.resources
    : effectiveResources(config.slurm, trial.resources);
  return {
    index: trial.index,
    status,
    experiment_name: trial.name,
    params: trial.params,
    extras: trial.extras,
    overrides: overrideString(overrideTokens(trial, staticOverrides)),
    resources: resourceFields(resources),
  };
}

export interface PlannedDocument {
  index: number;
  status: Status;
  experiment_name: string;
  params: Readonly<Record<string, Value>>;
  extras: Readonly<Record<string, Value>>;
  /** As the launcher gets them, in one string. */
  overrides: string;
  resources: Record<string, Value>;
}
