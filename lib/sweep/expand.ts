import { UserError } from "../base/errors.ts";
import { count } from "../base/text.ts";
import { applyConditions } from "./conditions.ts";
import type { Config, Notice, Resources } from "./config.ts";
import { planExplicit } from "./explicit.ts";
import { planAll, planOneAtATime, planSome } from "./grid.ts";
import { choiceText } from "./identity.ts";
import { nameTrials } from "./names.ts";
import type { Naming } from "./names.ts";
import { bareName } from "./parameter-name.ts";
import type { Plan } from "./plan.ts";
import { planRandom, planSobol } from "./samples.ts";
import type { PlannedTrial } from "./trial.ts";
import type { Row } from "./csv.ts";
import type { Value } from "./value.ts";

/** More combinations than this are taken for a mistake. */
export const MOST_COMBINATIONS = 1_000_000;

export interface Expansion {
  trials: readonly PlannedTrial[];
  notices: readonly Notice[];
  counts: {
    /** Before conditions. */
    combinations: number;
    excluded: number;
    /** Combinations that conditions made the same as an earlier one. */
    duplicates: number;
  };
  /** Combinations that each condition excludes, by its name. */
  excludedBy: ReadonlyMap<string, number>;
  naming: Naming;
}

/**
 * All trials of a sweep in order. `rows` are the trials of `config.trialsFile`
 * and must be given when that is. Throws UserError.
 */
export function expand(
  config: Config,
  rows?: readonly Row[],
  apply: typeof applyConditions = applyConditions,
): Expansion {
  const plan = withRepeats(planOf(config, rows), config);
  if (plan.count > MOST_COMBINATIONS) throw tooMany(plan);

  const chosen: Omit<PlannedTrial, "name">[] = [];
  const seen = new Set<string>();
  const excludedBy = new Map<string, number>();
  let duplicates = 0;
  for (const row of plan.rows()) {
    const trial = conditioned(plan.names, row, config, apply);
    if ("excludedBy" in trial) {
      excludedBy.set(trial.excludedBy, (excludedBy.get(trial.excludedBy) ?? 0) + 1);
      continue;
    }
    const choice = choiceText(trial.params);
    if (seen.has(choice)) {
      duplicates++;
      continue;
    }
    seen.add(choice);
    chosen.push(trial);
  }
  const naming = { names: plan.names, parameters: config.parameters };
  const names = nameTrials(chosen, naming, new Set());
  const excluded = sum(excludedBy.values());
  return {
    trials: chosen.map((trial, i) => ({ ...trial, name: names[i]! })),
    notices: [
      ...rows?.flatMap((row) => row.notices) ?? [],
      ...noticesOf(plan.count, excludedBy, excluded, duplicates),
    ],
    counts: { combinations: plan.count, excluded, duplicates },
    excludedBy,
    naming,
  };
}

function planOf(config: Config, rows: readonly Row[] | undefined): Plan {
  if (config.trialsFile !== undefined) {
    if (rows === undefined) throw new TypeError("expand needs the rows of the trials file");
    return planExplicit(config, rows);
  }
  switch (config.grid.kind) {
    case "all":
      return planAll(config);
    case "some":
      return planSome(config, config.grid.names);
    case "one-at-a-time":
      return planOneAtATime(config);
    case "random":
      return planRandom(config, config.grid.samples, config.grid.seed);
    case "sobol":
      return planSobol(config, config.grid.samples, config.grid.seed);
  }
}

/** Runs each row `count` times in succession, with the repeats' parameter as the last one. */
function withRepeats(plan: Plan, { repeats }: Config): Plan {
  if (repeats === undefined) return plan;
  if (plan.names.some((name) => bareName(name) === bareName(repeats.parameter))) {
    throw new UserError(
      `Cannot repeat trials: "${repeats.parameter}" is a parameter of the sweep already`,
      { hint: "Give repeats another parameter, or sweep that one without repeats" },
    );
  }
  return {
    names: [...plan.names, repeats.parameter],
    count: plan.count * repeats.count,
    reckoning: `${plan.reckoning} × ${count(repeats.count, "repeat")}`,
    *rows() {
      for (const row of plan.rows()) {
        for (let i = 0; i < repeats.count; i++) yield [...row, repeats.first + i];
      }
    },
  };
}

const NONE: Readonly<Record<string, Value>> & Partial<Resources> = Object.freeze({});

function conditioned(
  names: readonly string[],
  row: readonly Value[],
  config: Config,
  apply: typeof applyConditions,
): { excludedBy: string } | Omit<PlannedTrial, "name"> {
  // Not by assignment: a parameter may be called __proto__.
  const params = Object.fromEntries(names.map((name, i) => [name, row[i]!]));
  if (config.conditions.length === 0) {
    return { params, extras: NONE, resources: NONE, conditions: [] };
  }
  return apply(config.conditions, params);
}

function noticesOf(
  combinations: number,
  excludedBy: ReadonlyMap<string, number>,
  excluded: number,
  duplicates: number,
): Notice[] {
  const notices: Notice[] = [];
  if (excluded > 0) {
    const some = excluded === combinations ? "all" : String(excluded);
    notices.push({
      message: `Conditions exclude ${some} of ${count(combinations, "combination")}: ${
        exclusions(excludedBy)
      }`,
    });
  }
  if (duplicates > 0) {
    notices.push({
      message: `${duplicates} of ${count(combinations, "combination")} ` +
        `${duplicates === 1 ? "repeats" : "repeat"} an earlier trial (numbers are the same when ` +
        "ten digits agree); each trial runs once",
    });
  }
  return notices;
}

/** `"no big nets" 12, "unnamed" 3`. */
export function exclusions(excludedBy: ReadonlyMap<string, number>): string {
  return [...excludedBy].map(([name, times]) => `"${name}" ${times}`).join(", ");
}

function tooMany(plan: Plan): UserError {
  return new UserError(
    `Cannot expand the sweep: it has ${plan.count} combinations (${plan.reckoning}), ` +
      `at most ${MOST_COMBINATIONS} are allowed`,
    { hint: "Take fewer values or steps, or sample with grid random" },
  );
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
