import type { Results } from "./results.ts";

/** By metric, the value that a trial logged last by step. */
export function lastValues(results: Results, trial: number): Record<string, unknown> {
  return Object.fromEntries(
    results.listStreams(trial).flatMap((metric) => {
      const last = results.lastPoints(trial, metric, 1).at(-1);
      return last === undefined ? [] : [[metric, last.value ?? last.raw ?? null]];
    }),
  );
}
