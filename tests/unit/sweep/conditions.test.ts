import { test } from "node:test";
import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { applyConditions } from "../../../lib/sweep/conditions.ts";
import type { Clause, Condition, Operator } from "../../../lib/sweep/config.ts";
import { readConfig } from "../../../lib/sweep/read-config.ts";
import { parseExpression } from "../../../lib/sweep/expression.ts";
import type { Value } from "../../../lib/sweep/value.ts";

const NAMES = ["lr", "n", "opt", "model.lr", "tag"];

function when(source: string): Clause {
  return { kind: "expression", expression: parseExpression(source, NAMES) };
}

function is(parameter: string, value: Value, operator: Operator = "eq"): Clause {
  return { kind: "compare", parameter, operator, value };
}

function computed(source: string) {
  return { expression: parseExpression(source, NAMES) };
}

function condition(name: string, clauses: Clause[], acts: Partial<Condition>): Condition {
  return { name, when: clauses, exclude: {}, force: {}, set: {}, slurm: {}, ...acts };
}

test("without conditions a trial stays the very object that it was", () => {
  const params = { lr: 0.1 };
  const applied = applyConditions([], params);
  assert.deepEqual(applied, { params, extras: {}, resources: {}, conditions: [] });
  assert.ok("params" in applied && applied.params === params);
});

test("all clauses of a condition must hold", () => {
  const both = [condition("both", [is("lr", 0.1), is("n", 2, "gt")], { set: { x: 1 } })];
  assert.deepEqual(names(both, { lr: 0.1, n: 3 }), ["both"]);
  assert.deepEqual(names(both, { lr: 0.1, n: 2 }), []);
  assert.deepEqual(names(both, { lr: 0.2, n: 3 }), []);
});

const COMPARISONS: readonly (readonly [Operator, Value, Value, boolean])[] = [
  ["eq", 0.1, 0.1 + 1e-11, true],
  ["eq", 0.1, 0.1001, false],
  ["eq", "a", "a", true],
  ["eq", "1", 1, true],
  ["eq", "1e-3", "0.001", true],
  ["eq", "007", 7, false],
  ["ne", "1", 1.0, false],
  ["in", 32, ["16", "32"], true],
  ["not_in", "32", [32], false],
  ["eq", null, null, true],
  ["eq", [1, 2], [1, 2], true],
  ["ne", 0.1, 0.1 + 1e-11, false],
  ["ne", "a", "b", true],
  ["gt", 2, 1, true],
  ["gt", "2", 1, true],
  ["gt", "inf", 1e300, true],
  ["lt", "-inf", "1e-3", true],
  ["gt", "x", 1, false],
  ["ge", 2, "x", false],
  ["ge", 2, true, false],
  ["gt", true, 0, false],
  ["ge", 2, 2, true],
  ["lt", null, 1, false],
  ["lt", 0.5, 1, true],
  ["le", "a", "b", false],
  ["in", 0.3, [0.1 + 0.2, 1], true],
  ["in", "a", ["b"], false],
  ["not_in", "a", ["b"], true],
  ["not_in", 1, [1], false],
];

for (const [operator, actual, wanted, outcome] of COMPARISONS) {
  test(`${JSON.stringify(actual)} ${operator} ${JSON.stringify(wanted)} is ${outcome}`, () => {
    const one = [condition("c", [is("lr", wanted, operator)], {})];
    assert.equal(names(one, { lr: actual }).length === 1, outcome);
  });
}

test("a trial is excluded when any named parameter has one of the values", () => {
  const conditions = [
    condition("other", [is("n", 1)], { set: { x: 1 } }),
    condition("out", [is("n", 1)], { exclude: { lr: [5], opt: ["sgd", "lion"] } }),
  ];
  assert.deepEqual(applyConditions(conditions, { n: 1, lr: 1, opt: "lion" }), {
    excludedBy: "out",
  });
  assert.deepEqual(names(conditions, { n: 1, lr: 1, opt: "adam" }), ["other", "out"]);
  assert.deepEqual(names(conditions, { n: 2, lr: 5, opt: "lion" }), []);
});

test("each condition sees what the earlier ones forced, and excludes before it forces", () => {
  const conditions = [
    condition("first", [is("opt", "sgd")], { exclude: { lr: [9] }, force: { lr: 9 } }),
    condition("second", [is("lr", 9)], { force: { n: 7 }, set: { double: computed("n * 2") } }),
  ];
  const params = { lr: 1, n: 1, opt: "sgd" };
  assert.deepEqual(applyConditions(conditions, params), {
    params: { lr: 9, n: 7, opt: "sgd" },
    extras: { double: 14 },
    resources: {},
    conditions: ["first", "second"],
  });
  assert.deepEqual(params, { lr: 1, n: 1, opt: "sgd" });
});

test("the last set and the last resources win, key by key", () => {
  const conditions = [
    condition("a", [is("n", 1)], { set: { x: 1, y: 1 }, slurm: { memoryMiB: 100, ntasks: 2 } }),
    condition("b", [is("n", 1)], { set: { y: { expression: "text" } }, slurm: { memoryMiB: 200 } }),
  ];
  const applied = applyConditions(conditions, { n: 1 });
  assert.ok("extras" in applied);
  // A plain map with a key "expression" is a value, not a calculation.
  assert.deepEqual(applied.extras, { x: 1, y: { expression: "text" } });
  assert.deepEqual(applied.resources, { memoryMiB: 200, ntasks: 2 });
});

test("names meet whichever side writes the Hydra prefix, dotted ones too", () => {
  const conditions = [
    condition("c", [when("model.lr < 1"), is("+n", 2)], { force: { "model.lr": 4 } }),
  ];
  const applied = applyConditions(conditions, { "++model.lr": 0.5, n: 2 });
  assert.ok("params" in applied);
  assert.deepEqual(applied.params, { "++model.lr": 4, n: 2 });
});

test("a parameter that the trial lacks equals nothing", () => {
  assert.deepEqual(names([condition("c", [is("zzz", null)], {})], { lr: 1 }), []);
  assert.deepEqual(names([condition("c", [is("zzz", 1, "ne")], {})], { lr: 1 }), ["c"]);
  assert.deepEqual(names([condition("c", [is("toString", 1, "lt")], {})], { lr: 1 }), []);
});

test("keys that every object has are set as plain keys", () => {
  const set = Object.fromEntries([["__proto__", 1], ["constructor", 2]]);
  const applied = applyConditions([condition("c", [is("n", 1)], { set })], { n: 1 });
  assert.ok("extras" in applied);
  assert.deepEqual(Object.keys(applied.extras), ["__proto__", "constructor"]);
});

test("G.1.16: an expression that fails for a trial is the user's error, naming all that matters", () => {
  const conditions = [condition("warm up", [when("1 / n > 0.1")], { set: { x: 1 } })];
  assert.throws(() => applyConditions(conditions, { n: 0, "+opt": "adam" }), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^Cannot apply condition "warm up" to the trial with/);
    assert.match(error.message, /n=0, opt="adam"/);
    assert.match(error.message, /Division by zero \(column 3 of "1 \/ n > 0.1"\)/);
    return true;
  });
  const setting = [condition("s", [is("n", 0)], { set: { x: computed("opt + 1") } })];
  assert.throws(() => applyConditions(setting, { n: 0, opt: "adam" }), UserError);
});

test("an expression that fails for a trial names its own place in the file", () => {
  const { conditions } = readConfig(
    `name: s
grid: all
parameters:
  n: {type: discrete, values: [0, 1]}
conditions:
  - name: warm up
    when: {n: 0}
    set:
      x: {expr: "1 / n"}
`,
    { file: "h.yaml" },
  ).config;
  assert.throws(() => applyConditions(conditions, { n: 0 }), (error) => {
    assert.ok(error instanceof UserError);
    const [mistake] = error.mistakes;
    const { file, line, column, path, message } = mistake!;
    assert.deepEqual([file, line, column], ["h.yaml", 9, 18]);
    assert.equal(path, "conditions[0].set.x.expr");
    assert.equal(message, error.message);
    assert.match(message, /"warm up".*n=0: Division by zero/);
    return true;
  });
});

test("five conditions on a hundred thousand trials are applied in a second or so", () => {
  const conditions = [
    condition("a", [is("n", 3)], { exclude: { opt: ["sgd"] } }),
    condition("b", [when("lr > 0.5 and n % 2 == 0")], { force: { opt: "adam" } }),
    condition("c", [is("opt", ["adam", "lion"], "in")], { set: { wd: computed("lr * 0.1") } }),
    condition("d", [is("lr", 0.2, "lt")], { slurm: { memoryMiB: 100 } }),
    condition("e", [when("opt in ('adam', 'lion') or n == 1")], { set: { k: 1 } }),
  ];
  const opts = ["adam", "sgd", "lion"];
  const begun = performance.now();
  let kept = 0;
  for (let i = 0; i < 100_000; i++) {
    const params = { lr: (i % 1000) / 1000, n: i % 7, opt: opts[i % 3]!, tag: "x" };
    if ("params" in applyConditions(conditions, params)) kept += 1;
  }
  const took = performance.now() - begun;
  assert.ok(kept > 90_000);
  // A tenth of this on a quiet machine; the bound is for a busy one.
  assert.ok(took < 3000, `${took} ms`);
});

/** The names of the conditions that match. */
function names(conditions: readonly Condition[], params: Record<string, Value>): string[] {
  const telling = conditions.map((one) => ({ ...one, set: { ...one.set, matched: true } }));
  const applied = applyConditions(telling, params);
  assert.ok("conditions" in applied);
  return applied.conditions;
}

test("only conditions that changed something are named", () => {
  const when = [is("n", 1)];
  const conditions = [
    condition("excludes others", when, { exclude: { lr: [9] } }),
    condition("forces what is so", when, { force: { lr: 1 } }),
    condition("forces", when, { force: { lr: 2 } }),
    condition("sets", when, { set: { x: 1 } }),
    condition("gives more", when, { slurm: { memoryMiB: 100 } }),
  ];
  const applied = applyConditions(conditions, { n: 1, lr: 1 });
  assert.deepEqual("conditions" in applied && applied.conditions, [
    "forces",
    "sets",
    "gives more",
  ]);
});
