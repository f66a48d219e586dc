import assert from "node:assert/strict";
import test from "node:test";
import { costReport, costTable, spentOnDay } from "../../../lib/tasks/cost-report.ts";
import { emptyPool } from "../../../lib/tasks/pool-state.ts";
import type { Spent } from "../../../lib/tasks/pool-state.ts";

function spent(day: string, model: string, worker: string, rest: Partial<Spent> = {}): Spent {
  return {
    day,
    model,
    worker,
    attempts: 1,
    input: 1000,
    output: 100,
    cacheRead: 10,
    cacheWrite: 5,
    usd: 0.5,
    unpriced: 0,
    ...rest,
  };
}

const SPENT = [
  spent("2026-11-20", "coder", "gpu-1", { usd: 1.25, attempts: 2 }),
  spent("2026-11-21", "coder", "gpu-2"),
  spent("2026-11-19", "cheap", "gpu-1", { usd: 0 }),
  spent("2026-11-21", "secret", "gpu-1", { usd: 0, unpriced: 1, input: 1234567 }),
];

test("costs are summed by day, in order", () => {
  const { rows, totals } = costReport(SPENT, { by: "day" });
  assert.deepEqual(
    rows.map(({ name, attempts, usd, unpriced }) => [name, attempts, usd, unpriced]),
    [
      ["2026-11-19", 1, 0, 0],
      ["2026-11-20", 2, 1.25, 0],
      ["2026-11-21", 2, 0.5, 1],
    ],
  );
  assert.deepEqual(totals, {
    name: "total",
    attempts: 5,
    input: 1237567,
    output: 400,
    cacheRead: 40,
    cacheWrite: 20,
    usd: 1.75,
    unpriced: 1,
  });
});

test("costs are summed by model and by worker, the dearest first", () => {
  assert.deepEqual(costReport(SPENT, { by: "model" }).rows.map(({ name, usd }) => [name, usd]), [
    ["coder", 1.75],
    ["cheap", 0],
    ["secret", null],
  ]);
  assert.deepEqual(costReport(SPENT, { by: "worker" }).rows.map(({ name, usd }) => [name, usd]), [
    ["gpu-1", 1.25],
    ["gpu-2", 0.5],
  ]);
});

test("only days from the given one on count", () => {
  const { rows, totals } = costReport(SPENT, { by: "day", since: "2026-11-20" });
  assert.equal(rows.length, 2);
  assert.equal(totals.attempts, 4);
});

test("the table says n/a for what nobody knows, $0.00 for what is free, and the least of a mixture", () => {
  assert.deepEqual(costTable(costReport(SPENT, { by: "model" })), [
    "model   attempts         in  out  cached     cost",
    "coder          3      2,010  200      20    $1.75",
    "cheap          1      1,005  100      10    $0.00",
    "secret         1  1,234,572  100      10      n/a",
    "total          5  1,237,587  400      40  ≥ $1.75",
  ]);
});

test("names of models cannot drive a terminal", () => {
  const hostile = [spent("2026-11-21", "a\u001b[2J\nb", "w")];
  const lines = costTable(costReport(hostile, { by: "model" }));
  assert.equal(lines.length, 2);
  // deno-lint-ignore no-control-regex -- that is what must not be there
  assert.ok(!/[\x00-\x1f]/.test(lines.join("")));
});

test("what was taken back leaves neither a row nor dust", () => {
  const back = { attempts: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const dusty = [spent("2026-11-21", "x", "w", { ...back, usd: -5.5e-17 })];
  assert.deepEqual(costReport(dusty, { by: "day" }).rows, []);
  assert.deepEqual(costTable(costReport(dusty, { by: "day" })), ["Nothing was spent"]);
  const some = [spent("2026-11-21", "x", "w", { usd: 0.1 + 0.2 })];
  assert.equal(costReport(some, { by: "day" }).totals.usd, 0.3);
});

test("what a day cost is there for its budget", () => {
  const state = { ...emptyPool(), spent: SPENT };
  assert.deepEqual(spentOnDay(state, "2026-11-21"), { usd: 0.5, unpriced: 1 });
  assert.deepEqual(spentOnDay(state, "2026-11-22"), { usd: 0, unpriced: 0 });
});
