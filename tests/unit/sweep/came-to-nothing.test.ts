import assert from "node:assert/strict";
import { test } from "node:test";
import type { Happening } from "../../../lib/sweep/event.ts";
import { trialViews } from "../../../lib/sweep/view.ts";
import { stateOf, submittedSweep } from "../../support/journal-of.ts";

const [added, intended, accepted] = submittedSweep(1) as [Happening, Happening, Happening];

function viewAfter(...happenings: Happening[]) {
  const { status, attempts, cameToNothing } = trialViews(stateOf([added, ...happenings]))[0]!;
  return { status, attempts, cameToNothing };
}

function ended(submission: string): Happening {
  return { type: "submission-ended", submission, why: "never-arrived", detail: "" };
}

test("a submission that never arrived is no attempt, and `run --wait` can tell that it has to be made again", () => {
  assert.deepEqual(viewAfter(), { status: "ready", attempts: 0, cameToNothing: false });
  assert.deepEqual(viewAfter(intended, accepted), {
    status: "submitted",
    attempts: 1,
    cameToNothing: false,
  });
  assert.deepEqual(viewAfter(intended, ended("s1")), {
    status: "ready",
    attempts: 0,
    cameToNothing: true,
  });
});

test("a failed trial whose second submission never arrived has failed once and waits to be submitted", () => {
  const ending = { cause: "exit", exitCode: 1, signal: undefined, source: "scheduler" } as const;
  const failed: Happening = {
    type: "attempts-changed",
    changes: [{ submission: "s1", task: 0, phase: "ended", ending }],
  };
  const again: Happening = { ...intended, submission: "s2" } as Happening;
  assert.deepEqual(viewAfter(intended, accepted, failed, again, ended("s2")), {
    status: "failed",
    attempts: 1,
    cameToNothing: true,
  });
});
