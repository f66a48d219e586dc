import assert from "node:assert/strict";
import { test } from "node:test";
import { attemptKey } from "../../../lib/sweep/event.ts";
import type { JobRecord } from "../../../lib/sweep/sighting.ts";
import { silenceNote, silences, SILENT_AFTER_MS } from "../../../lib/sweep/silence.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import type { Observation } from "../../../lib/sweep/transition.ts";
import { trialViews } from "../../../lib/sweep/view.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";

const NOW = 10_000_000;

function running(schedulerState = "RUNNING"): SweepState {
  const state = stateOf(submittedSweep(1));
  const change = { submission: "s1", task: 0, phase: "running" as const, schedulerState };
  add(state, { type: "attempts-changed", changes: [change] }, NOW);
  return state;
}

function seen(more: Partial<JobRecord>): Observation[] {
  const record: JobRecord = {
    submission: "s1",
    task: 0,
    startedAt: 1_000,
    restart: 0,
    node: "n1",
    aliveAt: NOW,
    signals: [],
    exitCode: undefined,
    endedAt: undefined,
    voided: false,
    ...more,
  };
  const answered = { answered: true } as const;
  const look = {
    at: NOW,
    queue: answered,
    accounting: answered,
    inQueue: new Map(),
    inAccounting: new Map(),
  };
  return [{ scheduler: "slurm", look, records: new Map([[attemptKey("s1", 0), record]]) }];
}

test("a running job without a sign of life for more than ten heartbeats gets a word", () => {
  const silentMs = (aliveAt: number) => silences(running(), seen({ aliveAt }), NOW).get(0);
  assert.equal(silentMs(NOW - 40_000), 40_000);
  assert.equal(silenceNote(silentMs(NOW - SILENT_AFTER_MS)), undefined);
  assert.equal(silenceNote(silentMs(NOW - SILENT_AFTER_MS - 1)), "no sign of life for 5 min");
  const [view] = trialViews(running(), { silent: new Map([[0, 12 * 60_000 + 59_000]]) });
  assert.equal(view?.note, "no sign of life for 12 min");
  assert.equal(view?.status, "running");
});

test("while nothing that jobs write can be fetched their silence does not grow", () => {
  const [one] = seen({ aliveAt: NOW - 40_000 });
  const heard = { ...one!, look: { ...one!.look, heardAt: NOW - 30_000 } };
  assert.equal(silences(running(), [heard], NOW).get(0), 10_000);
  assert.equal(silences(running(), [heard], NOW + 7_200_000).get(0), 10_000);
  const never = { ...one!, look: { ...one!.look, heardAt: 0 } };
  assert.equal(silences(running(), [never], NOW).get(0), 0);
});

test("long silences are told in hours and days", () => {
  assert.equal(silenceNote(119 * 60_000), "no sign of life for 119 min");
  assert.equal(silenceNote(120 * 60_000), "no sign of life for 2 h");
  assert.equal(silenceNote(72 * 3_600_000), "no sign of life for 3 days");
});

test("a file server whose clock is ahead makes no negative silence", () => {
  assert.equal(silences(running(), seen({ aliveAt: NOW + 5_000 }), NOW).get(0), 0);
});

test("jobs that are suspended, have ended, or write no record are not said to be silent", () => {
  const old = { aliveAt: 1_000 };
  assert.equal(silences(running("SUSPENDED"), seen(old), NOW).size, 0);
  assert.equal(silences(running(), seen({ ...old, endedAt: 2_000 }), NOW).size, 0);
  assert.equal(silences(running(), seen({ ...old, startedAt: undefined }), NOW).size, 0);
  assert.equal(silences(running(), [], NOW).size, 0);
  assert.equal(silences(stateOf(submittedSweep(1)), seen(old), NOW).size, 0);
});
