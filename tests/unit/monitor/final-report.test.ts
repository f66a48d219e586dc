import assert from "node:assert/strict";
import { test } from "node:test";
import { finalReport, finalReportText } from "../../../lib/monitor/final-report.ts";
import { plateau, trialsSinceBest } from "../../../lib/monitor/plateau.ts";
import type { Finished } from "../../../lib/monitor/plateau.ts";
import type { Cause } from "../../../lib/sweep/attempt.ts";
import { emptyMonitorState } from "../../../lib/sweep/monitor-state.ts";
import { trialViews } from "../../../lib/sweep/view.ts";
import { add, stateOf, submittedSweep } from "../../support/journal-of.ts";

const CAUSES: Cause[] = ["completed", "completed", "completed", "exit", "out-of-memory", "exit"];
const OBJECTIVE = { metric: "val_acc", direction: "max" as const };

function sweep(causes: readonly Cause[] = CAUSES) {
  const state = stateOf(submittedSweep(causes.length));
  const changes = causes.map((cause, task) => ({
    submission: "s1",
    task,
    phase: "ended" as const,
    startedAt: 2_000_000,
    endedAt: 2_000_000 + 3_600_000,
    ending: { cause, exitCode: 1, signal: undefined, source: "both" as const },
  }));
  add(state, { type: "attempts-changed", changes }, 2_000_000);
  return trialViews(state);
}

test("the report has the best trials, failures by cause and the cost, in sentences", () => {
  const monitor = emptyMonitorState();
  monitor.ticks = 12;
  monitor.spent = { ...monitor.spent, calls: 3, usd: 0.4251, unpriced: 1 };
  const values = new Map([[0, 0.5], [1, null], [2, 0.91234567], [3, 0.99]]);
  const report = finalReport({ views: sweep(), objective: OBJECTIVE, values, monitor, now: 9e9 });
  assert.deepEqual(report.best.map(({ trial }) => trial), [2, 0]);
  assert.deepEqual(report.failures.map(({ trials }) => trials), [[3, 5], [4]]);
  assert.equal(report.computeSeconds, 6 * 3600);
  assert.equal(
    finalReportText(report, OBJECTIVE),
    [
      "The sweep is over: 6 trials, 3 failed, 3 completed.",
      "Best val_acc:",
      "1. trial 2: 0.91235 (lr=2)",
      "2. trial 0: 0.5 (lr=0)",
      "Trials 3,5 failed: exit 1.",
      "Trial 4 failed: out of memory.",
      "The trials ran for 6h in all. The monitor took 12 ticks and 3 calls to a model for $0.43 (without 1 call of unknown price).",
    ].join("\n"),
  );
});

test("a verdict's headline names the cause, cut to a line, and applied bumps are told", () => {
  const monitor = emptyMonitorState();
  monitor.verdicts["s1/0"] = {
    attempt: "s1/0",
    trial: 0,
    failure: "exception",
    fingerprint: undefined,
    headline: `ValueError:\n${"x".repeat(500)}`,
    decision: "notify",
    why: "",
    at: 1,
  };
  const bump = { failure: undefined, at: 1, by: "rules" };
  monitor.bumps = [
    { ...bump, id: "a", what: "memory", from: 8192, to: 12_288, trials: "sweep", applied: true },
    { ...bump, id: "b", what: "time", from: 3600, to: 5400, trials: [3], applied: true },
    { ...bump, id: "c", what: "time", from: 3600, to: 5400, trials: [4], applied: false },
  ];
  const report = finalReport({
    views: sweep(["exit"]),
    objective: "none",
    values: new Map(),
    monitor,
    now: 9e9,
  });
  const lines = finalReportText(report, "none").split("\n");
  assert.match(lines[1]!, /^Trial 0 failed: ValueError: x+…\.$/);
  assert.ok(lines[1]!.length < 200);
  assert.deepEqual(lines.slice(2, 4), [
    "Memory went from 8 GiB to 12 GiB.",
    "The time limit for trial 3 went from 1h to 1h 30m.",
  ]);
  assert.match(lines[4]!, /no call to a model\.$/);
});

test("a sweep whose trials logged no objective says so", () => {
  const report = finalReport({
    views: sweep(["completed"]),
    objective: OBJECTIVE,
    values: new Map([[0, NaN]]),
    monitor: emptyMonitorState(),
    now: 9e9,
  });
  assert.match(finalReportText(report, OBJECTIVE), /No completed trial logged val_acc\./);
});

function finished(...values: (number | null)[]): Finished[] {
  return values.map((value, trial) => ({ trial, value, endedAt: 1_000 + trial }));
}

test("a plateau counts the completed trials since the best, in the order of their ends", () => {
  assert.equal(trialsSinceBest([], "max"), undefined);
  assert.equal(trialsSinceBest(finished(null, null), "max"), undefined);
  assert.equal(trialsSinceBest(finished(1, 3, 2, null, 3), "max"), 3);
  assert.equal(trialsSinceBest(finished(3, 1, 2), "min"), 1);
  assert.equal(trialsSinceBest(finished(1, 3, 2).reverse(), "max"), 1);
});

test("only a plan that asks about a plateau has one, after as many trials as it says", () => {
  const flat = finished(5, 1, 1, 1);
  assert.equal(plateau("", flat, "max"), false);
  assert.equal(plateau("Be kind.", flat, "max"), false);
  assert.equal(plateau("Tell me if it plateaus over 3 trials", flat, "max"), true);
  assert.equal(plateau("Tell me if it stops improving for 4 trials", flat, "max"), false);
  assert.equal(plateau("warn me on a plateau", flat, "max"), false);
  assert.equal(plateau("warn me on a plateau", finished(9, ...Array(10).fill(1)), "max"), true);
});
