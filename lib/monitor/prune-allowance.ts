/**
 * How many more trials may be pruned without a person: at the most `share`
 * (0 to 1) of the sweep in all. `prunedByHerd` counts those that no person
 * pruned, `total` the sweep's trials without dropped ones.
 */
export function pruneAllowance(
  { prunedByHerd, total, share }: { prunedByHerd: number; total: number; share: number },
): number {
  // A third of 3 is 1, also in floating point.
  return Math.max(0, Math.floor(total * share + 1e-9) - prunedByHerd);
}
