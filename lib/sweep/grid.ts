import type { Config, Parameter } from "./config.ts";
import { axesOf, fallback, neededFallback, parameterNamed } from "./plan.ts";
import type { Axis, Plan } from "./plan.ts";
import { sameValue } from "./same-value.ts";
import type { Value } from "./value.ts";

/** Every value of every parameter with every other, in YAML order, the last one fastest. Defaults do not matter. */
export function planAll(config: Config): Plan {
  const names = config.parameters.map((parameter) => parameter.name);
  return product(names, axesOf(config, config.parameters), []);
}

/**
 * The product over the listed parameters in the list's order, the others at
 * their defaults. To name one member of a zip group is to name the group.
 */
export function planSome(config: Config, listed: readonly string[]): Plan {
  const axes = axesOf(config, listed.map((name) => parameterNamed(config, name)));
  const swept = new Set(axes.flatMap((axis) => axis.members));
  const why = "it is not in the grid";
  const based = config.parameters.filter((parameter) =>
    !swept.has(parameter) || parameter.default !== undefined
  );
  const base = based.map((parameter) => fallback(parameter) ?? neededFallback(parameter, why));
  const rest = [...swept].filter((parameter) => parameter.default === undefined);
  const names = [...based, ...rest].map((parameter) => parameter.name);
  return product(names, axes, base);
}

/** The trial of defaults, then for each axis in YAML order each point that differs from its default. */
export function planOneAtATime(config: Config): Plan {
  const names = config.parameters.map((parameter) => parameter.name);
  const base = config.parameters.map((parameter) => neededFallback(parameter, "no grid is set"));
  const at = new Map<Parameter, number>(config.parameters.map((parameter, i) => [parameter, i]));
  const rows: Value[][] = [base];
  for (const axis of axesOf(config, config.parameters)) {
    const places = axis.members.map((member) => at.get(member)!);
    for (const point of axis.points) {
      if (point.every((value, i) => sameValue(value, base[places[i]!]!))) continue;
      const row = [...base];
      for (const [i, place] of places.entries()) row[place] = point[i]!;
      rows.push(row);
    }
  }
  return { names, count: rows.length, reckoning: "one parameter at a time", rows: () => rows };
}

function product(names: readonly string[], axes: readonly Axis[], base: readonly Value[]): Plan {
  const places = axes.map((axis) => axis.members.map((member) => names.indexOf(member.name)));
  return {
    names,
    count: axes.reduce((count, axis) => count * axis.points.length, 1),
    reckoning: axes.map((axis) => axis.points.length).join(" × "),
    *rows() {
      const digits = axes.map(() => 0);
      for (;;) {
        const row = [...base];
        for (const [a, axis] of axes.entries()) {
          const point = axis.points[digits[a]!]!;
          for (const [i, place] of places[a]!.entries()) row[place] = point[i]!;
        }
        yield row;
        let turning = axes.length - 1;
        while (turning >= 0 && ++digits[turning]! === axes[turning]!.points.length) {
          digits[turning--] = 0;
        }
        if (turning < 0) return;
      }
    },
  };
}
