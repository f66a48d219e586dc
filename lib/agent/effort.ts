import { plainModelName } from "./cost.ts";
import { PRICES } from "./prices.ts";

/** Models of the table of prices that refuse a request which names an effort. */
const WITHOUT_EFFORT: readonly string[] = [
  "claude-opus-4-1",
  "claude-opus-4",
  "claude-sonnet-4-5",
  "claude-sonnet-4",
  "claude-haiku-4-5",
  "claude-haiku-3-5",
];

/**
 * The effort to ask a Claude model for; undefined where it is not known to take one. No model can
 * be told not to think by this parameter: `off` is the least effort.
 */
export function effortOf(
  model: string,
  thinking: "off" | "low" | "medium" | "high",
): "low" | "medium" | "high" | undefined {
  const name = plainModelName(model);
  if (!Object.hasOwn(PRICES, name) || WITHOUT_EFFORT.includes(name)) return undefined;
  return thinking === "off" ? "low" : thinking;
}
