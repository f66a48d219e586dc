import type { Answer, JobRecord, Sighting } from "../../lib/sweep/sighting.ts";

/** The queue or accounting answered. */
export const YES: Answer = { answered: true };
export const DOWN: Answer = {
  answered: false,
  reason: "unreachable",
  message: "connect failure",
};

/** When job 7's task 0 started, in these tests' time. */
export const START = 2_000_000;

/** A sighting of job 7's task 0, as `submittedSweep` made it. */
export function seen(state: Sighting["state"], more: Partial<Sighting> = {}): Sighting {
  return {
    jobId: "7",
    task: 0,
    jobName: "hyperherd_test_s1",
    state,
    raw: state.toUpperCase(),
    view: "queue",
    reason: undefined,
    startedAt: undefined,
    endedAt: undefined,
    node: undefined,
    exitCode: undefined,
    signal: undefined,
    restarts: undefined,
    usage: undefined,
    ...more,
  };
}

/** What that task wrote about itself: by default that it started. */
export function record(more: Partial<JobRecord>): JobRecord {
  return {
    submission: "s1",
    task: 0,
    startedAt: START,
    restart: 0,
    node: "n1",
    aliveAt: START,
    signals: [],
    exitCode: undefined,
    endedAt: undefined,
    voided: false,
    ...more,
  };
}
