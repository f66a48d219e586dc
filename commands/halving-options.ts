import type { OptionSpec, Values } from "../lib/base/arguments.ts";
import { UserError } from "../lib/base/errors.ts";
import type { HalvingSettings } from "../lib/sweep/config.ts";

export const HALVING_OPTIONS = [
  { name: "metric", value: "NAME", description: "What trials are compared by, as they log it" },
  {
    name: "direction",
    value: "WHICH",
    choices: ["min", "max"],
    description: "Whether less or more of it is better",
  },
  {
    name: "min-steps",
    value: "N",
    number: "whole",
    least: 1,
    description: "Step of the first comparison",
  },
  {
    name: "budget",
    value: "N",
    number: "whole",
    least: 1,
    description: "Steps of a whole trial; none is compared beyond",
  },
  {
    name: "eta",
    value: "N",
    number: "whole",
    least: 2,
    description: "One in N goes on at each comparison (default 2)",
  },
  {
    name: "mode",
    value: "HOW",
    choices: ["sync", "asha"],
    description: "Wait for everybody, or decide with those that came (default sync)",
  },
] as const satisfies readonly OptionSpec[];

/** The YAML's block with what the command line says instead. Throws UserError naming what is missing. */
export function halvingSettings(
  values: Values<typeof HALVING_OPTIONS>,
  block: HalvingSettings | undefined,
): HalvingSettings {
  const metric = values.metric ?? block?.metric;
  const direction = values.direction ?? block?.direction;
  const minSteps = values["min-steps"] ?? block?.minSteps;
  const budget = values.budget ?? block?.budget;
  const needed = { "--metric": metric, "--direction": direction, "--min-steps": minSteps };
  const missing = Object.entries({ ...needed, "--budget": budget })
    .filter(([, value]) => value === undefined || value === "").map(([flag]) => flag);
  if (!metric || direction === undefined || minSteps === undefined || budget === undefined) {
    throw new UserError(`Cannot compare trials: ${missing.join(", ")} not given`, {
      hint: "Give them here, or write a block successive_halving with metric, direction, " +
        "min_steps and budget into the YAML",
    });
  }
  if (minSteps > budget) {
    throw new UserError(
      `Cannot compare trials: min_steps is ${minSteps}, wanted is at most the budget, ${budget}`,
    );
  }
  const eta = values.eta ?? block?.eta ?? 2;
  const mode = values.mode ?? block?.mode ?? "sync";
  return { metric, direction, minSteps, budget, eta, mode };
}
