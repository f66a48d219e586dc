import type { Clock } from "../base/clock.ts";
import { createResultLog } from "../store/result-log.ts";
import { createSignals } from "../store/signals.ts";
import type { SignalAction } from "../store/signals.ts";
import { workspacePaths } from "../store/paths.ts";
import type { Value } from "../sweep/value.ts";

/** What a trainer says of itself by `herd log`. Neither journal nor YAML are opened: it is called in loops. */
export interface TrainerLog {
  logFinal(trial: number, name: string, value: Value): Promise<void>;
  /** Gives back what the trial is asked to do, looked up after the record is written. */
  logStep(trial: number, name: string, step: number, value: Value): SignalAction | undefined;
}

/** `root` is the workspace's folder. */
export function createTrainerLog({ root, clock }: { root: string; clock: Clock }): TrainerLog {
  const dir = workspacePaths(root).results;
  const results = createResultLog({ dir, clock });
  const signals = createSignals({ dir });
  return {
    logFinal: results.logFinal,
    logStep(trial, name, step, value) {
      results.logStep(trial, name, step, value);
      return signals.read(trial)?.action;
    },
  };
}
