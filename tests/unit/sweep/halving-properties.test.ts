import { test } from "node:test";
import assert from "node:assert/strict";
import type { HalvingSettings } from "../../../lib/sweep/config.ts";
import type { RungDecision } from "../../../lib/sweep/event.ts";
import { planHalving, rungsOf } from "../../../lib/sweep/halving.ts";
import type { HalvingTrial } from "../../../lib/sweep/halving.ts";
import type { Point } from "../../../lib/sweep/metrics.ts";
import { createStream } from "../../../lib/sweep/random.ts";

/** A trial of a simulated sweep: what will happen to it, and where it is. */
interface Simulated {
  trial: HalvingTrial;
  points: Point[];
  step: number;
  /** Steps after which it completes or fails by itself. */
  end: number;
  failsAtEnd: boolean;
  valueAt: (step: number) => number | null;
  /** Passes until its process notices a signal and ends. */
  linger: number;
}

interface Sweep {
  settings: HalvingSettings;
  all: Simulated[];
  decisions: RungDecision[];
  /** The decisions of each pass. */
  passes: RungDecision[][];
  random: () => number;
  /** Signals are obeyed at once, trials step by one, nobody meddles. */
  orderly: boolean;
  /** Trials start at any time. */
  late: boolean;
}

const SWEEPS = 400;

test("sync: at every rung exactly the best floor(n / eta) of those that came are promoted", () => {
  let judged = 0;
  for (let seed = 1; seed <= SWEEPS; seed++) {
    const sweep = newSweep(seed, "sync", true);
    runToEnd(sweep, seed);
    let members = sweep.all;
    for (const rung of rungsOf(sweep.settings)) {
      const came = members.filter((each) => hasCome(each, rung));
      const keep = Math.max(1, Math.floor(came.length / sweep.settings.eta));
      const best = came.sort((a, b) => byValue(sweep.settings, rung, a, b)).slice(0, keep);
      const promoted = promotedAt(sweep, rung);
      assert.deepEqual(
        best.map(({ trial }) => trial.index).sort(ascending),
        promoted,
        `seed ${seed}, rung ${rung}`,
      );
      judged += came.length;
      members = sweep.all.filter(({ trial }) => promoted.includes(trial.index));
    }
  }
  assert.ok(judged > SWEEPS * 10);
});

test("asha: at every rung who comes goes on when fewer than eta came, or with a finite value among the best floor(n / eta)", () => {
  const counts = { promote: 0, prune: 0 };
  for (let seed = 1; seed <= SWEEPS; seed++) {
    const sweep = newSweep(seed, "asha", true);
    runToEnd(sweep, seed);
    const { eta, direction } = sweep.settings;
    for (const rung of rungsOf(sweep.settings)) {
      const came: RungDecision[] = [];
      for (const made of sweep.passes) {
        const judged = made.filter((decision) => decision.rung === rung);
        came.push(...judged);
        for (const { trial, value, verdict } of judged) {
          const better = came.filter((other) =>
            isAhead(direction, [other.value, other.trial], [value, trial])
          );
          const stays = came.length < eta ||
            (value !== null && better.length < Math.floor(came.length / eta));
          assert.equal(verdict, stays ? "promote" : "prune", `seed ${seed}, ${rung}, ${trial}`);
          counts[verdict as "promote" | "prune"] += 1;
        }
      }
    }
  }
  assert.ok(counts.promote > SWEEPS * 5 && counts.prune > SWEEPS * 5, JSON.stringify(counts));
});

test("sync: whoever is promoted, in whatever order trials start, ranks among the best floor(n / eta) that came by then", () => {
  let judged = 0;
  for (let seed = 1; seed <= SWEEPS; seed++) {
    const sweep = newSweep(seed, "sync", true);
    sweep.late = true;
    runToEnd(sweep, seed);
    const { eta, direction } = sweep.settings;
    for (const rung of rungsOf(sweep.settings)) {
      const came = new Map<number, number | null>();
      for (const made of sweep.passes) {
        const fresh = made.filter((decision) => decision.rung === rung);
        for (const { population } of fresh) {
          for (const { trial, value } of population) came.set(trial, value);
        }
        for (const { trial, verdict, value } of fresh) {
          if (verdict !== "promote") continue;
          const ahead = [...came].filter(([other, theirs]) =>
            isAhead(direction, [theirs, other], [value, trial])
          );
          // Places of members that may still come are promised already.
          const most = Math.max(1, Math.floor(sweep.all.length / eta));
          const n = Math.max(1, Math.floor(came.size / eta));
          assert.ok(ahead.length < most, `seed ${seed}, rung ${rung}, trial ${trial}`);
          if (rung === rungsOf(sweep.settings)[0] && nobodyOnTheWay(fresh)) {
            assert.ok(ahead.length < n, `seed ${seed}, rung ${rung}, trial ${trial}: ${n}`);
          }
          judged += 1;
        }
      }
    }
  }
  assert.ok(judged > SWEEPS * 5);
});

/** No explanation of the pass speaks of trials still to come. */
function nobodyOnTheWay(decisions: readonly RungDecision[]): boolean {
  return decisions.every(({ explanation }) => !explanation.includes("to come"));
}

function isAhead(
  direction: "min" | "max",
  [a, i]: readonly [number | null, number],
  [b, j]: readonly [number | null, number],
): boolean {
  if (a === b) return i < j;
  if (a === null || b === null) return b === null;
  return direction === "min" ? a < b : a > b;
}

for (const mode of ["sync", "asha"] as const) {
  test(`${mode}: with retries, late-comers, lingering processes and pauses by hand, nothing is decided twice and nobody waits for ever`, () => {
    for (let seed = 1; seed <= SWEEPS; seed++) {
      const sweep = newSweep(seed, mode, false);
      runToEnd(sweep, seed);
      const stuck = sweep.all.filter(({ trial }) => trial.status === "paused" && !trial.byHand);
      assert.deepEqual(stuck.map(({ trial }) => trial.index), [], `seed ${seed}`);
    }
  });
}

function newSweep(seed: number, mode: "sync" | "asha", orderly: boolean): Sweep {
  const random = createStream(seed, "halving");
  const settings: HalvingSettings = {
    metric: "loss",
    direction: random() < 0.5 ? "min" : "max",
    minSteps: 1 + Math.floor(random() * 4),
    budget: 30,
    eta: 2 + Math.floor(random() * 3),
    mode,
  };
  const size = 1 + Math.floor(random() * 24);
  const all = Array.from({ length: size }, (_, index) => newTrial(index, settings, random));
  return { settings, all, decisions: [], passes: [], random, orderly, late: false };
}

function newTrial(index: number, settings: HalvingSettings, random: () => number): Simulated {
  // Few different values, so that there are ties; some diverge to NaN for good or at times.
  const [level, drift] = [Math.floor(random() * 6), random() < 0.5 ? 0 : random() - 0.5];
  const diverges = random() < 0.15 ? Math.floor(random() * 10) : Infinity;
  const early = random() < 0.4;
  const points: Point[] = [];
  return {
    trial: { index, status: "ready", intent: "run", alive: false, byHand: false, points },
    points,
    step: 0,
    end: early ? Math.floor(random() * settings.budget) : settings.budget,
    failsAtEnd: early && random() < 0.5,
    valueAt: (step) => step >= diverges ? null : level + drift * step,
    linger: 0,
  };
}

/** Lets time pass, with a planning pass after each moment, until nothing moves any more. */
function runToEnd(sweep: Sweep, seed: number): void {
  // An orderly sweep starts as a whole, as its cohort is then known.
  if (sweep.orderly && !sweep.late) { for (const each of sweep.all) start(each); }
  for (let moment = 0; moment < 2000; moment++) {
    for (const each of sweep.all) advance(sweep, each);
    pass(sweep, seed);
    if (moment > 60 && sweep.all.every(({ trial }) => !trial.alive && trial.status !== "ready")) {
      if (!pass(sweep, seed)) return;
    }
  }
  assert.fail(`seed ${seed}: the sweep does not come to an end`);
}

function advance(sweep: Sweep, each: Simulated): void {
  const { trial } = each;
  const roll = sweep.random();
  if (trial.status === "ready") {
    if (roll < 0.1) start(each);
  } else if (trial.status === "queued") {
    if (roll < 0.5) set(each, { status: "running" });
  } else if (trial.status === "running") {
    move(sweep, each, roll);
  } else if (!sweep.orderly && trial.status === "failed" && roll < 0.05) {
    each.failsAtEnd = false;
    start(each);
  } else if (trial.byHand && roll < 0.02) {
    start(each);
  }
}

function move(sweep: Sweep, each: Simulated, roll: number): void {
  if (each.trial.intent !== "run") {
    each.linger -= 1;
    if (each.linger > 0 && !sweep.orderly) step(each);
    if (each.linger <= 0) park(each);
    return;
  }
  if (!sweep.orderly && roll < 0.01) {
    each.linger = 1;
    set(each, { intent: "pause", byHand: true });
    return;
  }
  const steps = sweep.orderly ? (roll < 0.7 ? 1 : 0) : Math.floor(roll * 6);
  for (let i = 0; i < steps && each.trial.alive; i++) step(each);
}

function step(each: Simulated): void {
  if (each.step >= each.end) return finish(each);
  each.step += 1;
  each.points.push({ step: each.step, value: each.valueAt(each.step), at: each.points.length });
}

function finish(each: Simulated): void {
  if (each.trial.intent !== "run") return park(each);
  set(each, { status: each.failsAtEnd ? "failed" : "completed", alive: false });
}

function park(each: Simulated): void {
  const status = each.trial.intent === "prune" ? "pruned" : "paused";
  set(each, { status, alive: false });
}

function start(each: Simulated): void {
  set(each, { status: "queued", intent: "run", alive: true, byHand: false });
}

function set(each: Simulated, change: Partial<HalvingTrial>): void {
  each.trial = { ...each.trial, ...change };
}

/** One planning pass, carried out; then another one that must find nothing to do. True when it acted. */
function pass(sweep: Sweep, seed: number): boolean {
  const { settings, decisions } = sweep;
  const made = planHalving({ settings, trials: sweep.all.map(({ trial }) => trial), decisions });
  for (const decision of made.decisions) {
    const before = decisions.filter(({ trial, rung }) =>
      trial === decision.trial && rung === decision.rung
    );
    // A pause may be followed by one final verdict; a final verdict by nothing.
    assert.ok(before.every(({ verdict }) => verdict === "pause"), `seed ${seed}: decided twice`);
    assert.ok(decision.verdict !== "pause" || before.length === 0, `seed ${seed}: paused twice`);
  }
  decisions.push(...made.decisions);
  sweep.passes.push(made.decisions);
  for (const { trial, action } of made.actions) {
    if (action !== "none") carryOut(sweep, trial, action);
  }
  const again = planHalving({ settings, trials: sweep.all.map(({ trial }) => trial), decisions });
  assert.deepEqual(again.decisions, [], `seed ${seed}: not idempotent`);
  assert.ok(again.actions.every(({ action }) => action === "none"), `seed ${seed}: acts again`);
  return made.decisions.length > 0 || made.actions.some(({ action }) => action !== "none");
}

function carryOut(sweep: Sweep, index: number, action: "prune" | "pause" | "resume"): void {
  const each = sweep.all.find(({ trial }) => trial.index === index)!;
  if (action === "resume") {
    assert.equal(each.trial.alive, false, "resumed beside a living attempt");
    assert.equal(each.trial.status, "paused");
    assert.equal(each.trial.byHand, false);
    return start(each);
  }
  each.linger = Math.floor(sweep.random() * 4);
  set(each, { intent: action });
  if (each.trial.status !== "running") park(each);
}

function hasCome(each: Simulated, rung: number): boolean {
  return each.step >= rung || (each.trial.status === "completed" && each.points.length > 0);
}

function byValue(settings: HalvingSettings, rung: number, a: Simulated, b: Simulated): number {
  const worst = settings.direction === "min" ? Infinity : -Infinity;
  const [x, y] = [a, b].map((each) => each.valueAt(Math.min(each.step, rung)) ?? worst);
  if (x === y) return a.trial.index - b.trial.index;
  return settings.direction === "min" ? x! - y! : y! - x!;
}

function promotedAt(sweep: Sweep, rung: number): number[] {
  return sweep.decisions
    .filter((decision) => decision.rung === rung && decision.verdict === "promote")
    .map(({ trial }) => trial).sort(ascending);
}

function ascending(a: number, b: number): number {
  return a - b;
}
