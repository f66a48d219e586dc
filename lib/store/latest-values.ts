import type { Final, Results } from "./results.ts";

/**
 * What a trial came to, by metric: its final values, and of metrics that were
 * only ever logged by step the value that was logged last.
 */
export function latestValues(results: Results, trial: number): Final {
  const { values, notices } = results.readFinal(trial);
  const latest = new Map<string, unknown>(Object.entries(values));
  for (const metric of results.listStreams(trial)) {
    if (latest.has(metric)) continue;
    const last = results.lastPoints(trial, metric, 1).at(-1);
    if (last !== undefined) latest.set(metric, last.value ?? last.raw ?? null);
  }
  return { values: Object.fromEntries(latest), notices };
}
