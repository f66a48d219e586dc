import assert from "node:assert/strict";
import { test } from "node:test";
import { attemptKey } from "../../../lib/sweep/event.ts";
import { taskKey } from "../../../lib/sweep/sighting.ts";
import type { Answer, JobRecord, Look, Sighting } from "../../../lib/sweep/sighting.ts";
import { fromPlain, toPlain } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { describeEnding, statusOf } from "../../../lib/sweep/status.ts";
import {
  ACCOUNTING_LAG_MS,
  LOST_AFTER_MS,
  RUNAWAY_AFTER_MS,
  transitions,
} from "../../../lib/sweep/transition.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";
import { DOWN, record, seen, START, YES } from "../../support/scene.ts";

const ABSENT: Answer = { answered: false, reason: "absent", message: "no accounting" };

interface Scene {
  at?: number;
  queue?: Answer;
  accounting?: Answer;
  inQueue?: Sighting;
  inAccounting?: Sighting;
  record?: JobRecord;
}

/** One look at trial 0; the state takes what was learnt. Returns how many changes there were. */
function look(state: SweepState, scene: Scene): number {
  const at = scene.at ?? START;
  const one = (sighting: Sighting | undefined): Look["inQueue"] =>
    new Map(sighting === undefined ? [] : [[taskKey("7", 0), sighting]]);
  const changes = transitions(state, {
    scheduler: "slurm",
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

function oneTrial(): SweepState {
  return stateOf(submittedSweep(1));
}

function endingOfTrial(state: SweepState) {
  return state.attempts.get(attemptKey("s1", 0))?.ending;
}

for (
  const [word, cause, status] of [
    ["completed", "completed", "completed"],
    ["failed", "exit", "failed"],
    ["out-of-memory", "out-of-memory", "failed"],
    ["timeout", "timeout", "failed"],
    ["cancelled", "cancelled", "cancelled"],
    ["preempted", "preempted", "failed"],
    ["node-failure", "node-failure", "failed"],
    ["deadline", "deadline", "failed"],
    ["launch-failure", "launch-failure", "failed"],
  ] as const
) {
  test(`the scheduler's "${word}" ends a trial as ${status} with cause ${cause}`, () => {
    const state = oneTrial();
    look(state, { inAccounting: seen(word, { view: "accounting" }) });
    assert.equal(statusOf(state, 0), status);
    assert.equal(endingOfTrial(state)?.cause, cause);
  });
}

test("a job is queued, running and completed as the queue and accounting say", () => {
  const state = oneTrial();
  assert.equal(statusOf(state, 0), "submitted");
  look(state, { inQueue: seen("pending", { reason: "Resources" }) });
  assert.equal(statusOf(state, 0), "queued");
  assert.equal(state.attempts.get("s1/0")?.reason, "Resources");
  look(state, { inQueue: seen("running", { startedAt: START, node: "n2" }) });
  assert.equal(statusOf(state, 0), "running");
  assert.equal(state.attempts.get("s1/0")?.reason, undefined);
  look(state, { inAccounting: seen("completed", { endedAt: START + 5000 }) });
  assert.equal(statusOf(state, 0), "completed");
  assert.equal(state.attempts.get("s1/0")?.endedAt, START + 5000);
});

test("a look that learns nothing changes nothing", () => {
  const state = oneTrial();
  assert.equal(look(state, { inQueue: seen("pending", { reason: "Priority" }) }), 1);
  assert.equal(look(state, { inQueue: seen("pending", { reason: "Priority" }) }), 0);
  assert.equal(look(state, { inQueue: seen("running", { startedAt: START }) }), 1);
  assert.equal(look(state, { inQueue: seen("running", { startedAt: START }) }), 0);
});

test("G.1.5: a queue that does not answer makes no trial cancelled, however long", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("pending") });
  for (const hours of [0, 1, 100]) {
    look(state, { at: START + hours * 3_600_000, queue: DOWN, accounting: DOWN });
    assert.equal(statusOf(state, 0), "queued");
  }
});

test("G.1.5: with accounting down a job that left the queue is unknown, never cancelled", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("pending") });
  for (const hours of [0, 1, 100]) {
    look(state, { at: START + hours * 3_600_000, accounting: DOWN });
    assert.equal(statusOf(state, 0), "unknown");
  }
  look(state, { at: START + 400_000_000, inAccounting: seen("completed") });
  assert.equal(statusOf(state, 0), "completed");
});

test("G.1.5: a short job that left the queue before accounting has it ends as completed", () => {
  const state = oneTrial();
  look(state, { at: START });
  assert.equal(statusOf(state, 0), "unknown");
  look(state, { at: START + 3000, inAccounting: seen("completed") });
  assert.equal(statusOf(state, 0), "completed");
});

test("G.1.5: without accounting the job's own record tells that it completed", () => {
  const state = oneTrial();
  look(state, {
    accounting: ABSENT,
    record: record({ exitCode: 0, endedAt: START + 1000 }),
  });
  assert.equal(statusOf(state, 0), "completed");
  assert.equal(endingOfTrial(state)?.source, "record");
});

test("a job that ends with code 0 at its time limit waits for the scheduler's word", () => {
  for (const [word, status] of [["timeout", "failed"], ["completed", "completed"]] as const) {
    const state = oneTrial();
    state.submissions.get("s1")!.timeSeconds = 60;
    const own = record({ exitCode: 0, startedAt: START, endedAt: START + 65_000 });
    look(state, { inQueue: seen("running", { startedAt: START }) });
    look(state, {
      at: START + 66_000,
      inQueue: seen("running", { startedAt: START }),
      record: own,
    });
    look(state, { at: START + 68_000, record: own });
    assert.notEqual(statusOf(state, 0), "completed");
    const said = seen(word, { view: "accounting" });
    look(state, { at: START + 70_000, inAccounting: said, record: own });
    assert.equal(statusOf(state, 0), status);
  }
});

test("G.1.6: an old attempt's end does not touch the new attempt", () => {
  const state = oneTrial();
  look(state, { inAccounting: seen("failed", { exitCode: 1 }) });
  assert.equal(statusOf(state, 0), "failed");
  add(state, {
    type: "submission-intended",
    submission: "s2",
    scheduler: "slurm",
    jobName: "hyperherd_test_s2",
    fixed: "f",
    tasks: [{ task: 0, trial: 0, attempt: 2, as: "a" }],
    timeSeconds: 60,
  }, START);
  add(state, { type: "submission-accepted", submission: "s2", jobId: "8" }, START);
  look(state, { at: START + 1000, inAccounting: seen("failed", { exitCode: 1 }) });
  assert.equal(statusOf(state, 0), "submitted");
});

test("a pending task that vanishes after our cancel is cancelled at once", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("pending") });
  add(state, { type: "cancel-sent", indices: [0], ok: true }, START);
  look(state, { at: START + 1000 });
  assert.equal(statusOf(state, 0), "cancelled");
});

test("a pending task that somebody cancelled without a trace is cancelled after the accounting lag", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("pending") });
  look(state, { at: START + 1000 });
  assert.equal(statusOf(state, 0), "unknown");
  look(state, { at: START + 1000 + ACCOUNTING_LAG_MS - 1 });
  assert.equal(statusOf(state, 0), "unknown");
  look(state, { at: START + 1000 + ACCOUNTING_LAG_MS });
  assert.equal(statusOf(state, 0), "cancelled");
});

test("a started job that no view knows is lost after the grace, not before", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("running", { startedAt: START }), record: record({}) });
  look(state, { at: START + 1000, record: record({}) });
  look(state, { at: START + 1000 + LOST_AFTER_MS - 1, record: record({}) });
  assert.equal(statusOf(state, 0), "unknown");
  look(state, { at: START + 1000 + LOST_AFTER_MS, record: record({}) });
  assert.equal(endingOfTrial(state)?.cause, "lost");
  assert.equal(statusOf(state, 0), "failed");
});

test("a job that accounting calls running for ever after it left the queue is lost at last", () => {
  const state = oneTrial();
  const runaway = seen("running", { view: "accounting" });
  look(state, { inQueue: seen("running", { startedAt: START }), record: record({}) });
  look(state, { at: START + 1, inAccounting: runaway, record: record({}) });
  look(state, { at: START + RUNAWAY_AFTER_MS, inAccounting: runaway, record: record({}) });
  assert.equal(statusOf(state, 0), "unknown");
  look(state, { at: START + 1 + RUNAWAY_AFTER_MS, inAccounting: runaway, record: record({}) });
  assert.equal(endingOfTrial(state)?.cause, "lost");
});

test("a lost attempt that turns up in the queue is alive again", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("pending") });
  look(state, { at: START + 1000 });
  look(state, { at: START + 60_000 });
  assert.equal(statusOf(state, 0), "cancelled");
  look(state, { at: START + 61_000, inQueue: seen("pending") });
  assert.equal(statusOf(state, 0), "queued");
  assert.equal(endingOfTrial(state), undefined);
});

test("a finished job that somebody requeues runs again", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("completed", { endedAt: START }) });
  assert.equal(statusOf(state, 0), "completed");
  look(state, { at: START + 9000, inQueue: seen("running", { startedAt: START + 8000 }) });
  assert.equal(statusOf(state, 0), "running");
});

test("a job whose cleaning up is still in the queue is not requeued", () => {
  const state = oneTrial();
  look(state, {
    queue: DOWN,
    accounting: DOWN,
    record: record({ exitCode: 0, endedAt: START + 500 }),
  });
  assert.equal(statusOf(state, 0), "completed");
  look(state, { at: START + 900, inQueue: seen("running", { startedAt: START }) });
  assert.equal(statusOf(state, 0), "completed");
});

test("a requeue counts restarts and forgets the old start", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("running", { startedAt: START }) });
  look(state, { at: START + 1000, inQueue: seen("pending", { reason: "BeginTime", restarts: 1 }) });
  assert.equal(statusOf(state, 0), "queued");
  assert.equal(state.attempts.get("s1/0")?.startedAt, undefined);
  look(state, { at: START + 2000, inQueue: seen("running"), record: record({ restart: 1 }) });
  assert.equal(state.attempts.get("s1/0")?.restarts, 1);
});

test("a true exit code over 127 comes from the record, accounting has seven bits of it", () => {
  const state = oneTrial();
  look(state, {
    inAccounting: seen("failed", { exitCode: 72 }),
    record: record({ exitCode: 200, endedAt: START + 10 }),
  });
  assert.deepEqual(endingOfTrial(state), {
    cause: "exit",
    exitCode: 200,
    signal: undefined,
    source: "both",
  });
});

test("a failed job with folded code 0 is failed with a code unknown, never a success", () => {
  const state = oneTrial();
  look(state, { inAccounting: seen("failed", { exitCode: 0 }) });
  assert.equal(statusOf(state, 0), "failed");
  assert.equal(endingOfTrial(state)?.exitCode, undefined);
});

test("a child that was killed is told by its signal", () => {
  const state = oneTrial();
  look(state, {
    inAccounting: seen("failed", { exitCode: 9 }),
    record: record({ exitCode: 137, endedAt: START }),
  });
  assert.equal(endingOfTrial(state)?.cause, "signal");
  assert.equal(endingOfTrial(state)?.signal, "KILL");
});

test("a launch that failed before the script ran is a launch failure", () => {
  const state = oneTrial();
  look(state, { inAccounting: seen("failed", { exitCode: 0, signal: 53 }) });
  assert.equal(endingOfTrial(state)?.cause, "launch-failure");
});

test("a kill for memory inside a script that exits 0 is corrected from completed to out of memory", () => {
  const state = oneTrial();
  const own = record({ exitCode: 0, endedAt: START + 100 });
  look(state, { queue: DOWN, accounting: DOWN, record: own });
  assert.equal(statusOf(state, 0), "completed");
  look(state, { at: START + 1000, inAccounting: seen("out-of-memory"), record: own });
  assert.equal(statusOf(state, 0), "failed");
  assert.equal(endingOfTrial(state)?.cause, "out-of-memory");
});

test("a record with a signal concludes nothing while the scheduler can still tell the cause", () => {
  const state = oneTrial();
  const told = record({ signals: ["TERM"], exitCode: 143, endedAt: START + 100 });
  look(state, { inQueue: seen("running", { startedAt: START }) });
  look(state, { at: START + 1000, queue: DOWN, accounting: DOWN, record: told });
  assert.equal(statusOf(state, 0), "running");
  look(state, { at: START + 2000, inAccounting: seen("timeout"), record: told });
  assert.equal(endingOfTrial(state)?.cause, "timeout");
});

test("without accounting a signalled record past its time limit is a time-out after the grace", () => {
  const state = oneTrial();
  const ended = START + 3_660_000;
  const told = record({ signals: ["TERM"], exitCode: 143, endedAt: ended });
  look(state, { at: ended, accounting: ABSENT, record: told });
  assert.equal(statusOf(state, 0), "unknown");
  look(state, { at: ended + ACCOUNTING_LAG_MS, accounting: ABSENT, record: told });
  assert.equal(endingOfTrial(state)?.cause, "timeout");
});

test("without accounting a job killed after it was told to end is a time-out, a cancel or a TERM", () => {
  const ends = (ranSeconds: number) => {
    const told = record({ signals: ["TERM"], aliveAt: START + ranSeconds * 1000 });
    return { at: told.aliveAt + ACCOUNTING_LAG_MS, accounting: ABSENT, record: told };
  };
  const late = oneTrial();
  // A prolog took three seconds of the hour, so the job saw less than its limit.
  look(late, ends(3_597));
  assert.equal(endingOfTrial(late)?.cause, "timeout");
  const other = oneTrial();
  look(other, ends(60));
  assert.deepEqual([endingOfTrial(other)?.cause, endingOfTrial(other)?.signal], ["signal", "TERM"]);
  const stopped = oneTrial();
  add(stopped, { type: "cancel-sent", indices: [0], ok: true }, START);
  look(stopped, ends(60));
  assert.equal(endingOfTrial(stopped)?.cause, "cancelled");
  // Right after its last sign of life it may be on its way into the queue again.
  const fresh = oneTrial();
  look(fresh, { ...ends(60), at: START + 61_000 });
  assert.equal(statusOf(fresh, 0), "unknown");
});

test("the end of a job during an outage is the record's, not the reconnection's", () => {
  const state = oneTrial();
  look(state, {
    inAccounting: seen("completed", { endedAt: START + 90_000 }),
    record: record({ exitCode: 0, endedAt: START + 4000 }),
  });
  assert.equal(state.attempts.get("s1/0")?.endedAt, START + 4000);
});

test("G.1.6: a job whose processes still save their state is running, whatever accounting says", () => {
  const state = oneTrial();
  const completing = seen("completing", { startedAt: START });
  const over = seen("cancelled", { endedAt: START + 1000, view: "accounting" });
  const saving = record({ signals: ["TERM"] });
  look(state, { inQueue: completing });
  assert.equal(statusOf(state, 0), "running");
  look(state, { at: START + 2000, inQueue: completing, inAccounting: over, record: saving });
  assert.equal(statusOf(state, 0), "running");
  look(state, { at: START + 3000, queue: DOWN, inAccounting: over, record: saving });
  assert.equal(statusOf(state, 0), "running");
  look(state, {
    at: START + 4000,
    inQueue: completing,
    inAccounting: over,
    record: record({ signals: ["TERM"], exitCode: 75, endedAt: START + 3500 }),
  });
  assert.equal(statusOf(state, 0), "cancelled");
});

test("a job that ended and whose node's daemon is dead is over by its own record, or after a grace", () => {
  const completing = seen("completing", { startedAt: START });
  const over = seen("completed", { endedAt: START + 1000, view: "accounting" });
  const byRecord = oneTrial();
  look(byRecord, {
    at: START + 2000,
    inQueue: completing,
    inAccounting: over,
    record: record({ exitCode: 0, endedAt: START + 900 }),
  });
  assert.equal(statusOf(byRecord, 0), "completed");
  const byGrace = oneTrial();
  look(byGrace, { at: START + 1000, inQueue: completing, inAccounting: over });
  assert.equal(statusOf(byGrace, 0), "running");
  look(byGrace, { at: START + 1000 + RUNAWAY_AFTER_MS, inQueue: completing, inAccounting: over });
  assert.equal(statusOf(byGrace, 0), "completed");
});

test("a state word of a later SLURM ends nothing", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("running", { startedAt: START }) });
  look(state, { inQueue: seen("unrecognised", { raw: "QUANTUM" }) });
  assert.equal(statusOf(state, 0), "running");
  assert.equal(state.attempts.get("s1/0")?.schedulerState, "QUANTUM");
});

test("usage that accounting owes is asked for and taken later", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("completed", { endedAt: START }), accounting: DOWN });
  assert.equal(state.attempts.get("s1/0")?.usageDue, true);
  const usage = {
    elapsedSeconds: 5,
    maxRssBytes: 1,
    aveRssBytes: 1,
    requestedMemoryBytes: 2,
    cpuSeconds: 3,
    allocatedCpus: 1,
  };
  look(state, { inAccounting: seen("completed", { endedAt: START, usage }) });
  assert.deepEqual(state.attempts.get("s1/0")?.usage, usage);
  assert.equal(state.attempts.get("s1/0")?.usageDue, false);
});

test("a job that found itself void counts as not submitted, and its trial is ready again", () => {
  const state = oneTrial();
  look(state, {
    inQueue: seen("completed"),
    record: record({ voided: true, startedAt: undefined }),
  });
  assert.equal(statusOf(state, 0), "ready");
});

test("intents decide between paused, pruned, cancelled and how it ended", () => {
  for (
    const [intent, cause, status] of [
      ["pause", "completed", "paused"],
      ["pause", "cancelled", "paused"],
      ["prune", "completed", "pruned"],
      ["prune", "failed", "pruned"],
      ["stop", "failed", "cancelled"],
      ["stop", "completed", "completed"],
    ] as const
  ) {
    const state = oneTrial();
    look(state, { inQueue: seen("running", { startedAt: START }) });
    add(state, { type: "intent-set", indices: [0], intent }, START);
    assert.equal(statusOf(state, 0), "running", "the wish is not the deed");
    look(state, { at: START + 9000, inAccounting: seen(cause) });
    assert.equal(statusOf(state, 0), status);
  }
});

test("a state survives its snapshot", () => {
  const state = oneTrial();
  look(state, { inQueue: seen("running", { startedAt: START }) });
  const back = fromPlain(JSON.parse(JSON.stringify(toPlain(state))));
  assert.deepEqual(JSON.stringify(toPlain(back)), JSON.stringify(toPlain(state)));
  assert.equal(statusOf(back, 0), "running");
  look(back, { inAccounting: seen("failed") });
  assert.equal(statusOf(back, 0), "failed");
});

const KIB = 1024;
const ASKED = {
  elapsedSeconds: 1,
  maxRssBytes: undefined,
  aveRssBytes: undefined,
  requestedMemoryBytes: 100 * KIB,
  cpuSeconds: 1,
  allocatedCpus: 2,
};

test("where accounting took no sample of its memory, the job's own peak counts", () => {
  const state = oneTrial();
  const ended = record({ exitCode: 0, endedAt: START + 900, peakBytes: 60 * KIB });
  look(state, { accounting: DOWN, record: ended });
  assert.equal(state.attempts.get("s1/0")?.usage?.maxRssBytes, 60 * KIB, "by its own word");
  assert.equal(state.attempts.get("s1/0")?.usageDue, true, "accounting knows more");
  const inAccounting = seen("completed", { endedAt: START, usage: ASKED });
  look(state, { inAccounting, record: ended });
  assert.deepEqual(state.attempts.get("s1/0")?.usage, { ...ASKED, maxRssBytes: 60 * KIB });
  assert.equal(state.attempts.get("s1/0")?.usageDue, false);
});

test("a sample of accounting's is better than the peak, which holds cached files too", () => {
  const state = oneTrial();
  const ended = record({ exitCode: 0, endedAt: START + 900, peakBytes: 60 * KIB });
  const usage = { ...ASKED, maxRssBytes: 20 * KIB };
  look(state, { inAccounting: seen("completed", { endedAt: START, usage }), record: ended });
  assert.equal(state.attempts.get("s1/0")?.usage?.maxRssBytes, 20 * KIB);
});

test("of a job that was killed for memory the larger figure counts: the sample came before", () => {
  const state = oneTrial();
  const ended = record({ exitCode: 137, endedAt: START + 900, peakBytes: 100 * KIB });
  const usage = { ...ASKED, maxRssBytes: 20 * KIB };
  look(state, { inAccounting: seen("out-of-memory", { endedAt: START, usage }), record: ended });
  assert.equal(state.attempts.get("s1/0")?.usage?.maxRssBytes, 100 * KIB);
});

test("without any figure the limit that it reached is told, and no figure is made up", () => {
  const state = oneTrial();
  look(state, {
    inAccounting: seen("out-of-memory", { endedAt: START, usage: ASKED }),
    record: record({ exitCode: 137, endedAt: START + 900 }),
  });
  const attempt = state.attempts.get("s1/0")!;
  assert.equal(attempt.usage?.maxRssBytes, undefined);
  assert.equal(describeEnding(attempt), "out of memory, reached its limit of 100K");
  assert.equal(describeEnding({ ...attempt, usage: undefined }), "out of memory");
});
