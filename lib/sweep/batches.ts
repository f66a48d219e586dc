import type { Resources } from "./config.ts";

/** One array job to submit. */
export interface Batch {
  resources: Resources;
  /** Trial index = task id + base. 0 unless indices reach the site's array limit. */
  base: number;
  /** Ascending. */
  indices: readonly number[];
  /** Tasks of this array at once; undefined: no limit. */
  throttle: number | undefined;
  /** Position of the batch that has to end first, for when there are more batches than may run at once. */
  after: number | undefined;
}

export interface BatchRequest {
  trials: readonly { index: number; resources: Resources }[];
  /** Task ids go from 0 to this minus 1 (SLURM's MaxArraySize). */
  maxArraySize: number;
  /** Trials at once over all batches. */
  maxConcurrent: number | undefined;
}

/**
 * Splits trials into arrays: one per set of resources and per window of indices
 * that the site's array limit allows. Windows are aligned, so that a trial has
 * the same task id, and so the same log file, in each of its attempts.
 */
export function batches({ trials, maxArraySize, maxConcurrent }: BatchRequest): Batch[] {
  const groups = new Map<string, { resources: Resources; base: number; indices: number[] }>();
  for (const { index, resources } of trials) {
    const base = Math.floor(index / maxArraySize) * maxArraySize;
    const key = `${base} ${JSON.stringify(resources)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { resources, base, indices: [index] });
    else group.indices.push(index);
  }
  const list = [...groups.values()];
  const shares = share(maxConcurrent, list.length);
  return list.map((group, i) => ({
    ...group,
    indices: group.indices.sort((a, b) => a - b),
    throttle: shares?.[i],
    after: maxConcurrent !== undefined && i >= maxConcurrent ? i - maxConcurrent : undefined,
  }));
}

/** SLURM throttles one array at a time, so several arrays share the allowance; none gets 0, which would mean no limit. */
function share(total: number | undefined, parts: number): number[] | undefined {
  if (total === undefined) return undefined;
  const abreast = Math.min(total, parts);
  const each = Math.floor(total / abreast);
  return Array.from({ length: parts }, (_, i) => i < total % abreast ? each + 1 : each)
    .map((n, i) => i >= abreast ? 1 : n);
}
