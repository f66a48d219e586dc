import assert from "node:assert/strict";
import { test } from "node:test";
import { createDrift } from "../../../lib/sweep/drift.ts";
import { overdue } from "../../../lib/sweep/enforce.ts";
import type { CarriedAttempt, Happening } from "../../../lib/sweep/event.ts";
import { taskKey } from "../../../lib/sweep/sighting.ts";
import type { Answer, SeenState, Sighting } from "../../../lib/sweep/sighting.ts";
import { latestAttempt } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { statusOf } from "../../../lib/sweep/status.ts";
import { transitions } from "../../../lib/sweep/transition.ts";
import { viewOf } from "../../../lib/sweep/view.ts";
import { add, stateOf } from "../../support/journal-of.ts";
import { seen as seenOf7 } from "../../support/scene.ts";

const YES: Answer = { answered: true };
const DOWN: Answer = { answered: false, reason: "unreachable", message: "connect failure" };
const ABSENT: Answer = { answered: false, reason: "absent", message: "no sacct" };
const START = 2_000_000;
const NAME = "hyperherd_test";

function seen(state: SeenState, more: Partial<Sighting> = {}): Sighting {
  return seenOf7(state, { jobName: NAME, view: "accounting", ...more });
}

/** One trial of HyperHerd's with job 7, carried over at `START`. */
function carried(
  status: string,
  { cause, jobName = NAME, attempts = 1 }: {
    cause?: CarriedAttempt["cause"];
    jobName?: string;
    attempts?: number;
  } = {},
): SweepState {
  const intent = { cancelled: "stop", paused: "pause", pruned: "prune" }[status];
  const list = Array.from({ length: attempts }, (_, i) => ({
    trial: 0,
    number: i + 1,
    jobId: `${8 - attempts + i}`,
    task: 0,
    ...(cause === undefined || i < attempts - 1 ? {} : { cause }),
  }));
  const whats: Happening[] = [
    {
      type: "trials-added",
      trials: [{
        index: 0,
        key: "0",
        params: { x: 1 },
        extras: {},
        resources: {},
        name: "x-1",
        conditions: [],
      }],
    },
    {
      type: "carried-over",
      attempts: list,
      statuses: { 0: status },
      ...(jobName === "" ? {} : { jobName }),
    },
  ];
  if (intent !== undefined) {
    whats.push({
      type: "intent-set",
      indices: [0],
      intent: intent as "stop",
      reason: "carried over from HyperHerd",
    });
  }
  const state = stateOf([]);
  for (const what of whats) add(state, what, START);
  return state;
}

function look(
  state: SweepState,
  scene: {
    after?: number;
    queue?: Answer;
    accounting?: Answer;
    inQueue?: Sighting;
    inAccounting?: Sighting;
  } = {},
): string {
  const one = (sighting: Sighting | undefined) =>
    new Map(sighting === undefined ? [] : [[taskKey(sighting.jobId, sighting.task), sighting]]);
  const at = START + (scene.after ?? 10);
  const changes = transitions(state, {
    scheduler: "slurm",
    look: {
      at,
      queue: scene.queue ?? YES,
      accounting: scene.accounting ?? YES,
      inQueue: one(scene.inQueue),
      inAccounting: one(scene.inAccounting),
    },
    records: new Map(),
  });
  if (changes.length > 0) add(state, { type: "attempts-changed", changes }, at);
  return statusOf(state, 0);
}

const STRANGER = { jobName: "hyperherd_another" };
const DAY = 24 * 3_600_000;

for (const status of ["submitted", "queued", "running"]) {
  test(`${status} by HyperHerd and in no view under its name: unknown however long, never cancelled`, () => {
    const state = carried(status);
    const stranger = seen("running", { ...STRANGER, view: "queue" });
    assert.equal(
      look(state, { inQueue: stranger, inAccounting: seen("running", STRANGER) }),
      "unknown",
    );
    assert.equal(
      look(state, { inAccounting: seen("completed", STRANGER), after: 60_000 }),
      "unknown",
    );
    assert.equal(look(state, { after: 2 * DAY }), "unknown");
    const { note } = viewOf(state, state.trials.get(0)!);
    assert.match(note!, new RegExp(`HyperHerd said ${status}.*\`herd stop 0\``));
    add(state, { type: "intent-set", indices: [0], intent: "stop" }, START + 3 * DAY);
    assert.deepEqual(overdue(state, START + 3 * DAY, 60), []);
    assert.equal(look(state, { inQueue: stranger, after: 3 * DAY }), "cancelled");
  });
}

test("a carried job that is seen under its name is followed, and cancelled when its user stops it", () => {
  const state = carried("submitted");
  assert.equal(look(state, { inQueue: seen("running", { view: "queue" }) }), "running");
  add(state, { type: "intent-set", indices: [0], intent: "stop" }, START + 50);
  assert.deepEqual(overdue(state, START + 60, 60), [0]);
});

test("G.1.5: what HyperHerd called cancelled and runs on is shown, and not cancelled for that", () => {
  const state = carried("cancelled");
  assert.equal(look(state, { inQueue: seen("running", { view: "queue" }) }), "running");
  assert.deepEqual(overdue(state, START + DAY, 60), []);
  assert.match(viewOf(state, state.trials.get(0)!).note!, /HyperHerd said cancelled/);
  assert.doesNotMatch(viewOf(state, state.trials.get(0)!).note!, /stopping/);
});

test("jobs of a journal from before names were carried are followed and never cancelled", () => {
  const state = carried("paused", { jobName: "" });
  assert.equal(look(state, { inQueue: seen("pending", { ...STRANGER, view: "queue" }) }), "queued");
  assert.deepEqual(overdue(state, START + DAY, 60), []);
  add(state, { type: "intent-set", indices: [0], intent: "stop" }, START + 50);
  assert.deepEqual(overdue(state, START + DAY, 60), []);
});

test("G.1.5: cancelled by HyperHerd and in neither view: cancelled at the first look", () => {
  assert.equal(look(carried("cancelled")), "cancelled");
  assert.equal(look(carried("cancelled"), { inAccounting: seen("cancelled") }), "cancelled");
  assert.equal(
    look(carried("cancelled"), { inAccounting: seen("completed", STRANGER) }),
    "cancelled",
  );
  assert.equal(look(carried("cancelled", { attempts: 2 })), "cancelled");
});

test("G.1.5: cancelled by HyperHerd is completed when accounting has it so", () => {
  const state = carried("cancelled");
  look(state, { inAccounting: seen("completed") });
  assert.equal(latestAttempt(state, 0)?.ending?.cause, "completed");
});

for (const accounting of [DOWN, ABSENT]) {
  test(`cancelled by HyperHerd and accounting ${accounting.reason}: unknown, with the way out`, () => {
    const state = carried("cancelled");
    assert.equal(look(state, { accounting }), "unknown");
    assert.equal(look(state, { accounting, after: DAY }), "unknown");
    const { note } = viewOf(state, state.trials.get(0)!);
    assert.match(note!, /HyperHerd said cancelled; /);
    add(state, { type: "intent-set", indices: [0], intent: "stop" }, START + 2 * DAY);
    const after = look(state, { accounting, after: 2 * DAY });
    assert.equal(after, accounting === ABSENT ? "cancelled" : "unknown");
  });
}

test("a silent queue says nothing of what HyperHerd called cancelled", () => {
  const state = carried("cancelled");
  assert.notEqual(look(state, { queue: DOWN }), "cancelled");
  assert.equal(latestAttempt(state, 0)?.ending, undefined);
});

for (const status of ["paused", "pruned"]) {
  test(`${status} by HyperHerd and in neither view: ${status}`, () => {
    assert.equal(look(carried(status)), status);
    assert.equal(look(carried(status), { accounting: ABSENT }), status);
    assert.notEqual(look(carried(status), { accounting: DOWN }), status);
  });
}

test("failed by HyperHerd after several attempts, and in neither view: failed", () => {
  const state = carried("failed", { attempts: 2 });
  look(state);
  assert.equal(look(state, { after: 60_000 }), "failed");
});

test("what ended is filled in by accounting: cause, code and use", () => {
  const usage = {
    elapsedSeconds: 61,
    maxRssBytes: 5e8,
    aveRssBytes: 5e8,
    requestedMemoryBytes: 5e8,
    cpuSeconds: 60,
    allocatedCpus: 1,
  };
  for (const state of ["out-of-memory", "timeout"] as const) {
    const sweep = carried("failed", { cause: "exit" });
    assert.equal(latestAttempt(sweep, 0)?.usageDue, true);
    assert.equal(look(sweep, { inAccounting: seen(state, { usage }) }), "failed");
    const attempt = latestAttempt(sweep, 0)!;
    assert.equal(attempt.ending?.cause, state);
    assert.equal(attempt.usage?.elapsedSeconds, 61);
    assert.equal(attempt.schedulerState, state.toUpperCase());
    assert.equal(attempt.usageDue, false);
  }
});

for (const [status, cause] of [["completed", "completed"], ["failed", "exit"]] as const) {
  test(`${status} by HyperHerd stays so by silence and by another job's row, and is asked for once`, () => {
    const unheard = carried(status, { cause });
    assert.equal(look(unheard, { accounting: DOWN }), status);
    assert.equal(latestAttempt(unheard, 0)?.usageDue, true, "it has not answered yet");
    for (const row of [undefined, seen("cancelled", STRANGER), seen("completed", STRANGER)]) {
      const state = carried(status, { cause });
      assert.equal(look(state, row === undefined ? {} : { inAccounting: row }), status);
      assert.equal(latestAttempt(state, 0)?.usageDue, false);
    }
    assert.equal(latestAttempt(carried(status, { cause, jobName: "" }), 0)?.usageDue, false);
  });
}

test("ten digits are what HyperHerd gave a trainer: they are no drift, other values are", () => {
  const definition = { defaults: {}, parameters: ["lr"], staticOverrides: [], fixed: "f" };
  const drift = createDrift({ previous: undefined, next: definition, launcher: "l" });
  const then = { params: { lr: 5.623413251903491e-05 }, extras: {}, ran: { fixed: "" } };
  assert.deepEqual(drift(then, { params: { lr: 5.623413252e-05 }, extras: {} }), []);
  assert.deepEqual(drift(then, { params: { lr: 5.623413251903491e-05 }, extras: {} }), []);
  assert.equal(drift(then, { params: { lr: 5.6234e-05 }, extras: {} }).length, 1);
});
