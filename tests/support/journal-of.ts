import type { Happening } from "../../lib/sweep/event.ts";
import { apply, emptyState } from "../../lib/sweep/state.ts";
import type { SweepState } from "../../lib/sweep/state.ts";

/** A state folded from happenings, as if a journal had held them one second apart. */
export function stateOf(happenings: readonly Happening[], startAt = 1_000_000): SweepState {
  const state = emptyState();
  for (const what of happenings) add(state, what, startAt + state.seq * 1000);
  return state;
}

/** Adds one happening to a state as the journal would. */
export function add(state: SweepState, what: Happening, at: number): void {
  apply(state, { v: 1, seq: state.seq + 1, at, by: "test", what });
}

/** Happenings of a sweep of `n` trials, all submitted in one array of job 7. */
export function submittedSweep(n: number): Happening[] {
  const trials = Array.from({ length: n }, (_, index) => ({
    index,
    key: `${index}`.padStart(12, "0"),
    params: { lr: index },
    extras: {},
    resources: {},
    name: `lr-${index}`,
    conditions: [],
  }));
  return [
    { type: "trials-added", trials },
    {
      type: "submission-intended",
      submission: "s1",
      scheduler: "slurm",
      jobName: "hyperherd_test_s1",
      fixed: "f",
      tasks: trials.map(({ index }) => ({ task: index, trial: index, attempt: 1, as: "a" })),
      timeSeconds: 3600,
    },
    { type: "submission-accepted", submission: "s1", jobId: "7" },
  ];
}
