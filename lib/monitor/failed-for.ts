import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { statusOf } from "../sweep/status.ts";

/** Failed trials whose latest attempt ended for want of it. */
export function failedFor(
  state: SweepState,
  what: "memory" | "time",
  trials: readonly number[] | undefined,
): number[] {
  const cause = what === "memory" ? "out-of-memory" : "timeout";
  return [...state.trials.keys()].filter((index) =>
    (trials === undefined || trials.includes(index)) && statusOf(state, index) === "failed" &&
    latestAttempt(state, index)?.ending?.cause === cause
  );
}
