import assert from "node:assert/strict";
import { test } from "node:test";
import type { Happening } from "../../../lib/sweep/event.ts";
import { overdue, signalsDue, superseded } from "../../../lib/sweep/enforce.ts";
import { fromPlain, latestAttempt, toPlain } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { statusOf } from "../../../lib/sweep/status.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";

const NOW = 3_000_000;

function again(submission: string): Happening {
  return {
    type: "submission-intended",
    submission,
    scheduler: "slurm",
    jobName: `hyperherd_test_${submission}`,
    fixed: "f",
    tasks: [{ task: 0, trial: 0, attempt: 2, as: "a" }],
    timeSeconds: 60,
  };
}

function change(
  submission: string,
  phase: "queued" | "running" | "ended",
  cause?: "completed" | "exit" | "cancelled",
): Happening {
  const ending = cause === undefined
    ? {}
    : { ending: { cause, exitCode: undefined, signal: undefined, source: "scheduler" as const } };
  return { type: "attempts-changed", changes: [{ submission, task: 0, phase, ...ending }] };
}

/** Trial 0 obeyed a pause (or prune) by exiting with 0. */
function setAside(intent: "pause" | "prune"): SweepState {
  return stateOf([
    ...submittedSweep(1),
    change("s1", "running"),
    { type: "intent-set", indices: [0], intent, reason: "why" },
    change("s1", "ended", "completed"),
  ]);
}

for (const why of ["refused", "never-arrived"] as const) {
  test(`a paused trial whose resume was ${why} is paused still`, () => {
    const state = setAside("pause");
    add(state, again("s2"), NOW);
    assert.equal(statusOf(state, 0), "submitted");
    add(state, { type: "submission-ended", submission: "s2", why, detail: "no" }, NOW);
    assert.equal(statusOf(state, 0), "paused");
    assert.equal(state.intents.get(0)?.reason, "why");
  });
}

test("a pruned trial whose new run did nothing, being void, is pruned still", () => {
  const state = setAside("prune");
  add(state, again("s2"), NOW);
  add(state, { type: "submission-accepted", submission: "s2", jobId: "8" }, NOW);
  const ending = {
    cause: "not-submitted" as const,
    exitCode: undefined,
    signal: undefined,
    source: "record" as const,
  };
  add(
    state,
    { type: "attempts-changed", changes: [{ submission: "s2", task: 0, phase: "ended", ending }] },
    NOW,
  );
  assert.equal(statusOf(state, 0), "pruned");
});

test("what is set aside by a submission survives a snapshot, and a newer wish wins over it", () => {
  const state = setAside("pause");
  add(state, again("s2"), NOW);
  const back = fromPlain(JSON.parse(JSON.stringify(toPlain(state))));
  add(back, { type: "submission-ended", submission: "s2", why: "refused", detail: "" }, NOW);
  assert.equal(statusOf(back, 0), "paused");
  add(state, { type: "intent-set", indices: [0], intent: "prune" }, NOW);
  add(state, { type: "submission-ended", submission: "s2", why: "refused", detail: "" }, NOW);
  assert.equal(statusOf(state, 0), "pruned");
});

test("a submission that is accepted ends the wish for good", () => {
  const state = setAside("pause");
  add(state, again("s2"), NOW);
  add(state, { type: "submission-accepted", submission: "s2", jobId: "8" }, NOW);
  add(state, change("s2", "ended", "exit"), NOW);
  assert.equal(statusOf(state, 0), "failed");
});

test("a trial whose earlier attempt runs again after the latest ended is live", () => {
  const state = stateOf(submittedSweep(1));
  add(state, change("s1", "ended", "exit"), NOW);
  add(state, again("s2"), NOW);
  add(state, { type: "submission-accepted", submission: "s2", jobId: "8" }, NOW);
  add(state, change("s2", "ended", "exit"), NOW);
  assert.equal(statusOf(state, 0), "failed");
  // Somebody requeued the first job: its process works on the trial's checkpoint.
  add(state, change("s1", "running"), NOW);
  assert.equal(statusOf(state, 0), "running");
  assert.equal(latestAttempt(state, 0)?.submission, "s1");
});

test("of two attempts of a trial that are alive at once the earlier one is to be cancelled", () => {
  const state = stateOf(submittedSweep(1));
  add(state, change("s1", "ended", "exit"), NOW);
  add(state, again("s2"), NOW);
  assert.deepEqual(superseded(state), []);
  add(state, change("s1", "queued"), NOW);
  assert.deepEqual(superseded(state).map(({ submission }) => submission), ["s1"]);
  assert.equal(latestAttempt(state, 0)?.submission, "s2");
  add(state, { type: "submission-ended", submission: "s2", why: "refused", detail: "" }, NOW);
  assert.deepEqual(superseded(state), []);
});

test("a trial is told to pause or prune whenever it is seen to run, whatever it did when the wish came", () => {
  for (const intent of ["pause", "prune"] as const) {
    const state = stateOf(submittedSweep(1));
    add(state, { type: "intent-set", indices: [0], intent }, NOW);
    assert.deepEqual(signalsDue(state), []);
    add(state, change("s1", "running"), NOW);
    assert.deepEqual(signalsDue(state), [{ trial: 0, signal: intent }]);
    add(state, change("s1", "ended", "completed"), NOW);
    assert.deepEqual(signalsDue(state), []);
  }
});

test("while the queue is silent nothing that may run by now is cancelled for a pause, all for a stop", () => {
  const silent = new Set(["slurm"] as const);
  const state = stateOf(submittedSweep(2));
  add(state, { type: "intent-set", indices: [0], intent: "pause" }, NOW);
  add(state, { type: "intent-set", indices: [1], intent: "stop" }, NOW);
  assert.deepEqual(overdue(state, NOW, 600, silent), [1]);
  assert.deepEqual(overdue(state, NOW, 600), [0, 1]);
  // It has had its time, wherever it is.
  assert.deepEqual(overdue(state, NOW + 600_000, 600, silent), [0, 1]);
});

test("what becomes of a submission is written into its own attempts, whatever the number of others", () => {
  const state = stateOf(submittedSweep(3));
  state.attempts.values = () => {
    throw new Error("All attempts were gone through: quadratic in a long journal");
  };
  add(state, again("s2"), NOW);
  add(state, { type: "submission-accepted", submission: "s2", jobId: "8" }, NOW);
  add(state, again("s3"), NOW);
  add(state, { type: "submission-ended", submission: "s3", why: "refused", detail: "" }, NOW);
  assert.equal(state.attempts.get("s2/0")?.jobId, "8");
  assert.equal(state.attempts.get("s3/0")?.phase, "ended");
  assert.equal(state.attempts.get("s1/0")?.jobId, "7");
});
