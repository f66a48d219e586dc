import { UserError } from "../base/errors.ts";
import type { Config, Parameter } from "./config.ts";
import { valueAt } from "./discretise.ts";
import { bareName } from "./parameter-name.ts";
import { axesOf } from "./plan.ts";
import type { Axis, Plan } from "./plan.ts";
import { createStream } from "./random.ts";
import { SOBOL_DIMENSIONS, sobolDirections, sobolFraction } from "./sobol.ts";
import type { Value } from "./value.ts";

/** Fractions in [0, 1) of one axis, one after the other. */
type Source = () => number;

/** Independent samples; each axis has its own stream, named after its first member. */
export function planRandom(config: Config, samples: number, seed: number): Plan {
  return sampled(config, samples, (axes) => axes.map((axis) => createStream(seed, nameOf(axis))));
}

/**
 * Samples of a Sobol sequence, shifted by the seed. Throws UserError when more
 * parameters vary than it has dimensions; a parameter with one value needs none.
 */
export function planSobol(config: Config, samples: number, seed: number): Plan {
  return sampled(config, samples, (axes) => {
    let dimension = 0;
    return axes.map((axis) =>
      isFixed(axis) ? () => 0 : createSobol(dimension++, seed, nameOf(axis))
    );
  }, SOBOL_DIMENSIONS);
}

function sampled(
  config: Config,
  samples: number,
  sources: (axes: readonly Axis[]) => readonly Source[],
  most = Infinity,
): Plan {
  const axes = axesOf(config, config.parameters);
  const varied = axes.filter((axis) => !isFixed(axis)).length;
  if (varied > most) {
    throw new UserError(
      `Cannot sample with grid sobol: ${varied} parameters vary, at most ${most} can`,
      { hint: "Use grid random, or give some parameters a single value" },
    );
  }
  const names = config.parameters.map((parameter) => parameter.name);
  const places = axes.map((axis) => axis.members.map((member) => names.indexOf(member.name)));
  return {
    names,
    count: samples,
    reckoning: `${samples} samples`,
    *rows() {
      const next = sources(axes);
      for (let sample = 0; sample < samples; sample++) {
        const row: Value[] = new Array<Value>(names.length).fill(null);
        for (const [a, axis] of axes.entries()) {
          const point = pointAt(axis, next[a]!());
          for (const [i, place] of places[a]!.entries()) row[place] = point[i]!;
        }
        yield row;
      }
    },
  };
}

function createSobol(dimension: number, seed: number, name: string): Source {
  const directions = sobolDirections(dimension);
  const shift = Math.floor(createStream(seed, name)() * 2 ** 32) | 0;
  let index = 0;
  return () => sobolFraction(directions, index++, shift);
}

/** Discrete points share the range in equal cells; continuous ones are uniform, or so in the logarithm. */
function pointAt(axis: Axis, fraction: number): readonly Value[] {
  const only = continuous(axis);
  if (only !== undefined) return [valueAt(only, fraction, 10_000)];
  return axis.points[Math.min(axis.points.length - 1, Math.floor(fraction * axis.points.length))]!;
}

function continuous(axis: Axis): Extract<Parameter, { type: "continuous" }> | undefined {
  const [first, ...others] = axis.members;
  return others.length === 0 && first?.type === "continuous" ? first : undefined;
}

function isFixed(axis: Axis): boolean {
  return continuous(axis) === undefined && axis.points.length === 1;
}

function nameOf(axis: Axis): string {
  return bareName(axis.members[0]!.name);
}
