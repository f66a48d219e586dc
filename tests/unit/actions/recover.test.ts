import assert from "node:assert/strict";
import { test } from "node:test";
import { ARRIVAL_MS } from "../../../lib/actions/recover.ts";
import { attemptKey } from "../../../lib/sweep/event.ts";
import { statusOf } from "../../../lib/sweep/status.ts";
import { createActing } from "../../support/acting.ts";
import { stateOf, submittedSweep } from "../../support/journal-of.ts";

/** A sweep of one trial whose submission was intended, and nothing is known of what came of it. */
function intended() {
  const state = stateOf(submittedSweep(1).slice(0, -1), 1_000_000);
  const acting = createActing(state, 1_002_000);
  return { state, ...acting };
}

test("a submission that nobody knows is given up only when it can no longer be on its way", async () => {
  const { state, perform, pass } = intended();
  await perform({ verb: "look", graceSeconds: 600 });
  assert.equal(state.submissions.get("s1")?.outcome, "open");
  assert.equal(statusOf(state, 0), "submitted");
  pass(ARRIVAL_MS);
  await perform({ verb: "look", graceSeconds: 600 });
  assert.equal(state.submissions.get("s1")?.outcome, "never-arrived");
  assert.equal(statusOf(state, 0), "ready");
});

test("a submission is adopted under the job id that its name is found by", async () => {
  const { state, perform, cluster } = intended();
  cluster.found = ["77"];
  await perform({ verb: "look", graceSeconds: 600 });
  assert.equal(state.submissions.get("s1")?.jobId, "77");
});

test("a job that no view remembers is adopted by its own record, never submitted twice", async () => {
  // Without accounting the queue forgets a job minutes after its end (MinJobAge).
  const { state, perform, records, pass } = intended();
  records.set(attemptKey("s1", 0), {
    submission: "s1",
    task: 0,
    jobId: "77",
    startedAt: 1_003_000,
    restart: 0,
    node: "n1",
    aliveAt: 1_004_000,
    signals: [],
    exitCode: 0,
    endedAt: 1_004_000,
    voided: false,
  });
  pass(3_600_000);
  await perform({ verb: "look", graceSeconds: 600 });
  assert.equal(state.submissions.get("s1")?.jobId, "77");
  assert.equal(statusOf(state, 0), "completed");
});
