import assert from "node:assert/strict";
import { test } from "node:test";
import { classifyBoot } from "../../../lib/monitor/boot.ts";
import type { Cause } from "../../../lib/sweep/attempt.ts";
import type { SweepState } from "../../../lib/sweep/state.ts";
import { emptyState } from "../../../lib/sweep/state.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";

function ended(n: number, causes: readonly Cause[]): SweepState {
  const state = stateOf(submittedSweep(n));
  const changes = causes.map((cause, task) => ({
    submission: "s1",
    task,
    phase: "ended" as const,
    ending: { cause, exitCode: 1, signal: undefined, source: "both" as const },
  }));
  add(state, { type: "attempts-changed", changes }, 2_000_000);
  return state;
}

test("a sweep without trials, and one of which nothing was submitted, are greenfield", () => {
  assert.equal(classifyBoot(emptyState(), 0), "greenfield");
  assert.equal(classifyBoot(emptyState(), 4), "greenfield");
  assert.equal(classifyBoot(stateOf(submittedSweep(3).slice(0, 1)), 3), "greenfield");
});

test("a submission that never arrived leaves a sweep greenfield", () => {
  const state = stateOf(submittedSweep(2).slice(0, 2));
  add(state, { type: "submission-ended", submission: "s1", why: "refused", detail: "no" }, 1);
  assert.equal(classifyBoot(state, 2), "greenfield");
});

test("a submission whose answer is not known yet is no greenfield: its jobs may run", () => {
  assert.equal(classifyBoot(stateOf(submittedSweep(2).slice(0, 2)), 2), "hot-reload");
});

test("live trials, and finished ones beside ready ones, are a hot reload", () => {
  assert.equal(classifyBoot(stateOf(submittedSweep(2)), 2), "hot-reload");
  const some = stateOf([...submittedSweep(2)]);
  assert.equal(classifyBoot(some, 2), "hot-reload");
  assert.equal(classifyBoot(ended(2, ["completed", "exit"]), 3), "hot-reload");
});

test("trials that all came to an end are a post-mortem, whatever the end", () => {
  assert.equal(classifyBoot(ended(3, ["completed", "exit", "cancelled"]), 3), "post-mortem");
});

test("a paused trial has not come to its end", () => {
  const state = ended(2, ["completed", "cancelled"]);
  add(state, { type: "intent-set", indices: [1], intent: "pause" }, 3_000_000);
  assert.equal(classifyBoot(state, 2), "hot-reload");
});

test("trials that were all set aside before they ran are not started by a boot", () => {
  const state = stateOf(submittedSweep(2).slice(0, 1));
  add(state, { type: "intent-set", indices: [0, 1], intent: "prune" }, 3_000_000);
  assert.equal(classifyBoot(state, 2), "post-mortem");
});
