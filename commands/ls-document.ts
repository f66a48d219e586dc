import type { Config } from "../lib/sweep/config.ts";
import { overrideString, overrideTokens } from "../lib/sweep/overrides.ts";
import { effectiveResources, resourceFields } from "../lib/sweep/resource-text.ts";
import type { TrialView } from "../lib/sweep/view.ts";

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
  { config, staticOverrides }: Parameters<typeof lsDocument>[1],
): Generator<unknown> {
  for (const { trial, status } of views) {
    const resources = config === undefined
      ? trial.resources
      : effectiveResources(config.slurm, trial.resources);
    yield {
      index: trial.index,
      status,
      experiment_name: trial.name,
      params: trial.params,
      extras: trial.extras,
      overrides: overrideString(overrideTokens(trial, staticOverrides)),
      resources: resourceFields(resources),
    };
  }
}
