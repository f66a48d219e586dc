import assert from "node:assert/strict";
import { test } from "node:test";
import { budgetLeft } from "../../../lib/agent/budget.ts";
import { applyToMonitor, emptyMonitorState, noTokens } from "../../../lib/sweep/monitor-state.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;
const model = { name: "claude-sonnet-5-5", prices: {} };

/** A monitor that spent so many dollars at those times. */
function spent(...uses: [at: number, usd: number | null][]) {
  const monitor = emptyMonitorState();
  for (const [at, usd] of uses) {
    const use = { id: "1", model: "m", tokens: noTokens(), usd, purpose: "tick" };
    applyToMonitor(monitor, { type: "model-used", use }, at, "agent");
  }
  return monitor;
}

test("the least of what tick, day and sweep leave is left", () => {
  const monitor = spent([NOON - HOUR, 4]);
  const left = (tick?: number, day?: number, sweep?: number) =>
    budgetLeft({ budget: { tick, day, sweep }, monitor, now: NOON, usedThisTick: 0.25, model }).usd;
  assert.equal(left(1, 10, 100), 0.75);
  assert.equal(left(9, 4.5, 100), 0.5);
  assert.equal(left(9, 10, 4.125), 0.125);
  assert.equal(left(), undefined);
});

test("a budget that is reached is named with its limit and what was spent", () => {
  const monitor = spent([NOON - HOUR, 4]);
  const { usd, reached, refusal } = budgetLeft({
    budget: { tick: 1, day: 4, sweep: 100 },
    monitor,
    now: NOON,
    model,
  });
  assert.equal(usd, 0);
  assert.deepEqual(reached, { scope: "day", limit: 4, spent: 4 });
  assert.match(refusal ?? "", /budget of the day is used up: \$4.00 of \$4.00/);
});

test("a new day has a new budget, the sweep has not", () => {
  const monitor = spent([NOON - 24 * HOUR, 10]);
  const of = (sweep: number) =>
    budgetLeft({ budget: { tick: undefined, day: 10, sweep }, monitor, now: NOON, model });
  assert.equal(of(100).usd, 10);
  assert.equal(of(10).reached?.scope, "sweep");
});

test("a budget of zero never asks the model", () => {
  const budget = { tick: undefined, day: 0, sweep: undefined };
  const { usd, reached } = budgetLeft({ budget, monitor: spent(), now: NOON, model });
  assert.equal(usd, 0);
  assert.equal(reached?.scope, "day");
});

test("a model without a price is refused while there is a budget, with what helps", () => {
  const unpriced = { name: "our-llama", prices: {} };
  const budget = { tick: 1, day: undefined, sweep: undefined };
  const { usd, refusal } = budgetLeft({ budget, monitor: spent(), now: NOON, model: unpriced });
  assert.equal(usd, 0);
  assert.match(refusal ?? "", /price of "our-llama" is not known.*agent\.prices/);
  const none = { tick: undefined, day: undefined, sweep: undefined };
  const free = budgetLeft({ budget: none, monitor: spent(), now: NOON, model: unpriced });
  assert.deepEqual(free, { usd: undefined, reached: undefined, refusal: undefined });
  // `claude-cli` tells its cost itself.
  assert.equal(budgetLeft({ budget, monitor: spent(), now: NOON }).refusal, undefined);
});
