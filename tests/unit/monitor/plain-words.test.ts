import assert from "node:assert/strict";
import { test } from "node:test";
import { helpForUnclear, plainWords } from "../../../lib/monitor/plain-words.ts";
import { readMemory, readSpan, readTimeLimit } from "../../../lib/monitor/quantity-words.ts";

function requests(said: Record<string, unknown>): void {
  for (const [text, request] of Object.entries(said)) {
    assert.deepEqual(plainWords(text), { request }, text);
  }
}

test("pause, stop and halt end the loop", () => {
  for (
    const text of ["pause", "Stop", "HALT!", "please stop", "stop it now", "halt.", "stop, please"]
  ) {
    assert.deepEqual(plainWords(text), { intent: "pause" }, text);
  }
});

test("to stop everything may mean the monitor or its trials, and is asked back", () => {
  for (const text of ["stop everything", "cancel the sweep", "halt the whole sweep"]) {
    const words = plainWords(text);
    assert.ok(words !== undefined && "unclear" in words, text);
  }
});

test("a word inside a longer sentence is no command", () => {
  for (
    const text of [
      "don't stop",
      "why did trial 3 stop?",
      "stop?",
      "should I stop",
      "pause until tomorrow",
      "stop trying to bump mem to 16G",
      "the log says: cancel 3",
      "do not cancel 3",
      "cancel 3 if it gets worse",
      "bump mem to 16G only if it fails again",
      "why is idx 3 stuck?",
      "stop\nbut not before the evening",
      "yes but not trial 4",
      "no problem",
      "continue with the second plan",
      "cancel my subscription",
      "/status",
      "/stop",
      "",
      "   ",
      "x".repeat(10_000),
    ]
  ) assert.equal(plainWords(text), undefined, text);
});

test("bumps of memory and time are read with amounts, trials and the resubmission", () => {
  const mem = { verb: "bump", what: "memory", resubmit: true };
  const time = { verb: "bump", what: "time", resubmit: true };
  requests({
    "bump mem to 16G": { ...mem, to: 16_384 },
    "please bump mem to 16G and resubmit failed trials": { ...mem, to: 16_384 },
    "Bump memory to 1500 MB": { ...mem, to: 1_500 },
    "increase the memory by 25 %": { ...mem, percent: 25 },
    "double the memory": { ...mem, percent: 100 },
    "bump time by 50%": { ...time, percent: 50 },
    "bump time": { ...time, percent: 50 },
    "give it more time": { ...time, percent: 50 },
    "give it more memory": { ...mem, percent: 50 },
    "bump time to 2h": { ...time, to: 7_200 },
    "raise slurm.time to 1h30m": { ...time, to: 5_400 },
    "set time limit to 1-12:00:00": { ...time, to: 129_600 },
    "bump time to 90 minutes for trial 3": { ...time, to: 5_400, trials: [3] },
    "bump mem by 50% for trials 3, 5 and 7 and retry them": {
      ...mem,
      percent: 50,
      trials: [3, 5, 7],
    },
  });
  assert.deepEqual(plainWords("bump time", { bumpPercent: 20 }), {
    request: { ...time, percent: 20 },
  });
});

test("G.1.10: a number without a unit is asked back, and odd amounts are never guessed", () => {
  for (const text of ["bump mem to 16", "bump time to 60", "bump time to 1:30"]) {
    const words = plainWords(text);
    assert.ok(words !== undefined && "unclear" in words, text);
    assert.match(words.unclear, /unit/);
  }
  for (
    const text of [
      "bump mem to lots",
      "bump mem by 0%",
      "bump mem by -50%",
      "bump mem by 50",
      "set mem",
      "bump mem to 0",
      "bump time to unlimited",
      "bump time to 0h",
      "bump gpus to 4",
      "bump mem to 99999999T",
    ]
  ) assert.equal(plainWords(text), undefined, text);
});

test("single trials are retried, cancelled, paused, resumed and pruned", () => {
  requests({
    "cancel 3": { verb: "stop", indices: [3] },
    "cancel trial #3": { verb: "stop", indices: [3] },
    "stop trials 3-5": { verb: "stop", indices: [3, 4, 5] },
    "retry 4": { verb: "run", indices: [4] },
    "rerun 4 and 6": { verb: "run", indices: [4, 6] },
    "pause 1": { verb: "pause", indices: [1] },
    "resume 1,2": { verb: "resume", indices: [1, 2] },
    "prune idx 9": { verb: "prune", indices: [9] },
    "cancel all trials": { verb: "stop", indices: "all" },
    "continue": { verb: "continue" },
    "ok, go on": { verb: "continue" },
    "run the rest": { verb: "run" },
    "tick every 10 min": { verb: "schedule", seconds: 600 },
    "check back in an hour": { verb: "schedule", seconds: 3_600 },
  });
  assert.deepEqual(plainWords("please retry failed trials"), { intent: "retry-failed" });
  assert.equal(plainWords("cancel 0-99999999"), undefined);
  assert.equal(plainWords("cancel 5-3"), undefined);
});

test("a summary is asked for in many ways", () => {
  for (const text of ["how's it going?", "How’s it going", "status", "any news?", "what's up?"]) {
    assert.deepEqual(plainWords(text), { intent: "status" }, text);
  }
});

test("the metric is set, with its direction where the name says it", () => {
  const said: [string, string, string | undefined][] = [
    ["set metric to val_acc", "val_acc", "max"],
    ["set the metric to val/Loss", "val/Loss", "min"],
    ["use my_metric as the metric", "my_metric", undefined],
    ["set metric to minimize foo", "foo", "min"],
    ["maximize foo", "foo", "max"],
    ["set metric to none", "none", undefined],
  ];
  for (const [text, metric, direction] of said) {
    assert.deepEqual(plainWords(text), { intent: "metric", metric, direction }, text);
  }
});

test("yes and no answer what was asked, by its id when one is named", () => {
  assert.deepEqual(plainWords("yes"), { intent: "yes", which: undefined });
  assert.deepEqual(plainWords("Yes 3."), { intent: "yes", which: "3" });
  assert.deepEqual(plainWords("no c-17"), { intent: "no", which: "c-17" });
  assert.deepEqual(plainWords("No!"), { intent: "no", which: undefined });
  assert.equal(plainWords("yes?"), undefined);
});

test("spans need units", () => {
  assert.equal(readSpan("1 hour and 30 minutes"), 5_400);
  assert.equal(readSpan("2 days"), 172_800);
  for (const text of ["10", "ten minutes", "5 and", "5 parsecs", "", "-5 min"]) {
    assert.equal(readSpan(text), undefined, text);
  }
  assert.equal(readTimeLimit("04:00:00"), 14_400);
  assert.equal(readMemory("16 gigs"), 16_384);
});

test("the help lists phrases that are understood", () => {
  const quoted = [...helpForUnclear().matchAll(/"([^"]+)"/g)].map(([, phrase]) => phrase!);
  assert.ok(quoted.length > 10);
  for (const phrase of quoted) assert.notEqual(plainWords(phrase), undefined, phrase);
});
