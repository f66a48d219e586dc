import { UserError } from "../base/errors.ts";

/** Far above any sweep; a range beyond it is a slip of the hand. */
const HIGHEST = 10_000_000;

/**
 * Trial indices as people write them: `3`, `0-9`, `1,4,7-9`. A throttle as in
 * SLURM's own specification (`0-9%2`) is accepted and ignored, as HyperHerd does.
 */
export function parseIndexSpec(spec: string): number[] {
  const indices = new Set<number>();
  for (const part of spec.replace(/%\d+$/, "").split(",")) {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first || last > HIGHEST) {
      throw new UserError(
        `Cannot read trial indices "${spec}": "${part}" is no index and no range`,
        {
          hint: "Write indices and ranges with commas, such as 0,3,7-9",
        },
      );
    }
    for (let index = first; index <= last; index++) indices.add(index);
  }
  return [...indices].sort((a, b) => a - b);
}
