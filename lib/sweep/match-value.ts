import { numberOf } from "./numeric-text.ts";
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
  const same = values.find((value) => sameValue(value, wanted));
  if (same !== undefined) return { value: same };
  const number = asNumber(wanted);
  if (number === undefined) return undefined;
  const alike = values.find((value) => {
    const other = asNumber(value);
    return other !== undefined && sameValue(other, number);
  });
  return alike === undefined ? undefined : { value: alike };
}

function asNumber(value: Value): number | undefined {
  return typeof value === "number"
    ? value
    : typeof value === "string"
    ? numberOf(value)
    : undefined;
}
