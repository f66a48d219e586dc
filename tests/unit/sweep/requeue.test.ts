import assert from "node:assert/strict";
import { test } from "node:test";
import { attemptKey } from "../../../lib/sweep/event.ts";
import { taskKey } from "../../../lib/sweep/sighting.ts";
import type { Answer, JobRecord, Sighting } from "../../../lib/sweep/sighting.ts";
import { latestAttempt } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { LIVE, statusOf } from "../../../lib/sweep/status.ts";
import { transitions } from "../../../lib/sweep/transition.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";
import { DOWN, record, seen, START, YES } from "../../support/scene.ts";

interface Scene {
  at?: number;
  queue?: Answer;
  accounting?: Answer;
  inQueue?: Sighting;
  inAccounting?: Sighting;
  record?: JobRecord;
  scheduler?: "slurm" | "local";
}

function look(state: SweepState, scene: Scene): number {
  const at = scene.at ?? START;
  const one = (sighting: Sighting | undefined) =>
    new Map(sighting === undefined ? [] : [[taskKey(sighting.jobId, sighting.task), sighting]]);
  const changes = transitions(state, {
    scheduler: scene.scheduler ?? "slurm",
    look: {
      at,
      queue: scene.queue ?? YES,
      accounting: scene.accounting ?? YES,
      inQueue: one(scene.inQueue),
      inAccounting: one(scene.inAccounting),
    },
    records: new Map(scene.record === undefined ? [] : [[attemptKey("s1", 0), scene.record]]),
  });
  if (changes.length > 0) add(state, { type: "attempts-changed", changes }, at);
  return changes.length;
}

for (const word of ["preempted", "node-failure"] as const) {
  test(`${word} in accounting ends no job that the queue still cleans up: it may be requeued`, () => {
    const state = stateOf(submittedSweep(1));
    look(state, { inQueue: seen("running", { startedAt: START, restarts: 0 }) });
    look(state, {
      at: START + 5000,
      inQueue: seen("completing", { startedAt: START, restarts: 0 }),
      inAccounting: seen(word, { view: "accounting" }),
    });
    assert.ok(LIVE.has(statusOf(state, 0)));
    look(state, { at: START + 9000, inQueue: seen("pending", { restarts: 1 }) });
    assert.equal(statusOf(state, 0), "queued");
  });

  test(`${word} in accounting ends no job while the queue is silent`, () => {
    const state = stateOf(submittedSweep(1));
    look(state, { inQueue: seen("running", { startedAt: START }) });
    look(state, { at: START + 5000, queue: DOWN, inAccounting: seen(word) });
    assert.equal(statusOf(state, 0), "running");
    look(state, { at: START + 9000, inAccounting: seen(word) });
    assert.equal(statusOf(state, 0), "failed");
  });
}

test("the record of an earlier run says nothing about a requeued one while the queue is silent", () => {
  const state = stateOf(submittedSweep(1));
  const first = record({ exitCode: 3, endedAt: START + 500 });
  look(state, { at: START + 1000, inQueue: seen("pending", { restarts: 1 }), record: first });
  assert.equal(statusOf(state, 0), "queued");
  look(state, { at: START + 2000, queue: DOWN, accounting: DOWN, record: first });
  assert.equal(statusOf(state, 0), "queued");
  look(state, { at: START + 3000, queue: DOWN, accounting: DOWN, record: record({}) });
  assert.equal(statusOf(state, 0), "queued");
});

test("a requeued job that is cancelled as it waits has not the exit code of its earlier run", () => {
  const state = stateOf(submittedSweep(1));
  const first = record({ exitCode: 3, endedAt: START + 500 });
  look(state, { at: START + 1000, inQueue: seen("pending", { restarts: 1 }), record: first });
  look(state, {
    at: START + 9000,
    inAccounting: seen("cancelled", { endedAt: START + 8000 }),
    record: first,
  });
  const attempt = latestAttempt(state, 0)!;
  assert.equal(attempt.ending?.cause, "cancelled");
  assert.equal(attempt.ending?.exitCode, undefined);
  assert.equal(attempt.endedAt, START + 8000);
});

test("a node whose clock is five minutes behind does not make an ended job run again", () => {
  const state = stateOf(submittedSweep(1));
  const behind = START - 300_000;
  look(state, { inQueue: seen("running", { startedAt: START, restarts: 0 }) });
  look(state, {
    at: START + 2000,
    queue: DOWN,
    accounting: DOWN,
    record: record({ startedAt: behind, exitCode: 0, endedAt: behind + 1000 }),
  });
  assert.equal(statusOf(state, 0), "completed");
  look(state, { at: START + 2100, inQueue: seen("running", { startedAt: START, restarts: 0 }) });
  assert.equal(statusOf(state, 0), "completed");
});

test("a node whose clock is five minutes ahead does not hide that an ended job runs again", () => {
  const state = stateOf(submittedSweep(1));
  const ahead = START + 300_000;
  look(state, {
    inQueue: seen("failed", { startedAt: START, endedAt: START + 1000, restarts: 0 }),
    record: record({ startedAt: ahead, exitCode: 3, endedAt: ahead + 1000 }),
  });
  assert.equal(statusOf(state, 0), "failed");
  look(state, { inQueue: seen("running", { startedAt: START + 9000, restarts: 1 }) });
  assert.equal(statusOf(state, 0), "running");
});

test("how long a killed job ran is told by one clock, the scheduler's", () => {
  const state = stateOf(submittedSweep(1));
  look(state, {
    inAccounting: seen("timeout", { startedAt: START, endedAt: START + 60_000 }),
    record: record({ startedAt: START + 300_000 }),
  });
  const { startedAt, endedAt } = latestAttempt(state, 0)!;
  assert.equal(endedAt! - startedAt!, 60_000);
});

test("a job of another name under a known id is another job: no state follows from it", () => {
  const state = stateOf(submittedSweep(1));
  look(state, { inQueue: seen("completed", { endedAt: START }) });
  const foreign = seen("pending", { jobName: "hyperherd_test_s9" });
  look(state, { at: START + 1000, inQueue: foreign });
  assert.equal(statusOf(state, 0), "completed");
});

test("equal job ids of both schedulers are told apart", () => {
  const state = stateOf(submittedSweep(1));
  const local = seen("failed", { exitCode: 1 });
  assert.equal(look(state, { scheduler: "local", inQueue: local }), 0);
  assert.equal(statusOf(state, 0), "submitted");
});

test("an ended job of HyperHerd's is not alive because its id is given to another one", () => {
  const state = stateOf([
    submittedSweep(1)[0]!,
    {
      type: "carried-over",
      statuses: { 0: "completed" },
      attempts: [{ trial: 0, number: 1, jobId: "7", task: 0, cause: "completed" }],
    },
  ]);
  look(state, { inQueue: seen("pending", { jobName: "somebody else's" }) });
  assert.equal(statusOf(state, 0), "completed");
});

test("an accounting row that knows no usage, as of tasks that never started, owes none", () => {
  const state = stateOf(submittedSweep(1));
  look(state, { inAccounting: seen("cancelled", { usage: undefined }) });
  assert.equal(latestAttempt(state, 0)?.usageDue, false);
});

test("a task that did nothing is ready again, also when its record comes later than its end", () => {
  const state = stateOf(submittedSweep(1));
  look(state, { inQueue: seen("failed", { exitCode: 75 }), accounting: DOWN });
  assert.equal(statusOf(state, 0), "failed");
  look(state, {
    at: START + 60_000,
    inAccounting: seen("failed", { exitCode: 75 }),
    record: record({ voided: true, startedAt: undefined }),
  });
  assert.equal(statusOf(state, 0), "ready");
});

test("a job that was requeued and ended again between two looks ended as it did the last time", () => {
  const state = stateOf(submittedSweep(1));
  look(state, { inQueue: seen("failed", { endedAt: START, exitCode: 1, restarts: 0 }) });
  assert.equal(statusOf(state, 0), "failed");
  const again = seen("completed", { endedAt: START + 9000, restarts: 1 });
  look(state, { at: START + 9500, inQueue: again });
  assert.equal(statusOf(state, 0), "completed");
  assert.equal(look(state, { at: START + 9600, inQueue: again, inAccounting: again }), 1);
  assert.equal(look(state, { at: START + 9700, inQueue: again }), 0);
});
