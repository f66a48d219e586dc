import { strict as assert } from "node:assert";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import type { applyConditions } from "../../../lib/sweep/conditions.ts";
import type { Condition, Config, Grid } from "../../../lib/sweep/config.ts";
import { parseCsv } from "../../../lib/sweep/csv.ts";
import { expand } from "../../../lib/sweep/expand.ts";
import type { Value } from "../../../lib/sweep/value.ts";
import { continuous, discrete, sampleConfig } from "../../support/sample-config.ts";

const abc = [
  discrete("a", [1, 2], { default: 1 }),
  discrete("b", ["x", "y", "z"], { default: "y" }),
  discrete("c", [true, false], { default: true }),
];

function rowsOf(config: Config, csv?: string): Value[][] {
  const { trials } = expand(config, csv === undefined ? undefined : parseCsv(csv, "t.csv"));
  return trials.map(({ params }) => Object.values(params));
}

function some(...names: string[]): Grid {
  return { kind: "some", names };
}

test("all: the product in YAML order, the last parameter fastest, defaults without effect", () => {
  const rows = rowsOf(sampleConfig({ parameters: abc }));
  assert.equal(rows.length, 12);
  assert.deepEqual(rows.slice(0, 4), [
    [1, "x", true],
    [1, "x", false],
    [1, "y", true],
    [1, "y", false],
  ]);
  assert.deepEqual(rows[11], [2, "z", false]);
});

test("a list: the product over the listed ones in list order, others at their defaults", () => {
  const { trials } = expand(sampleConfig({ parameters: abc, grid: some("c", "a") }));
  assert.deepEqual(trials.map(({ params }) => params), [
    { a: 1, b: "y", c: true },
    { a: 2, b: "y", c: true },
    { a: 1, b: "y", c: false },
    { a: 2, b: "y", c: false },
  ]);
});

test("a list: names have parameters with defaults first, then listed ones without", () => {
  const parameters = [discrete("n", [5, 6]), ...abc];
  const { trials } = expand(sampleConfig({ parameters, grid: some("n") }));
  assert.deepEqual(trials.map(({ name }) => name), [
    "a-1_b-y_c-True_n-5",
    "a-1_b-y_c-True_n-6",
  ]);
});

test("an empty list gives the one trial of defaults", () => {
  assert.deepEqual(rowsOf(sampleConfig({ parameters: abc, grid: some() })), [[1, "y", true]]);
});

test("G.1.16: a grid that lists all parameters needs no defaults", () => {
  const parameters = [discrete("a", [1, 2]), discrete("b", ["x", "y"])];
  const rows = rowsOf(sampleConfig({ parameters, grid: some("b", "a") }));
  assert.deepEqual(rows, [["x", 1], ["x", 2], ["y", 1], ["y", 2]]);
});

test("G.1.16: list and map values expand, are named and told apart", () => {
  const parameters = [discrete("layers", [[64, 64], [64], { width: 8, kind: "a b" }])];
  const { trials, counts } = expand(sampleConfig({ parameters }));
  assert.equal(counts.duplicates, 0);
  assert.deepEqual(trials.map(({ name }) => name), [
    "layers-64-64",
    "layers-64",
    "layers-width-8-kind-a-b",
  ]);
});

test("no grid: the default trial, then each other value of each parameter in turn", () => {
  const config = sampleConfig({ parameters: abc, grid: { kind: "one-at-a-time" } });
  assert.deepEqual(rowsOf(config), [
    [1, "y", true],
    [2, "y", true],
    [1, "x", true],
    [1, "z", true],
    [1, "y", false],
  ]);
});

test("no grid: a float that equals its default but for noise is not varied again", () => {
  const parameters = [discrete("lr", [0.3, 0.5], { default: 0.1 + 0.2 })];
  const config = sampleConfig({ parameters, grid: { kind: "one-at-a-time" } });
  assert.deepEqual(rowsOf(config), [[0.1 + 0.2], [0.5]]);
});

test("a parameter that needs a default and has none is named with the reason", () => {
  const parameters = [discrete("a", [1, 2]), ...abc.slice(1)];
  const grids: [Grid, RegExp][] = [
    [{ kind: "one-at-a-time" }, /"a" needs a default because no grid is set/],
    [some("b"), /"a" needs a default because it is not in the grid/],
  ];
  for (const [grid, message] of grids) {
    const config = sampleConfig({ parameters, grid });
    assert.throws(
      () => expand(config),
      (error) => isUserError(error) && message.test(error.message),
    );
  }
});

test("a parameter with a single value needs no default", () => {
  const parameters = [discrete("only", [7]), ...abc];
  const config = sampleConfig({ parameters, grid: { kind: "one-at-a-time" } });
  assert.deepEqual(rowsOf(config)[0], [7, 1, "y", true]);
});

test("zip: a group is one axis at the place of its first member", () => {
  const parameters = [
    discrete("a", [1, 2]),
    discrete("b", ["x", "y"]),
    discrete("c", [10, 20]),
  ];
  assert.deepEqual(rowsOf(sampleConfig({ parameters, zip: [["a", "c"]] })), [
    [1, "x", 10],
    [1, "y", 10],
    [2, "x", 20],
    [2, "y", 20],
  ]);
});

test("zip under a list: the group is one axis; one at a time: pairs other than the default pair", () => {
  const parameters = [
    discrete("a", [1, 2, 3], { default: 2 }),
    discrete("b", ["x", "y"], { default: "x" }),
    discrete("c", [10, 20, 30], { default: 20 }),
  ];
  const zip = [["a", "c"]];
  assert.deepEqual(rowsOf(sampleConfig({ parameters, zip, grid: some("a", "c") })), [
    [1, "x", 10],
    [2, "x", 20],
    [3, "x", 30],
  ]);
  const one = rowsOf(sampleConfig({ parameters, zip, grid: { kind: "one-at-a-time" } }));
  assert.deepEqual(one, [[2, "x", 20], [1, "x", 10], [3, "x", 30], [2, "y", 20]]);
});

test("zip: groups of unequal length are refused with both lengths", () => {
  const parameters = [discrete("a", [1, 2]), discrete("b", [1, 2, 3])];
  assert.throws(
    () => expand(sampleConfig({ parameters, zip: [["a", "b"]] })),
    /"a" has 2 values, "b" has 3/,
  );
});

test("repeats: the parameter comes last and fastest with every kind of grid", () => {
  const repeats = { count: 2, parameter: "seed", first: 5 };
  const grids: Grid[] = [
    { kind: "all" },
    some("a"),
    { kind: "one-at-a-time" },
    { kind: "random", samples: 3, seed: 1 },
    { kind: "sobol", samples: 3, seed: 1 },
  ];
  for (const grid of grids) {
    const { trials } = expand(sampleConfig({ parameters: abc, grid, repeats }));
    assert.ok(trials.length >= 4, grid.kind);
    assert.deepEqual(trials.slice(0, 2).map(({ params }) => params["seed"]), [5, 6]);
    const { seed: _, ...first } = trials[0]!.params;
    assert.deepEqual({ ...first, seed: 6 }, trials[1]!.params);
    assert.ok(trials[1]!.name.endsWith("_seed-6"));
  }
  const csv = rowsOf(sampleConfig({ trialsFile: "t.csv", repeats }), "a,b\n1,x\n2,y\n");
  assert.deepEqual(csv, [[1, "x", 5], [1, "x", 6], [2, "y", 5], [2, "y", 6]]);
});

test("repeats of a parameter that the sweep has already are refused", () => {
  const repeats = { count: 2, parameter: "a", first: 0 };
  assert.throws(() => expand(sampleConfig({ parameters: abc, repeats })), UserError);
});

test("random: more samples, and another parameter, keep the samples that were there", () => {
  const lr = continuous("lr", 1e-5, 0.1, { scale: "log" });
  const drop = continuous("drop", 0, 0.5);
  const random = (samples: number, ...parameters: Config["parameters"]) =>
    expand(sampleConfig({ parameters, grid: { kind: "random", samples, seed: 3 } })).trials;
  const few = random(20, lr, drop);
  const many = random(200, lr, drop);
  assert.deepEqual(many.slice(0, 20).map((t) => t.params), few.map((t) => t.params));
  const wider = random(20, discrete("opt", ["adam", "sgd"]), lr, drop);
  const shared = wider.map(({ params: { opt: _, ...rest } }) => rest);
  assert.deepEqual(shared, few.map((t) => t.params));
  const other = expand(
    sampleConfig({ parameters: [lr, drop], grid: { kind: "random", samples: 20, seed: 4 } }),
  ).trials;
  assert.ok(other.every((trial, i) => trial.params["lr"] !== few[i]!.params["lr"]));
});

test("random: log ranges are even in the logarithm, choices even over their values", () => {
  const parameters = [
    continuous("lr", 1e-4, 1, { scale: "log" }),
    discrete("opt", ["a", "b", "c", "d"]),
  ];
  const { trials } = expand(
    sampleConfig({ parameters, grid: { kind: "random", samples: 4000, seed: 9 } }),
  );
  const decades = [0, 0, 0, 0];
  const choices: Record<string, number> = {};
  for (const { params } of trials) {
    const lr = params["lr"] as number;
    assert.ok(lr >= 1e-4 && lr <= 1);
    decades[Math.min(3, Math.floor(Math.log10(lr) + 4))]!++;
    const opt = params["opt"] as string;
    choices[opt] = (choices[opt] ?? 0) + 1;
  }
  for (const n of [...decades, ...Object.values(choices)]) {
    assert.ok(n > 880 && n < 1120, `${n} of 4000 in a quarter`);
  }
});

test("random and sobol values are clean: an override text says exactly what was chosen", () => {
  for (const kind of ["random", "sobol"] as const) {
    const parameters = [continuous("x", 0.1, 0.9)];
    const { trials } = expand(sampleConfig({ parameters, grid: { kind, samples: 50, seed: 2 } }));
    for (const { params } of trials) {
      const x = params["x"] as number;
      assert.equal(Number(x.toPrecision(10)), x);
    }
  }
});

test("sobol: a growing sequence keeps its points, and 8 samples hit 8 choices once each", () => {
  const parameters = [
    discrete("a", [0, 1, 2, 3, 4, 5, 6, 7]),
    discrete("fixed", ["only"]),
    continuous("x", 0, 1),
  ];
  const sobol = (samples: number) =>
    expand(sampleConfig({ parameters, grid: { kind: "sobol", samples, seed: 11 } })).trials;
  const first = sobol(8);
  assert.deepEqual(sobol(64).slice(0, 8).map((t) => t.params), first.map((t) => t.params));
  assert.equal(new Set(first.map(({ params }) => params["a"])).size, 8);
  assert.equal(new Set(first.map(({ params }) => Math.floor((params["x"] as number) * 8))).size, 8);
});

test("sobol: too many varying parameters are refused, fixed ones do not count", () => {
  const varied = Array.from({ length: 37 }, (_, i) => discrete(`p${i}`, [1, 2]));
  const grid = { kind: "sobol", samples: 4, seed: 0 } as const;
  const fits = sampleConfig({ parameters: [...varied, discrete("f", [1])], grid });
  assert.equal(expand(fits).trials.length, 4);
  const parameters = [...varied, discrete("more", [1, 2])];
  assert.throws(() => expand(sampleConfig({ parameters, grid })), /38 parameters vary, at most 37/);
});

test("more than a million combinations are refused before any is made", () => {
  const values = Array.from({ length: 1000 }, (_, i) => i);
  const parameters = ["a", "b", "c", "d"].map((name) => discrete(name, values));
  const started = Date.now();
  assert.throws(
    () => expand(sampleConfig({ parameters })),
    (error) =>
      isUserError(error) && error.message.includes("1000 × 1000 × 1000 × 1000") &&
      error.message.includes("at most 1000000"),
  );
  assert.ok(Date.now() - started < 1000);
  const repeats = { count: 101, parameter: "seed", first: 0 };
  const grid = { kind: "random", samples: 10_000, seed: 0 } as const;
  assert.throws(() => expand(sampleConfig({ parameters, grid, repeats })), /1010000 combinations/);
});

test("conditions exclude and force; what becomes equal runs once, and a notice tells it", () => {
  const condition = (name: string): Condition => ({
    name,
    when: [],
    exclude: {},
    force: {},
    set: {},
    slurm: {},
  });
  const apply: typeof applyConditions = (_, params) =>
    params["b"] === "z" ? { excludedBy: "no z" } : {
      params: params["a"] === 2 ? { ...params, b: "x" } : params,
      extras: { "trainer.fast": true },
      resources: { memoryMiB: 2048 },
      conditions: ["force x"],
    };
  const config = sampleConfig({
    parameters: abc.slice(0, 2),
    conditions: [condition("no z"), condition("force x")],
  });
  const { trials, counts, notices } = expand(config, undefined, apply);
  assert.deepEqual(counts, { combinations: 6, excluded: 2, duplicates: 1 });
  assert.deepEqual(trials.map(({ params }) => params), [
    { a: 1, b: "x" },
    { a: 1, b: "y" },
    { a: 2, b: "x" },
  ]);
  assert.deepEqual(trials[0]!.extras, { "trainer.fast": true });
  assert.deepEqual(trials[0]!.resources, { memoryMiB: 2048 });
  assert.deepEqual(trials[0]!.conditions, ["force x"]);
  assert.match(notices[0]!.message, /exclude 2 of 6 combinations: "no z" 2/);
  assert.match(notices[1]!.message, /1 of 6 combinations repeats an earlier trial/);
});

test("real conditions exclude, force and set, and a Hydra prefix is no obstacle", () => {
  const parameters = [discrete("+a", [1, 2], { abbrev: "a" }), discrete("b", ["x", "y"])];
  const none = { when: [], exclude: {}, force: {}, set: {}, slurm: {} };
  const two = { kind: "compare", parameter: "+a", operator: "eq", value: 2 } as const;
  const conditions: Condition[] = [
    { ...none, name: "no y", when: [two], exclude: { b: ["y"] } },
    { ...none, name: "big", when: [two], set: { wd: 0.5 }, slurm: { memoryMiB: 4096 } },
    { ...none, name: "one b", force: { b: "x" } },
  ];
  const { trials, counts } = expand(sampleConfig({ parameters, conditions }));
  assert.deepEqual(counts, { combinations: 4, excluded: 1, duplicates: 1 });
  assert.deepEqual(trials.map(({ name, extras, resources }) => [name, extras, resources]), [
    ["a-1_b-x", {}, {}],
    ["a-2_b-x", { wd: 0.5 }, { memoryMiB: 4096 }],
  ]);
});

test('1 and "1", true and "True" are two trials, 0.3 and 0.1 + 0.2 are one', () => {
  const values = [1, "1", true, "True", 0.3, 0.1 + 0.2, 12345678901, 12345678902];
  const { trials, counts } = expand(sampleConfig({ parameters: [discrete("v", values)] }));
  assert.equal(trials.length, 7);
  assert.equal(counts.duplicates, 1);
  assert.equal(new Set(trials.map(({ name }) => name)).size, 7);
});

test("a parameter named like a member of Object.prototype is a parameter like others", () => {
  const parameters = ["__proto__", "constructor", "toString", "7"].map((n) => discrete(n, [1, 2]));
  const { trials } = expand(sampleConfig({ parameters }));
  assert.equal(trials.length, 16);
  assert.equal(trials[0]!.name, "__proto__-1_constructor-1_toString-1_7-1");
  assert.ok(trials.every(({ params }) => Object.hasOwn(params, "__proto__")));
});

test("csv: declared parameters come in YAML order, further columns follow", () => {
  const config = sampleConfig({ parameters: abc, trialsFile: "t.csv" });
  const { trials } = expand(config, parseCsv("extra,b,a\n9,x,2\nfoo,z,1\n", "t.csv"));
  assert.deepEqual(trials.map(({ params }) => params), [
    { a: 2, b: "x", c: true, extra: 9 },
    { a: 1, b: "z", c: true, extra: "foo" },
  ]);
  assert.equal(trials[0]!.name, "a-2_b-x_c-True_extra-9");
});

test("csv: a label stands for its value, and a value that is not allowed is refused with its line", () => {
  const parameters = [
    discrete("layers", [[64], [64, 64]], { labels: ["small", "large"] }),
    continuous("lr", 0, 1),
  ];
  const config = sampleConfig({ parameters, trialsFile: "t.csv" });
  assert.deepEqual(rowsOf(config, "layers,lr\nlarge,0.5\n"), [[[64, 64], 0.5]]);
  assert.throws(() => rowsOf(config, "layers,lr\nlarge,0.5\nhuge,0.5\n"), /"huge" in line 3/);
  assert.throws(() => rowsOf(config, "layers,lr\nlarge,1.5\n"), /1\.5 in line 2 is no value/);
});

test("csv: a column that looks like a misspelt parameter is refused", () => {
  const parameters = [discrete("learning_rate", [1, 2], { default: 1 })];
  const config = sampleConfig({ parameters, trialsFile: "t.csv" });
  assert.throws(
    () => rowsOf(config, "learning_rat\n1\n"),
    (error) => isUserError(error) && error.hint === 'Did you mean "learning_rate"?',
  );
});

test("csv: a file without trials is refused", () => {
  assert.throws(() => rowsOf(sampleConfig({ trialsFile: "t.csv" }), "a,b\n"), /lists no trials/);
});

test("G.2.18: 100,000 trials expand in seconds, with names that are all different", () => {
  const parameters = [
    continuous("lr", 1e-5, 0.1, { scale: "log", steps: 50 }),
    discrete("opt", ["adam", "sgd", "lion", "adamw"]),
    continuous("dropout", 0, 0.5, { steps: 10 }),
    discrete("width", [64, 128, 256, 512, 1024]),
    discrete("layers", [[1], [1, 1]]),
  ];
  const repeats = { count: 5, parameter: "seed", first: 0 };
  const started = Date.now();
  const { trials } = expand(sampleConfig({ parameters, repeats }));
  const took = Date.now() - started;
  assert.equal(trials.length, 100_000);
  assert.equal(new Set(trials.map(({ name }) => name)).size, 100_000);
  assert.ok(took < 10_000, `took ${took} ms`);
});

function isUserError(error: unknown): error is UserError {
  return error instanceof UserError;
}
