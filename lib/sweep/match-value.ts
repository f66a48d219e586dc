import { meantNumber } from "./numeric-text.ts";
import { sameValue } from "./same-value.ts";
import type { Value } from "./value.ts";

/**
 * The one of a parameter's values that somebody meant who wrote `wanted`
 * elsewhere in the file: the same value, or the same number as text on one side
 * (`"32"` and 32). Wrapped, as null is a value.
 */
export function matchValue(
  wanted: Value,
  values: readonly Value[],
): { value: Value } | undefined {
  const same = values.find((value) => sameValue(value, wanted)) ??
    values.find((value) => meansSame(value, wanted));
  return same === undefined ? undefined : { value: same };
}

/** Whether a condition takes two values for one: quotes around a number make no difference. */
export function meansSame(a: Value, b: Value): boolean {
  if (sameValue(a, b)) return true;
  const number = meantNumber(a);
  const other = number === undefined ? undefined : meantNumber(b);
  return number !== undefined && other !== undefined && sameValue(number, other);
}
