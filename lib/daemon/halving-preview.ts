import { planPass } from "../actions/halve.ts";
import { createResults } from "../store/results.ts";
import type { HalvingSettings } from "../sweep/config.ts";
import type { HalvingPlan } from "../sweep/halving.ts";
import type { SweepState } from "../sweep/state.ts";
import type { Outside } from "./outside.ts";

/** What a pass of successive halving would do now. Asks the cluster, writes nothing. */
export async function previewHalving(
  outside: Outside,
  settings: HalvingSettings,
): Promise<{ plan: HalvingPlan; state: SweepState; warnings: readonly string[] }> {
  const { state, warnings } = await outside.watch();
  const results = createResults({ dir: outside.paths.results });
  const plan = planPass(
    state,
    settings,
    (trial, metric) => results.readStream(trial, metric).points,
  );
  return { plan, state, warnings };
}
