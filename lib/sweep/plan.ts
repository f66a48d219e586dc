import { UserError } from "../base/errors.ts";
import type { Config, Parameter } from "./config.ts";
import { levels } from "./discretise.ts";
import { bareName } from "./parameter-name.ts";
import type { Value } from "./value.ts";

/** The combinations of a sweep before conditions: each row has the values of `names`, in their order. */
export interface Plan {
  names: readonly string[];
  /** Number of rows, known without making them. */
  count: number;
  /** How the count comes about, such as "20 × 30". */
  reckoning: string;
  rows(): Iterable<readonly Value[]>;
}

/** Parameters that vary together: a single one, or a group of `zip`. */
export interface Axis {
  members: readonly Parameter[];
  /** Each point has one value per member. For a single continuous parameter: its grid. */
  points: readonly (readonly Value[])[];
}

/** The value that a parameter has where it is not varied: its default, or the only one it can take. */
export function fallback(parameter: Parameter): Value | undefined {
  if (parameter.default !== undefined) return parameter.default;
  const only = parameter.type === "discrete" && parameter.values.length === 1 ||
    parameter.type === "continuous" && parameter.steps < 2;
  return only ? levels(parameter)[0] : undefined;
}

export function neededFallback(parameter: Parameter, why: string): Value {
  const value = fallback(parameter);
  if (value === undefined) {
    throw new UserError(
      `Cannot expand the sweep: parameter "${parameter.name}" needs a default because ${why}`,
      { hint: `Give "${parameter.name}" a default` },
    );
  }
  return value;
}

/** The axes of these parameters; a zip group stands at the place of its first member and is whole. */
export function axesOf(config: Config, parameters: readonly Parameter[]): Axis[] {
  const axes: Axis[] = [];
  const done = new Set<Parameter>();
  for (const parameter of parameters) {
    if (done.has(parameter)) continue;
    const group = config.zip.find((names) => names.some((name) => isNamed(parameter, name)));
    const members = group?.map((name) => parameterNamed(config, name)) ?? [parameter];
    for (const member of members) done.add(member);
    axes.push({ members, points: pointsOf(members) });
  }
  return axes;
}

/** Throws UserError when there is no such parameter. A Hydra prefix may be left out. */
export function parameterNamed(config: Config, name: string): Parameter {
  const found = config.parameters.find((parameter) => parameter.name === name) ??
    config.parameters.find((parameter) => isNamed(parameter, name));
  if (found === undefined) {
    const known = config.parameters.map((parameter) => `"${parameter.name}"`).join(", ");
    throw new UserError(`Cannot expand the sweep: there is no parameter "${name}"`, {
      hint: `Parameters are ${known}`,
    });
  }
  return found;
}

export function isNamed(parameter: Parameter, name: string): boolean {
  return bareName(parameter.name) === bareName(name);
}

function pointsOf(members: readonly Parameter[]): Value[][] {
  const columns = members.map(levels);
  const length = columns[0]!.length;
  const odd = columns.findIndex((column) => column.length !== length);
  if (odd >= 0) {
    const [first, other] = [members[0]!.name, members[odd]!.name];
    throw new UserError(
      `Cannot zip "${first}" with "${other}": "${first}" has ${length} values, ` +
        `"${other}" has ${columns[odd]!.length}`,
      { hint: "Zipped parameters go together value by value, so each needs as many" },
    );
  }
  return columns[0]!.map((_, i) => columns.map((column) => column[i]!));
}
