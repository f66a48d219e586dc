import assert from "node:assert/strict";
import { test } from "node:test";
import { expand } from "../../../lib/sweep/expand.ts";
import type { Condition } from "../../../lib/sweep/config.ts";
import { errorOf, mistakesOf, noticesOf, read, refuses, REST } from "../../support/reading.ts";

/** A condition on line 2, its text from column 5 on. */
function one(condition: string): string {
  return `conditions:\n  - ${condition}${REST}`;
}

function condition(text: string): Condition {
  return read(one(text)).conditions[0]!;
}

function when(text: string): Condition["when"] {
  return condition(`{when: ${text}, set: {x: 1}}`).when;
}

test("each form of a clause is one comparison", () => {
  assert.deepEqual(when("{opt: sgd, lr: [0.1, 0.2], depth: {not_in: [2]}}"), [
    { kind: "compare", parameter: "opt", operator: "eq", value: "sgd" },
    { kind: "compare", parameter: "lr", operator: "in", value: [0.1, 0.2] },
    { kind: "compare", parameter: "depth", operator: "not_in", value: ["2"] },
  ]);
  for (const operator of ["gt", "ge", "lt", "le", "eq", "ne"]) {
    assert.deepEqual(when(`{lr: {${operator}: 1e-1}}`), [
      { kind: "compare", parameter: "lr", operator, value: 0.1 },
    ]);
  }
});

test("numbers agree whichever side has them in quotes", () => {
  assert.deepEqual(when('{lr: "0.5"}'), [
    { kind: "compare", parameter: "lr", operator: "eq", value: 0.5 },
  ]);
  for (const written of ["2", '"2"', "2.0"]) {
    assert.deepEqual(when(`{depth: ${written}}`), [
      { kind: "compare", parameter: "depth", operator: "eq", value: "2" },
    ], "the parameter's values are texts, so its own text is meant");
  }
  const found = condition(
    '{when: {lr: {gt: "1e-1"}}, exclude: {depth: [4]}, force: {depth: 2, lr: "0.25"}, set: {m: "0.9", v: "007"}}',
  );
  assert.deepEqual(found.exclude, { depth: ["4"] });
  assert.deepEqual(found.force, { depth: "2", lr: 0.25 });
  assert.deepEqual(found.set, { m: 0.9, v: "007" });
  assert.deepEqual(found.when, [{ kind: "compare", parameter: "lr", operator: "gt", value: 0.1 }]);
});

test("parameters are named with or without their Hydra prefix", () => {
  const { conditions } = read(`
name: s
grid: all
parameters:
  ++model.lr: {type: continuous, low: 0, high: 1, abbrev: lr}
conditions:
  - when: {model.lr: 0.5, ++model.lr: 0.5, expr: "model.lr > 0.1"}
    exclude: {model.lr: 1}
    force: {model.lr: 0}
`);
  const [first] = conditions;
  assert.deepEqual(
    first!.when.map((clause) =>
      clause.kind === "compare" ? clause.parameter : clause.expression.names
    ),
    ["++model.lr", "++model.lr", ["model.lr"]],
  );
  assert.deepEqual(first!.exclude, { "++model.lr": [1] });
  assert.deepEqual(first!.force, { "++model.lr": 0 });
});

test("exclude takes one value or a list, set takes any value or an expression", () => {
  const found = condition(
    '{when: {opt: sgd}, exclude: {lr: 0.1, opt: [adam]}, set: {a: null, b: [1, "2"], c: {d: x}, e: {expr: "lr * 2"}}}',
  );
  assert.deepEqual(found.exclude, { lr: [0.1], opt: ["adam"] });
  const { e, ...rest } = found.set;
  assert.deepEqual(rest, { a: null, b: [1, 2], c: { d: "x" } });
  assert.equal((e as { expression: { source: string } }).expression.source, "lr * 2");
  assert.equal(found.name, "unnamed");
});

test("a condition may change resources alone", () => {
  const found = condition(
    "{name: big, when: {opt: sgd}, slurm: {mem: 32G, time: 1-0, gres: gpu:2}}",
  );
  assert.equal(found.name, "big");
  assert.deepEqual(found.slurm, { memoryMiB: 32768, timeSeconds: 86400, gres: "gpu:2" });
  refuses([
    [one("{when: {opt: sgd}, slurm: {max_concurrent: 3}}"), '2:32 Unknown key "max_concurrent"'],
    [one("{when: {opt: sgd}, slurm: {mem: lots}}"), "2:37 Cannot read conditions[0].slurm.mem: fo"],
    [one("{when: {opt: sgd}, slurm: {}}"), "2:31 Cannot read conditions[0].slurm: found an empty"],
  ]);
});

test("a condition without a clause or an action, and unknown words in it, are refused", () => {
  refuses([
    [
      one("{when: {opt: sgd}}"),
      '2:5 Missing key "exclude" in conditions[0]: expected at least one',
    ],
    [one("{set: {a: 1}}"), '2:5 Missing key "when" in conditions[0]'],
    [one("{when: {}, set: {a: 1}}"), "2:12 Cannot read conditions[0].when: found an empty mapping"],
    [one("{when: {opt: sgd}, set: {}}"), "2:29 Cannot read conditions[0].set: found an empty"],
    [one("{when: {opt: sgd}, then: {a: 1}}"), "2:5 Missing key", '2:24 Unknown key "then"'],
    [one("3"), "2:5 Cannot read conditions[0]: found 3, expected a mapping"],
    [`conditions: {a: 1}${REST}`, "1:13 Cannot read conditions: found a mapping, expected a list"],
    [
      one("{when: {optt: sgd}, set: {a: 1}}"),
      '2:13 Cannot test "optt": it is not a parameter, known are lr, opt, depth',
    ],
    [one("{when: {opt: sgd}, exclude: {lrr: 1}}"), '2:34 Cannot exclude values of "lrr"'],
    [one("{when: {opt: sgd}, force: {lrr: 1}}"), '2:32 Cannot force "lrr": it is not a parameter'],
    [one('{when: {opt: sgd}, set: {"a b": 1}}'), '2:30 Cannot set "a b": expected the name'],
    [
      one("{when: {lr: {gt: 1, lt: 3}}, set: {a: 1}}"),
      "2:17 Cannot read conditions[0].when.lr: fo",
    ],
    [one("{when: {lr: {}}, set: {a: 1}}"), "2:17 Cannot read conditions[0].when.lr: found 0 oper"],
    [
      one("{when: {lr: {gte: 1}}, set: {a: 1}}"),
      '2:18 Unknown operator "gte" in conditions[0].when.lr, allowed are eq, ne, gt, ge, lt, le, in, not_in',
    ],
    [
      one("{when: {lr: {in: 1}}, set: {a: 1}}"),
      "2:22 Cannot read conditions[0].when.lr.in: found 1",
    ],
    [
      one("{when: {lr: []}, set: {a: 1}}"),
      "2:17 Cannot read conditions[0].when.lr: found an empty",
    ],
  ]);
  assert.equal(errorOf(one("{when: {optt: sgd}, set: {a: 1}}")).hint, 'Did you mean "opt"?');
});

test("a mistake in an expression is told at its own place in the file", () => {
  const rows: readonly [string, string][] = [
    [one('{when: {expr: "lr > bogus"}, set: {a: 1}}'), "2:25"],
    [one("{when: {expr: lr > bogus}, set: {a: 1}}"), "2:24"],
    [one("{when: {opt: sgd}, set: {a: {expr: 'lr * bogus'}}}"), "2:46"],
    [
      `conditions:\n  - when:\n      expr: |\n        lr > 1\n        and bogus\n    set: {a: 1}${REST}`,
      "5:13",
    ],
    [
      `conditions:\n  - when:\n      expr: >-\n        lr > 1 and\n\n        bogus\n    set: {a: 1}${REST}`,
      "6:9",
    ],
    [
      `conditions:\n  - when:\n      expr: lr > 1\n        and bogus\n    set: {a: 1}${REST}`,
      "4:13",
    ],
  ];
  for (const [text, expected] of rows) {
    const [first] = mistakesOf(text);
    assert.ok(first!.startsWith(`${expected} Cannot read conditions[0].`), `${expected}: ${first}`);
    assert.match(first!, /bogus/);
  }
  refuses([
    [one("{when: {opt: sgd}, set: {a: {expr: [1]}}}"), "2:40 Cannot read conditions[0].set.a.expr"],
    [one('{when: {expr: " "}, set: {a: 1}}'), "2:19 Cannot read conditions[0].when.expr: found"],
    [
      one('{when: {opt: sgd}, set: {a: {expr: "lr", b: 1}}}'),
      "2:33 Cannot read conditions[0].set.a",
    ],
  ]);
});

test("a parameter may be called expr", () => {
  const text = (clause: string) => `
name: s
grid: all
parameters:
  expr: {type: discrete, values: [1, 2]}
conditions:
  - {when: {expr: ${clause}}, set: {a: 1}}
`;
  const kind = (clause: string) => read(text(clause)).conditions[0]!.when[0]!.kind;
  assert.equal(kind('"expr > 1"'), "expression");
  assert.equal(kind("2"), "compare");
  assert.equal(kind("[1, 2]"), "compare");
  assert.equal(kind("{gt: 1}"), "compare");
});

test("a comparison by size with what is no number never holds, and is told", () => {
  for (
    const [clause, found] of [['{gt: "x"}', '"x"'], ["{ge: true}", "true"], [
      "{lt: null}",
      "no value",
    ]]
  ) {
    const operator = clause!.slice(1, 3);
    assert.deepEqual(noticesOf(one(`{when: {lr: ${clause}}, set: {a: 1}}`)), [
      `2:22 Found ${found} for "${operator}", which compares numbers: it never holds`,
    ]);
  }
  assert.deepEqual(when("{lr: {lt: .inf}}"), [
    { kind: "compare", parameter: "lr", operator: "lt", value: Infinity },
  ]);
});

test("quotes make no difference to what a condition means, in clauses, lists and expressions", () => {
  const matching = (values: string, clause: string) => {
    const config = read(`name: s
grid: all
parameters:
  b: {type: discrete, values: ${values}}
conditions:
  - {when: {${clause}}, set: {hit: 1}}
`);
    return expand(config).trials.flatMap(({ params, extras }) =>
      "hit" in extras ? [params["b"]] : []
    );
  };
  for (const clause of ["b: 32", 'b: "32"', "b: [32.0]", 'expr: "b == 32"', "b: {in: [32]}"]) {
    assert.deepEqual(matching('["16", "32", "64"]', clause), ["32"], clause);
  }
  for (const clause of ["b: {ge: 32}", 'b: {ge: "32"}', 'expr: "b >= 32"', "b: {ne: 16}"]) {
    assert.deepEqual(matching('["16", "32", "64"]', clause), ["32", "64"], clause);
  }
  for (const clause of ['b: "1e-3"', "b: 1e-3", "b: 0.001", 'expr: "b == 0.001"']) {
    assert.deepEqual(matching('["1e-3", 0.001, 1]', clause), ["1e-3", 0.001], clause);
  }
});

test("a text that no value of the parameter equals is told", () => {
  assert.deepEqual(noticesOf(one("{when: {opt: sgdd}, set: {a: 1}}")), [
    '2:18 Found "sgdd", which is not one of the values of "opt": did you mean "sgd"?',
  ]);
  assert.deepEqual(noticesOf(one("{when: {opt: sgd}, exclude: {opt: [lion]}}")), [
    '2:40 Found "lion", which is not one of the values of "opt"',
  ]);
});

test("conditions may test which repeat a trial is", () => {
  const found = read(`repeats: 3\n${one("{when: {seed: 0}, set: {log: true}}")}`);
  assert.deepEqual(found.conditions[0]!.when, [
    { kind: "compare", parameter: "seed", operator: "eq", value: 0 },
  ]);
});
