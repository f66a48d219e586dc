import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobRecord, Look } from "../../../lib/sweep/sighting.ts";
import { apply, emptyState } from "../../../lib/sweep/state.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import type { AttemptChange, Happening } from "../../../lib/sweep/event.ts";
import { transitions } from "../../../lib/sweep/transition.ts";

const NOT_ASKED = { answered: false, reason: "not-asked", message: "records only" } as const;

function look(): Look {
  return {
    at: 100_000,
    queue: NOT_ASKED,
    accounting: NOT_ASKED,
    inQueue: new Map(),
    inAccounting: new Map(),
  };
}

function record(change: Partial<JobRecord>): JobRecord {
  return {
    submission: "s",
    task: 0,
    startedAt: undefined,
    restart: 0,
    node: "n1",
    aliveAt: 50_000,
    signals: [],
    exitCode: undefined,
    endedAt: undefined,
    voided: false,
    ...change,
  };
}

function submitted(change: Partial<AttemptChange> = {}): SweepState {
  const state = emptyState();
  const whats: Happening[] = [
    {
      type: "trials-added",
      trials: [{
        index: 0,
        key: "k",
        name: "t",
        params: {},
        extras: {},
        resources: {},
        conditions: [],
      }],
    },
    {
      type: "submission-intended",
      submission: "s",
      scheduler: "slurm",
      jobName: "j",
      fixed: "f",
      tasks: [{ task: 0, trial: 0, attempt: 1, as: "a" }],
      timeSeconds: 60,
    },
    { type: "submission-accepted", submission: "s", jobId: "7" },
    {
      type: "attempts-changed",
      changes: [{ submission: "s", task: 0, phase: "queued", reason: "Resources", ...change }],
    },
  ];
  whats.forEach((what, i) => apply(state, { v: 1, seq: i + 1, at: i, by: "test", what }));
  return state;
}

function changesBy(state: SweepState, one: JobRecord): AttemptChange[] {
  const records = new Map([["s/0", one]]);
  return transitions(state, { scheduler: "slurm", look: look(), records });
}

test("a record alone tells a start, and the reason for waiting is past", () => {
  const [change] = changesBy(submitted(), record({ startedAt: 40_000 }));
  assert.equal(change?.phase, "running");
  assert.equal(change?.reason, null);
});

test("a record alone tells a success and a failure by the program's own code", () => {
  for (const [exitCode, cause] of [[0, "completed"], [3, "exit"]] as const) {
    const ended = record({ startedAt: 40_000, exitCode, endedAt: 45_000 });
    const [change] = changesBy(submitted(), ended);
    assert.equal(change?.phase, "ended");
    assert.equal(change?.ending?.cause, cause);
    assert.equal(change?.ending?.source, "record");
  }
});

test("after a requeue what the job wrote in its earlier life is neither a start nor an end", () => {
  const state = submitted({ restarts: 1 });
  assert.deepEqual(changesBy(state, record({ startedAt: 40_000 })), []);
  assert.deepEqual(
    changesBy(state, record({ startedAt: 40_000, exitCode: 3, endedAt: 45_000 })),
    [],
  );
});

test("silence of the records says nothing: a job that wrote nothing stays as it was", () => {
  const state = submitted({ phase: "running" });
  assert.deepEqual(
    transitions(state, { scheduler: "slurm", look: look(), records: new Map() }),
    [],
  );
});
