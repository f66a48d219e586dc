import { UserError } from "../base/errors.ts";
import type { Clause, Condition, Operator, Resources } from "./config.ts";
import { evaluate, ExpressionError, holds, isExpression } from "./expression.ts";
import type { Expression } from "./expression.ts";
import { choiceText } from "./identity.ts";
import { bareName } from "./parameter-name.ts";
import { meansSame } from "./match-value.ts";
import { meantNumber } from "./numeric-text.ts";
import type { Value } from "./value.ts";

type Params = Readonly<Record<string, Value>>;

/** What the conditions make of one combination: nothing (it is excluded), or a trial. */
export type Applied =
  | { excludedBy: string }
  | {
    /** The same object when no condition forces anything. */
    params: Params;
    extras: Params;
    resources: Partial<Resources>;
    /** Names of the conditions that changed something, in order. */
    conditions: string[];
  };

/**
 * Runs the conditions in order; each sees what the earlier ones forced, and acts
 * in the order exclude, force, set, resources. `params` may be keyed by bare
 * names or with Hydra prefixes; conditions may name them either way.
 *
 * @throws UserError when an expression fails for this combination.
 */
export function applyConditions(conditions: readonly Condition[], params: Params): Applied {
  let current = params;
  let extras: Params = {};
  let resources: Partial<Resources> = {};
  const felt: string[] = [];
  for (const condition of conditions) {
    if (!matches(condition, current)) continue;
    if (isExcluded(condition, current)) return { excludedBy: condition.name };
    const before = current;
    current = forced(condition, current);
    extras = withExtras(condition, current, extras);
    resources = { ...resources, ...condition.slurm };
    const isFelt = isOther(before, current) || Object.keys(condition.set).length > 0 ||
      Object.keys(condition.slurm).length > 0;
    if (isFelt) felt.push(condition.name);
  }
  return { params: current, extras, resources, conditions: felt };
}

/** A value may be forced on a trial that has it anyway. */
function isOther(before: Params, after: Params): boolean {
  return before !== after && choiceText(before) !== choiceText(after);
}

function matches(condition: Condition, params: Params): boolean {
  return condition.when.every((clause) =>
    clause.kind === "expression"
      ? calculate(condition, clause.expression, params, holds)
      : compares(clause, params)
  );
}

function compares(clause: Clause & { kind: "compare" }, params: Params): boolean {
  const key = keyOf(clause.parameter, params);
  const actual = key === undefined ? undefined : params[key];
  return compare(clause.operator, actual, clause.value);
}

/** A comparison by size is false unless both mean numbers; so is `in` and `not_in` without a list. */
function compare(operator: Operator, actual: Value | undefined, wanted: Value): boolean {
  switch (operator) {
    case "eq":
      return isSame(actual, wanted);
    case "ne":
      return !isSame(actual, wanted);
    case "in":
      return Array.isArray(wanted) && wanted.some((value: Value) => isSame(actual, value));
    case "not_in":
      return Array.isArray(wanted) && !wanted.some((value: Value) => isSame(actual, value));
  }
  const number = meantNumber(actual);
  const bound = meantNumber(wanted);
  if (number === undefined || bound === undefined) return false;
  switch (operator) {
    case "gt":
      return number > bound;
    case "ge":
      return number >= bound;
    case "lt":
      return number < bound;
    case "le":
      return number <= bound;
  }
}

/** A parameter that the trial lacks equals nothing, not even null. */
function isSame(actual: Value | undefined, wanted: Value): boolean {
  return actual !== undefined && meansSame(actual, wanted);
}

function isExcluded(condition: Condition, params: Params): boolean {
  for (const name of Object.keys(condition.exclude)) {
    const key = keyOf(name, params);
    if (key === undefined) continue;
    if (condition.exclude[name]!.some((value) => isSame(params[key], value))) return true;
  }
  return false;
}

function forced(condition: Condition, params: Params): Params {
  let changed = params;
  for (const name of Object.keys(condition.force)) {
    changed = { ...changed, [keyOf(name, params) ?? name]: condition.force[name]! };
  }
  return changed;
}

function withExtras(condition: Condition, params: Params, extras: Params): Params {
  let changed = extras;
  for (const name of Object.keys(condition.set)) {
    const given = condition.set[name]!;
    const value = isComputed(given)
      ? calculate(condition, given.expression, params, evaluate)
      : given;
    changed = { ...changed, [name]: value };
  }
  return changed;
}

/** Whether a `set` is calculated; a value may be an object with a key "expression", too. */
export function isComputed(
  given: Value | { expression: Expression },
): given is { expression: Expression } {
  return typeof given === "object" && given !== null && "expression" in given &&
    isExpression(given.expression);
}

function calculate<T>(
  condition: Condition,
  expression: Expression,
  params: Params,
  how: (expression: Expression, params: Params) => T,
): T {
  try {
    return how(expression, byBareName(params));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const message = `Cannot apply condition ${JSON.stringify(condition.name)} to the trial with ` +
      `${describeParams(params)}: ${error.message} (column ${error.column} of ` +
      `${JSON.stringify(expression.source)})`;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    const mistakes = [{ ...expression.at, message, ...hint }];
    throw new UserError(message, { ...hint, mistakes, cause: error });
  }
}

function describeParams(params: Params): string {
  const text = Object.entries(params)
    .map(([name, value]) => `${bareName(name)}=${JSON.stringify(value)}`).join(", ");
  return text === "" ? "no parameters" : text.length <= 500 ? text : `${text.slice(0, 497)}...`;
}

/** The key under which a parameter stands, whichever prefix either side has. */
function keyOf(name: string, params: Params): string | undefined {
  if (Object.hasOwn(params, name)) return name;
  const bare = bareName(name);
  for (const key of Object.keys(params)) if (bareName(key) === bare) return key;
  return undefined;
}

function byBareName(params: Params): Params {
  const names = Object.keys(params);
  if (!names.some((name) => /^[+~]/.test(name))) return params;
  return Object.fromEntries(names.map((name) => [bareName(name), params[name]!]));
}
