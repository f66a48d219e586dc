import type { ContinuousParameter, Parameter } from "./config.ts";
import type { Value } from "./value.ts";

/** The values that a parameter takes in a grid, in order. */
export function levels(parameter: Parameter): readonly Value[] {
  return parameter.type === "discrete" ? parameter.values : discretise(parameter);
}

/**
 * `steps` values from `low` to `high`, both exact; fewer than two steps give
 * `low` alone. Evenly spaced, or evenly in the logarithm.
 */
export function discretise(parameter: ContinuousParameter): number[] {
  const { low, high, scale, steps } = parameter;
  if (steps < 2) return [low];
  const values: number[] = [];
  for (let i = 0; i < steps; i++) {
    if (i === 0) values.push(low);
    else if (i === steps - 1) values.push(high);
    else values.push(valueAt({ low, high, scale }, i / (steps - 1), steps - 1));
  }
  return values;
}

/** The value at a fraction (0 to 1) of a range that is cut into about `cells` parts, with clean decimals. */
export function valueAt(
  range: { low: number; high: number; scale: "linear" | "log" },
  fraction: number,
  cells: number,
): number {
  const { low, high, scale } = range;
  if (scale === "log") {
    const value = Math.exp(Math.log(low) + (Math.log(high) - Math.log(low)) * fraction);
    return clamp(clean(value, value * Math.log(high / low) / cells), low, high);
  }
  // Two products, not `low + (high - low) * f`: that overflows for the widest ranges.
  const value = low * (1 - fraction) + high * fraction;
  const spacing = high / cells - low / cells;
  // What should be zero comes out as noise of the size of the ends' last digits.
  if (Math.abs(value) < spacing * 1e-9) return clamp(0, low, high);
  return clamp(clean(value, spacing), low, high);
}

/** The shortest decimal near the value, from ten significant digits on, that does not move it noticeably. */
function clean(value: number, spacing: number): number {
  for (const digits of [10, 12, 14, 16]) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.abs(rounded - value) <= spacing * 1e-3) return rounded;
  }
  return value;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
