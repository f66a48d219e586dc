import { test } from "node:test";
import assert from "node:assert/strict";
import type { HalvingSettings } from "../../../lib/sweep/config.ts";
import type { RungDecision } from "../../../lib/sweep/event.ts";
import { planHalving, rungsOf } from "../../../lib/sweep/halving.ts";
import type { HalvingPlan, HalvingTrial } from "../../../lib/sweep/halving.ts";
import type { Point } from "../../../lib/sweep/metrics.ts";

const SYNC: HalvingSettings = {
  metric: "loss",
  direction: "min",
  minSteps: 10,
  budget: 40,
  eta: 2,
  mode: "sync",
};
const ASHA: HalvingSettings = { ...SYNC, mode: "asha" };

function curve(step: number, value: number | null): Point[] {
  return [{ step, value, at: step }];
}

function running(index: number, points: Point[], more: Partial<HalvingTrial> = {}): HalvingTrial {
  return { index, status: "running", intent: "run", alive: true, byHand: false, points, ...more };
}

function paused(index: number, points: Point[], more: Partial<HalvingTrial> = {}): HalvingTrial {
  return running(index, points, { status: "paused", intent: "pause", alive: false, ...more });
}

function plan(
  settings: HalvingSettings,
  trials: readonly HalvingTrial[],
  decisions: readonly RungDecision[] = [],
): HalvingPlan {
  return planHalving({ settings, trials, decisions });
}

/** The actions by name, with the trials they are about. */
function acts(made: HalvingPlan): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const { action, trial } of made.actions) {
    if (action !== "none") (found[action] ??= []).push(trial);
  }
  return found;
}

/** Trials as they are when the plan's actions have been carried out. */
function applied(trials: readonly HalvingTrial[], made: HalvingPlan): HalvingTrial[] {
  return trials.map((trial) => {
    switch (made.actions.find((action) => action.trial === trial.index)?.action) {
      case "prune":
        return { ...trial, status: "pruned", intent: "prune", alive: false };
      case "pause":
        return { ...trial, status: "paused", intent: "pause", alive: false };
      case "resume":
        return { ...trial, status: "submitted", intent: "run", alive: true };
      default:
        return trial;
    }
  });
}

test("rungs grow by eta up to the budget", () => {
  assert.deepEqual(rungsOf(SYNC), [10, 20, 40]);
  assert.deepEqual(rungsOf({ ...SYNC, eta: 3, budget: 100 }), [10, 30, 90]);
  assert.deepEqual(rungsOf({ ...SYNC, budget: 10 }), [10]);
});

for (const mode of ["sync", "asha"] as const) {
  for (const [eta, survivors] of [[2, 8], [3, 5], [4, 4]] as const) {
    test(`G.1.2: sixteen trials at a rung are cut once to ${survivors} (${mode}, eta ${eta}), however often it is planned`, () => {
      const settings = { ...SYNC, mode, eta, budget: 10 * eta };
      let trials = Array.from({ length: 16 }, (_, i) => running(i, curve(10, 16 - i)));
      const decisions: RungDecision[] = [];
      for (let pass = 0; pass < 5; pass++) {
        const made = plan(settings, trials, decisions);
        assert.equal(made.decisions.length, pass === 0 ? 16 : 0, `pass ${pass}`);
        if (pass > 0) assert.deepEqual(acts(made), {});
        decisions.push(...made.decisions);
        trials = applied(trials, made);
      }
      const left = trials.filter(({ status }) => status === "running").map(({ index }) => index);
      assert.deepEqual(left, Array.from({ length: survivors }, (_, i) => 16 - survivors + i));
    });
  }
}

test("G.1.3: asha with direction max keeps the best", () => {
  const trials = [0.1, 0.5, 0.7, 0.9].map((value, i) => running(i, curve(10, value)));
  assert.deepEqual(acts(plan({ ...ASHA, direction: "max" }, trials)), { prune: [0, 1] });
  assert.deepEqual(acts(plan(ASHA, trials)), { prune: [2, 3] });
  assert.deepEqual(acts(plan({ ...SYNC, direction: "max" }, trials)), { prune: [0, 1] });
});

test("G.1.6: a paused trial is resumed only when its old attempt has ended", () => {
  const trials = [running(0, curve(10, 1)), running(1, curve(5, 1))];
  const first = plan(SYNC, trials);
  assert.deepEqual(acts(first), { pause: [0] });
  // Trial 1 comes and is worse: trial 0 is promoted, while its process still writes a checkpoint.
  const ending = [
    running(0, curve(10, 1), { intent: "pause" }),
    running(1, curve(10, 2)),
  ];
  const second = plan(SYNC, ending, first.decisions);
  assert.deepEqual(acts(second), { prune: [1] });
  assert.equal(second.actions[0]!.reason, "resume-waits");
  assert.match(second.actions[0]!.explanation, /when its old attempt has ended/);
  const decisions = [...first.decisions, ...second.decisions];
  const gone = [paused(0, curve(10, 1), { alive: true }), running(1, [], { status: "pruned" })];
  assert.deepEqual(acts(plan(SYNC, gone, decisions)), {});
  const ended = [paused(0, curve(10, 1)), gone[1]!];
  const third = plan(SYNC, ended, decisions);
  assert.deepEqual(acts(third), { resume: [0] });
  assert.deepEqual(third.decisions, []);
  assert.deepEqual(acts(plan(SYNC, applied(ended, third), decisions)), {});
});

test("G.1.16: a trial that completed before the rung is ranked with its final value and blocks nobody", () => {
  const early = running(0, curve(6, 3), { status: "completed", alive: false });
  const others = [1, 2, 4].map((value, i) => running(i + 1, curve(10, value)));
  const made = plan(SYNC, [early, ...others]);
  assert.deepEqual(acts(made), { prune: [3] });
  assert.deepEqual(made.actions.map(({ verdict }) => verdict), [
    "prune",
    "promote",
    "promote",
    "prune",
  ]);
  const better = { ...early, points: curve(6, 0) };
  assert.deepEqual(acts(plan(SYNC, [better, ...others])), { prune: [2, 3] });
  const silent = { ...early, points: [] };
  assert.deepEqual(acts(plan(SYNC, [silent, ...others])), { prune: [2, 3] });
});

for (const status of ["failed", "cancelled", "pruned", "ready"] as const) {
  test(`G.1.16: a trial that is ${status} before the rung leaves the cohort`, () => {
    const gone = running(0, curve(4, 0), { status, alive: false });
    const others = [1, 2, 3, 4].map((value, i) => running(i + 1, curve(10, value)));
    const made = plan(SYNC, [gone, ...others]);
    assert.deepEqual(acts(made), { prune: [3, 4] });
    assert.equal(made.actions[0]!.verdict, "none");
    assert.equal(made.actions[1]!.standing!.cohortSize, 4);
  });
}

test("G.1.16: eta counts in sync too", () => {
  const trials = Array.from({ length: 9 }, (_, i) => running(i, curve(10, i)));
  assert.deepEqual(acts(plan({ ...SYNC, eta: 3 }, trials)), { prune: [3, 4, 5, 6, 7, 8] });
  assert.deepEqual(acts(plan({ ...SYNC, eta: 20 }, trials.slice(0, 3))), { prune: [1, 2] });
});

test("sync promotes what is certain to stay, prunes what cannot, and pauses the rest", () => {
  const trials = [
    ...[1, 2, 3, 4, 5, 6].map((value, i) => running(i, curve(10, value))),
    running(6, curve(3, 0)),
    running(7, [], { status: "queued" }),
  ];
  const made = plan(SYNC, trials);
  // Of 8, 4 stay; 2 may still come ahead: 0 and 1 are certain, 4 and 5 hopeless.
  assert.deepEqual(acts(made), { prune: [4, 5], pause: [2, 3] });
  assert.deepEqual(made.actions.map(({ verdict }) => verdict), [
    "promote",
    "promote",
    "pause",
    "pause",
    "prune",
    "prune",
    "not_at_rung",
    "not_at_rung",
  ]);
  assert.deepEqual(made.actions[3]!.standing, {
    rung: 10,
    step: 10,
    value: 4,
    cohortSize: 8,
    keep: 4,
    aheadDefinite: 3,
    unreached: 2,
  });
  assert.deepEqual(made.actions[6], {
    trial: 6,
    status: "running",
    maxStep: 3,
    action: "none",
    verdict: "not_at_rung",
    rung: null,
    reason: "pre-rung",
    explanation: "At step 3, first compared at step 10",
    standing: null,
  });
});

test("nobody is pruned at a rung while the rung below may still send more trials than are there", () => {
  // Of 8, 4 will be promoted at step 10, and 2 of those at step 20.
  const trials = [
    running(0, curve(20, 1)),
    running(1, curve(20, 2)),
    ...[2, 3, 4, 5].map((index) => running(index, curve(10, index + 1))),
    running(6, curve(1, 1)),
    running(7, curve(1, 1)),
  ];
  const made = plan(SYNC, trials);
  assert.deepEqual(acts(made), { prune: [4, 5], pause: [0, 1, 2, 3] });
  assert.equal(made.actions[1]!.rung, 20);
  assert.equal(made.actions[1]!.standing!.cohortSize, 4);
});

test("NaN, infinite and missing values are the worst in both directions", () => {
  for (const direction of ["min", "max"] as const) {
    for (const mode of ["sync", "asha"] as const) {
      const trials = [null, -1e9, null, 1e9].map((value, i) => running(i, curve(10, value)));
      const made = plan({ ...SYNC, direction, mode }, trials);
      assert.deepEqual(acts(made), { prune: [0, 2] }, `${direction} ${mode}`);
    }
  }
});

test("ties go to the smaller index, in whatever order the trials are given", () => {
  for (const direction of ["min", "max"] as const) {
    for (const mode of ["sync", "asha"] as const) {
      const trials = [3, 1, 2, 0].map((index) => running(index, curve(10, 7)));
      const made = plan({ ...SYNC, direction, mode }, trials);
      assert.deepEqual(acts(made), { prune: [3, 2] }, `${direction} ${mode}`);
    }
  }
});

test("asha keeps all while fewer than eta have come, and the best of all that ever came after that", () => {
  const settings = { ...ASHA, eta: 4, budget: 10 };
  const decisions: RungDecision[] = [];
  let trials: HalvingTrial[] = [];
  const verdicts: string[] = [];
  for (const [i, value] of [5, 6, 7, 8, 4, 9, 10, 11].entries()) {
    trials = [...trials, running(i, curve(10, value))];
    const made = plan(settings, trials, decisions);
    assert.equal(made.decisions.length, 1);
    verdicts.push(made.decisions[0]!.verdict);
    decisions.push(...made.decisions);
    trials = applied(trials, made);
  }
  assert.deepEqual(verdicts, [
    "promote",
    "promote",
    "promote",
    "prune",
    "promote",
    "prune",
    "prune",
    "prune",
  ]);
});

/** What becomes of trials that come to a rung one after another. */
function inTurn(settings: HalvingSettings, values: readonly (number | null)[]): string[] {
  const decisions: RungDecision[] = [];
  let trials: HalvingTrial[] = [];
  for (const [i, value] of values.entries()) {
    trials = [...trials, running(i, curve(10, value))];
    const made = plan(settings, trials, decisions);
    assert.deepEqual(made.decisions.map(({ trial }) => trial), [i]);
    decisions.push(...made.decisions);
    trials = applied(trials, made);
  }
  return decisions.map(({ verdict }) => verdict);
}

test("nobody is promoted for a free place: who comes last and is the worst is pruned", () => {
  for (const mode of ["asha", "sync"] as const) {
    const settings = { ...SYNC, mode, budget: 10 };
    const down = { ...settings, direction: "max" } as const;
    const verdicts = ["promote", "prune", "prune", "prune"];
    assert.deepEqual(inTurn(settings, [1, 2, 3, 4]), verdicts, mode);
    assert.deepEqual(inTurn(down, [4, 3, 2, 1]), verdicts, mode);
    assert.deepEqual(inTurn(settings, [4, 3, 2, 1]), Array(4).fill("promote"), mode);
    // Second of four is among the best two, although two are promoted already.
    const mixed = ["promote", "promote", "prune", "promote"];
    assert.deepEqual(inTurn(settings, [4, 1, 5, 2]), mixed, mode);
  }
});

test("asha: without a finite value nobody goes on once eta have come, not even the first of them", () => {
  const verdicts = ["promote", "prune", "prune", "prune", "promote"];
  assert.deepEqual(inTurn({ ...ASHA, budget: 10 }, [null, null, null, null, 9]), verdicts);
  const together = [0, 1, 2, 3].map((i) => running(i, curve(10, null)));
  const made = plan(ASHA, together);
  assert.deepEqual(acts(made), { prune: [0, 1, 2, 3] });
  assert.match(
    made.decisions[0]!.explanation,
    /no finite value, 0 ahead; the best 2 of 4 continue, and only with a finite value/,
  );
});

test("asha: one that failed after it came keeps its rank, and nobody gets its place", () => {
  const trials = [
    running(0, curve(12, 0), { status: "failed", alive: false }),
    ...[1, 2, 3].map((index) => running(index, curve(10, index))),
  ];
  assert.deepEqual(acts(plan(ASHA, trials)), { prune: [2, 3] });
});

test("a late-comer that ranks among the best stays although all places are taken", () => {
  const first = Array.from({ length: 4 }, (_, i) => running(i, curve(10, i + 1)));
  const made = plan(SYNC, first);
  assert.deepEqual(acts(made), { prune: [2, 3] });
  const late = [...applied(first, made), running(4, curve(10, 0)), running(5, curve(10, 9))];
  const second = plan(SYNC, late, made.decisions);
  // Of six three stay: 0, 1 and the new 4.
  assert.deepEqual(acts(second), { prune: [5] });
  assert.deepEqual(second.decisions.map(({ trial, verdict }) => [trial, verdict]), [
    [4, "promote"],
    [5, "prune"],
  ]);
});

test("a late-comer among the best waits, instead of being pruned, while others may still come", () => {
  const settings = { ...SYNC, eta: 3 };
  const first = Array.from({ length: 6 }, (_, i) => running(i, curve(10, i + 1)));
  const made = plan(settings, first);
  // Of eight two stay; both places are taken, yet 6 ranks second unless 7 is better.
  const late = [...applied(first, made), running(6, curve(10, 1.5)), running(7, curve(1, 1))];
  const second = plan(settings, late, made.decisions);
  assert.deepEqual(acts(second), { pause: [6] });
  const decisions = [...made.decisions, ...second.decisions];
  const now = applied(late, second).slice(0, 7);
  assert.deepEqual(acts(plan(settings, [...now, running(7, curve(10, 9))], decisions)), {
    resume: [6],
    prune: [7],
  });
  assert.deepEqual(acts(plan(settings, [...now, running(7, curve(10, 0))], decisions)), {
    prune: [6],
  });
});

test("a paused trial that a person started again is not paused again, but pruned when its fate is sealed", () => {
  const trials = [running(0, curve(10, 2)), running(1, curve(5, 1))];
  const made = plan(SYNC, trials);
  assert.deepEqual(acts(made), { pause: [0] });
  const again = plan(SYNC, [running(0, curve(14, 2)), trials[1]!], made.decisions);
  assert.deepEqual(acts(again), {});
  assert.deepEqual(again.decisions, []);
  assert.equal(again.actions[0]!.reason, "overruled");
  const last = plan(SYNC, [running(0, curve(14, 2)), running(1, curve(10, 1))], made.decisions);
  assert.deepEqual(acts(last), { prune: [0] });
});

test("a trial that fails after it came counts in the population but takes no place", () => {
  const trials = [
    running(0, curve(12, 0), { status: "failed", alive: false }),
    ...[1, 2, 3].map((index) => running(index, curve(10, index))),
  ];
  const made = plan(SYNC, trials);
  assert.deepEqual(acts(made), { prune: [3] });
  assert.ok(made.decisions.every(({ trial }) => trial !== 0));
  // Run again, it is promoted: it ranks among the best two of four.
  const again = [running(0, curve(12, 0)), ...applied(trials, made).slice(1)];
  const second = plan(SYNC, again, made.decisions);
  assert.deepEqual(second.decisions.map(({ trial, verdict }) => [trial, verdict]), [
    [0, "promote"],
  ]);
});

test("trials that were dropped from the sweep stay in the population", () => {
  const trials = Array.from({ length: 4 }, (_, i) => running(i, curve(10, i)));
  const made = plan(SYNC, trials);
  const kept = applied(trials, made).filter(({ status }) => status === "running");
  const second = plan(SYNC, kept, made.decisions);
  assert.deepEqual(second.decisions, []);
  assert.equal(second.actions[0]!.standing!.cohortSize, 4);
});

test("decisions name the population once, and the union is all that was compared", () => {
  const trials = [1, 2, 3, 4].map((value, i) => running(i, curve(10, value)));
  const made = plan(SYNC, trials);
  assert.deepEqual(made.decisions.flatMap(({ population }) => population), [
    { trial: 0, value: 1 },
    { trial: 1, value: 2 },
    { trial: 2, value: 3 },
    { trial: 3, value: 4 },
  ]);
  const more = [...applied(trials, made), running(4, curve(10, null))];
  const second = plan(SYNC, more, made.decisions);
  assert.deepEqual(
    second.decisions.map(({ trial, value, population }) => ({
      trial,
      value,
      population,
    })),
    [{ trial: 4, value: null, population: [{ trial: 4, value: null }] }],
  );
  assert.match(second.decisions[0]!.explanation, /no finite value, 4 ahead; the best 2 of 5/);
});

test("a trial that a person paused is not resumed, and nobody waits for it", () => {
  const held = paused(0, curve(4, 1), { byHand: true });
  const made = plan(SYNC, [held, running(1, curve(10, 1)), running(2, curve(10, 2))]);
  assert.deepEqual(acts(made), { prune: [2] });
  const reached = paused(0, curve(10, 0), { byHand: true });
  const second = plan(SYNC, [reached, running(1, curve(10, 1))]);
  assert.deepEqual(acts(second), { prune: [1] });
  assert.equal(second.actions[0]!.reason, "paused-by-hand");
});

test("a trial that a person started again after it was pruned is left running", () => {
  const trials = [running(0, curve(10, 1)), running(1, curve(10, 2))];
  const made = plan(SYNC, trials);
  assert.deepEqual(acts(made), { prune: [1] });
  const again = plan(SYNC, [trials[0]!, running(1, curve(40, 0))], made.decisions);
  assert.deepEqual(acts(again), {});
  assert.equal(again.actions[1]!.reason, "overruled");
  assert.deepEqual(again.decisions, []);
});

test("a trial in the queue whose fate is sealed is pruned before it starts", () => {
  const trials = [
    running(0, curve(10, 1)),
    running(1, curve(10, 2), { status: "queued" }),
  ];
  assert.deepEqual(acts(plan(SYNC, trials)), { prune: [1] });
});

test("one pass may judge several rungs, and the last lets its survivors run to the budget", () => {
  const trials = Array.from({ length: 8 }, (_, i) => running(i, curve(40, i)));
  const made = plan(SYNC, trials);
  assert.deepEqual(acts(made), { prune: [1, 2, 3, 4, 5, 6, 7] });
  assert.equal(made.actions[0]!.verdict, "run_free");
  assert.deepEqual(made.actions.map(({ rung }) => rung), [40, 40, 20, 20, 10, 10, 10, 10]);
});

test("without trials, or before any step, nothing is decided", () => {
  assert.deepEqual(plan(SYNC, []), { rungs: [10, 20, 40], decisions: [], actions: [] });
  const made = plan(ASHA, [running(0, []), running(1, [], { status: "submitted" })]);
  assert.deepEqual(made.decisions, []);
  assert.match(made.actions[0]!.explanation, /^No step logged/);
});

test("ten thousand trials are planned in a second or so", () => {
  const trials = Array.from(
    { length: 10_000 },
    (_, i) =>
      running(i, Array.from({ length: 20 }, (_, s) => ({ step: s + 1, value: i ^ 77, at: s }))),
  );
  const begun = performance.now();
  const made = plan(SYNC, trials);
  const took = performance.now() - begun;
  assert.equal(made.decisions.filter(({ verdict }) => verdict === "promote").length, 7500);
  assert.ok(JSON.stringify(made.decisions).length < 5_000_000);
  assert.ok(took < 3000, `${took} ms`);
});
