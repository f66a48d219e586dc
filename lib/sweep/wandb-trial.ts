import type { WandbRun } from "./wandb-history.ts";

/** All that can tell which trial a W&B run belongs to. */
export interface WandbRunFacts {
  run: WandbRun;
  /** Absolute path of the run's folder. */
  folder: string;
  /** The trainer's arguments, from `wandb-metadata.json`. */
  args: readonly string[];
}

export interface WandbTrials {
  /** The sweep's name: a run that names another one is not ours. */
  sweep: string;
  trials: readonly { index: number; name: string }[];
}

const INDEX_KEYS = ["HYPERHERD_TRIAL_ID", "hyperherd_trial_id", "hyperherd.trial_id"];
const NAME_KEYS = [
  "HYPERHERD_TRIAL_NAME",
  "hyperherd_trial_name",
  "HYPERHERD_EXPERIMENT_NAME",
  "experiment_name",
];
const SWEEP_KEYS = ["HYPERHERD_SWEEP_NAME", "hyperherd_sweep_name"];

/**
 * Makes the function that finds a run's trial, from the surest sign to the weakest:
 * the variables that herd gives each trial, when the trainer logs them as config; the
 * argument or config `experiment_name`; the run's name or id; a folder on its path
 * that has the trial's name. Undefined where no sign says so, or the first one that is
 * there names no trial of this sweep.
 */
export function createTrialOf({ sweep, trials }: WandbTrials) {
  const byName = new Map(trials.map(({ name, index }) => [name, index]));
  const indices = new Set(trials.map(({ index }) => index));

  return ({ run, folder, args }: WandbRunFacts): number | undefined => {
    const other = firstOf(run.config, SWEEP_KEYS);
    if (other !== undefined && other !== sweep) return undefined;
    const index = firstOf(run.config, INDEX_KEYS);
    if (index !== undefined) {
      return /^\d{1,15}$/.test(index) && indices.has(Number(index)) ? Number(index) : undefined;
    }
    const named = firstOf(run.config, NAME_KEYS) ?? experimentName(args);
    if (named !== undefined) return byName.get(named);
    for (const name of [run.displayName, run.id]) {
      const found = name === undefined ? undefined : byName.get(name);
      if (found !== undefined) return found;
    }
    // The innermost folder wins: a trial may be named like the folder that holds all of them.
    return folder.split("/").reverse().map((part) => byName.get(part)).find((one) =>
      one !== undefined
    );
  };
}

function firstOf(
  config: ReadonlyMap<string, unknown>,
  keys: readonly string[],
): string | undefined {
  for (const key of keys) {
    const value = config.get(key);
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number") return String(value);
  }
  return undefined;
}

/** From Hydra's `experiment_name=lr-0.1`, alone or within one string of all overrides; the last wins. */
function experimentName(args: readonly string[]): string | undefined {
  return args.flatMap((arg) => arg.split(/\s+/))
    .findLast((word) => /^(--|\+\+?)?experiment_name=./.test(word))
    ?.replace(/^[^=]*=/, "").replace(/^(['"])(.*)\1$/, "$2");
}
