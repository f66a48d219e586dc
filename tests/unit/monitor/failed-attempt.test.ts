import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIRM_MS, unjudged } from "../../../lib/monitor/failed-attempt.ts";
import type { Cause, Ending } from "../../../lib/sweep/attempt.ts";
import type { AttemptChange } from "../../../lib/sweep/event.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";

const AT = 2_000_000;

function ended(task: number, cause: Cause, more: Partial<AttemptChange> = {}): AttemptChange {
  const ending: Ending = { cause, exitCode: 1, signal: undefined, source: "both" };
  return { submission: "s1", task, phase: "ended", ending, endedAt: AT, ...more };
}

test("Only failures are to be judged: not what was stopped, paused, pruned or goes on", () => {
  const state = stateOf(submittedSweep(8));
  add(state, { type: "intent-set", indices: [3], intent: "pause" }, AT);
  add(state, { type: "intent-set", indices: [4], intent: "prune" }, AT);
  add(state, { type: "intent-set", indices: [5], intent: "stop" }, AT);
  const changes = [
    ended(0, "completed"),
    ended(1, "exit"),
    ended(2, "cancelled"),
    ended(3, "exit"),
    ended(4, "exit"),
    ended(5, "exit"),
    ended(6, "preempted", { phase: "queued", ending: null }),
    ended(7, "timeout"),
  ];
  add(state, { type: "attempts-changed", changes }, AT);
  const found = unjudged(state, AT);
  assert.deepEqual(found.map(({ key, timeSeconds }) => [key, timeSeconds]), [
    ["s1/1", 3600],
    ["s1/7", 3600],
  ]);
});

test("G.1.9: a judged attempt is not judged again, whoever looked at it between", () => {
  const state = stateOf(submittedSweep(2));
  add(state, { type: "attempts-changed", changes: [ended(0, "exit"), ended(1, "exit")] }, AT);
  const verdict = {
    attempt: "s1/0",
    trial: 0,
    failure: "exception",
    fingerprint: "E:1",
    headline: "E",
    decision: "notify",
    why: "W",
  } as const;
  add(state, { type: "triaged", verdicts: [verdict] }, AT);
  assert.deepEqual(unjudged(state, AT).map(({ key }) => key), ["s1/1"]);
});

test("The scheduler gets a moment to correct what the job's record says of its end", () => {
  const state = stateOf(submittedSweep(1));
  const ending: Ending = { cause: "exit", exitCode: 1, signal: undefined, source: "record" };
  add(
    state,
    { type: "attempts-changed", changes: [ended(0, "exit", { ending, usageDue: true })] },
    AT,
  );
  assert.equal(unjudged(state, AT + CONFIRM_MS - 1).length, 0);
  assert.equal(unjudged(state, AT + CONFIRM_MS).length, 1);
  // Where there is no accounting nobody will.
  add(
    state,
    { type: "attempts-changed", changes: [ended(0, "exit", { ending, usageDue: false })] },
    AT,
  );
  assert.equal(unjudged(state, AT).length, 1);
});
