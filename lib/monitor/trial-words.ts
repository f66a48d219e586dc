import { UserError } from "../base/errors.ts";
import { parseIndexSpec } from "../sweep/index-spec.ts";

/** "3", "3,5-7", "3 and 5"; undefined for what is no list of trials, or one longer than any sweep's. */
export function readTrials(text: string): number[] | undefined {
  const spec = text.replace(/\band\b|&/g, ",").replace(/#/g, "").replace(/\s*-\s*/g, "-")
    .trim().split(/[\s,]+/).filter((part) => part !== "").join(",");
  const tooWide = spec.split(",").some((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return to - from > 100_000;
  });
  if (tooWide) return undefined;
  try {
    return parseIndexSpec(spec);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
