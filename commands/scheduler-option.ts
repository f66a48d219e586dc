import type { OptionSpec } from "../lib/base/arguments.ts";
import { UserError } from "../lib/base/errors.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { latestAttempt } from "../lib/sweep/state.ts";
import type { Context } from "./command.ts";

export const SCHEDULER_OPTIONS = [
  { name: "local", description: "Run trials as processes of this machine" },
  { name: "slurm", description: "Run trials through SLURM, whatever the YAML says" },
] as const satisfies readonly OptionSpec[];

/** What the command line says of the scheduler. Throws UserError when it says both. */
export function schedulerFlag(
  { local, slurm }: { local: boolean; slurm: boolean },
): "slurm" | "local" | undefined {
  if (local && slurm) {
    throw new UserError("Cannot choose a scheduler: --local and --slurm are given");
  }
  return local ? "local" : slurm ? "slurm" : undefined;
}

/**
 * Where trials that ran before are submitted again: what the command line says,
 * else the YAML, else where they ran last, else SLURM where it is installed.
 */
export async function schedulerForAgain(
  { values, env }: Pick<Context<typeof SCHEDULER_OPTIONS>, "values" | "env">,
  outside: Outside,
  indices: Iterable<number>,
): Promise<"slurm" | "local"> {
  const flag = schedulerFlag(values);
  const { chooseScheduler } = await import("../lib/daemon/choose.ts");
  const { scheduler } = outside.sweep().config;
  return chooseScheduler({ flag, config: scheduler ?? lastScheduler(outside, indices) }, env);
}

/** The one scheduler on which all of them ran last; undefined when they differ or never ran. */
function lastScheduler(
  outside: Outside,
  indices: Iterable<number>,
): "slurm" | "local" | undefined {
  const state = outside.state();
  const names = new Set<"slurm" | "local">();
  for (const index of indices) {
    const attempt = latestAttempt(state, index);
    const submission = attempt && state.submissions.get(attempt.submission);
    if (submission !== undefined) names.add(submission.scheduler);
  }
  return names.size === 1 ? [...names][0] : undefined;
}
