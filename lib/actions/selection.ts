import { UserError } from "../base/errors.ts";
import { compactRanges } from "../base/text.ts";
import type { SweepState } from "../sweep/state.ts";

/** The indices, ascending and once each, when the sweep has all of them. */
export function knownIndices(state: SweepState, indices: readonly number[]): number[] {
  const unique = [...new Set(indices)].sort((a, b) => a - b);
  const unknown = unique.filter((index) => !state.trials.has(index));
  if (unknown.length > 0) {
    const known = compactRanges(state.trials.keys());
    throw new UserError(
      `Cannot find trial ${compactRanges(unknown)}: the sweep has ${
        known === "" ? "no trials yet" : known
      }`,
      { hint: "`herd ls` lists the trials" },
    );
  }
  return unique;
}
