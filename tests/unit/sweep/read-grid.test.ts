import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOf, mistakesOf, read, refuses, REST } from "../../support/reading.ts";

test("each form of grid is read", () => {
  const grid = (text: string) => read(`${text}${REST}`).grid;
  assert.deepEqual(grid(""), { kind: "one-at-a-time" });
  assert.deepEqual(grid("grid: all"), { kind: "all" });
  assert.deepEqual(grid("grid: [opt, lr]"), { kind: "some", names: ["opt", "lr"] });
  assert.deepEqual(grid("grid: []"), { kind: "some", names: [] });
  assert.deepEqual(grid("grid: random\nsamples: 20"), { kind: "random", samples: 20, seed: 0 });
  assert.deepEqual(grid("grid: sobol\nsamples: 8\nseed: 7"), {
    kind: "sobol",
    samples: 8,
    seed: 7,
  });
  assert.deepEqual(grid("grid: {random: {samples: 20, seed: 1}}"), {
    kind: "random",
    samples: 20,
    seed: 1,
  });
  assert.deepEqual(grid("grid: {sobol: }\nsamples: 4"), { kind: "sobol", samples: 4, seed: 0 });
});

test("what is no grid is refused with what is", () => {
  refuses([
    ["grid: some", '1:7 Cannot read grid: found "some", expected "all", a list of parameters, "ra'],
    ["grid: {grid: 3}", "1:7 Cannot read grid: found a mapping, expected one key"],
    ["grid: [lrr]", '1:8 Cannot use in the grid "lrr": it is not a parameter'],
    ["grid: [lr, lr]", '1:12 Cannot use "lr" twice in the grid'],
    ["grid: random", '1:7 Missing key "samples": "grid: random" needs the number of trials'],
    [
      "grid: random\nsamples: 0",
      "2:10 Cannot read samples: found 0, expected a whole number from 1",
    ],
    ["grid: sobol\nsamples: 4\nseed: -1", "3:7 Cannot read seed: found -1"],
    ["grid: {random: {samples: 4}}\nsamples: 5", '2:1 Cannot use "samples" twice'],
    ["grid: {random: {sample: 4}}", '1:7 Missing key "samples"', '1:17 Unknown key "sample"'],
    ["samples: 4", '1:1 Cannot use "samples" here: it goes with "grid: random"'],
    ["grid: all\nseed: 4", '2:1 Cannot use "seed" here'],
  ]);
  assert.equal(errorOf(`grid: [lrr]${REST}`).hint, 'Did you mean "lr"?');
});

const BARE = `name: s
parameters:
  a: {type: discrete, values: [1, 2]}
  b: {type: continuous, low: 0, high: 1, steps: 2}
  c: {type: discrete, values: [1]}
`;

test("a parameter that the grid leaves out needs a default, unless it has one value", () => {
  assert.deepEqual(mistakesOf(BARE), [
    '3:3 Parameter "a" needs a default, because no grid is set',
    '4:3 Parameter "b" needs a default, because no grid is set',
  ]);
  assert.deepEqual(mistakesOf(`${BARE}grid: [a]\n`), [
    '4:3 Parameter "b" needs a default, because it is not in the grid',
  ]);
  for (const grid of ["all", "random\nsamples: 3", "sobol\nsamples: 3"]) {
    assert.equal(read(`${BARE}grid: ${grid}\n`).parameters.length, 3);
  }
});

test("G.1.16: a grid that lists every parameter needs no default at all", () => {
  assert.deepEqual(read(`${BARE}grid: [c, b, a]\n`).grid, { kind: "some", names: ["c", "b", "a"] });
});

test("zip groups are lists of parameters of the same length", () => {
  assert.deepEqual(read(`${BARE}grid: all\nzip: [a, b]\n`).zip, [["a", "b"]]);
  assert.deepEqual(read(`${BARE}grid: all\nzip: [[b, a]]\n`).zip, [["b", "a"]]);
  assert.deepEqual(read(`${BARE}grid: all\nzip: []\n`).zip, []);
  // One member in the grid brings the other in, so neither needs a default.
  assert.deepEqual(read(`${BARE}grid: [a]\nzip: [a, b]\n`).zip, [["a", "b"]]);
  const zip = (text: string) => mistakesOf(`${BARE}grid: all\nzip: ${text}\n`);
  assert.deepEqual(zip("[a, c]"), [
    '7:6 Cannot zip parameters of different lengths: "a" has 2 values, "c" has 1 value',
  ]);
  assert.match(
    zip("[a, d]")[0]!,
    /^7:10 Cannot zip "d": it is not a parameter, known are a, b, c$/,
  );
  assert.match(zip("[[a, b], [b, a]]")[0]!, /^7:16 Cannot zip "b" twice$/);
  assert.match(
    zip("[a]")[0]!,
    /^7:6 Cannot read zip: found a list, expected a list of at least two/,
  );
  assert.match(zip("[[a, b], c]")[0]!, /^7:15 Cannot read zip\[1\]: found "c", expected a list/);
  assert.match(zip("a")[0]!, /^7:6 Cannot read zip: found "a", expected a list of groups/);
  assert.deepEqual(mistakesOf(`${BARE}grid: random\nsamples: 3\nzip: [a, b]\n`), [
    '8:6 Cannot zip "b" with "grid: random": it is continuous, and its values are drawn one by one',
  ]);
});

test("defaults of a zip group go together where they are used", () => {
  const text = (chosen: string) =>
    `name: s
zip: [a, b]
parameters:
  a: {type: discrete, values: [1, 2], default: 2}
  b: {type: discrete, values: [x, y], default: ${chosen}}
`;
  assert.deepEqual(read(text("y")).zip, [["a", "b"]]);
  assert.deepEqual(mistakesOf(text("x")), [
    '2:6 Cannot pair the defaults of "a" and "b": they stand at different places in their values',
  ]);
  assert.deepEqual(read(`${text("x")}grid: all\n`).zip, [["a", "b"]]);
});

test("repeats are a number or a mapping, with a parameter of their own", () => {
  const repeats = (text: string) => read(`repeats: ${text}${REST}`).repeats;
  assert.deepEqual(repeats("3"), { count: 3, parameter: "seed", first: 0 });
  assert.deepEqual(repeats("{count: 2, parameter: run, first: 1}"), {
    count: 2,
    parameter: "run",
    first: 1,
  });
  refuses([
    ["repeats: 0", "1:10 Cannot read repeats: found 0, expected a whole number from 1"],
    ["repeats: {parameter: run}", '1:1 Missing key "count" in repeats'],
    ["repeats: {count: 2, parameter: lr}", '1:32 Cannot repeat with "lr": the parameter "lr" has'],
    ["repeats: {count: 2, parameter: a b}", '1:32 Cannot read repeats.parameter: found "a b"'],
    ["repeats: {count: 2, frist: 1}", '1:21 Unknown key "frist" in repeats'],
    ["repeats: [3]", "1:10 Cannot read repeats: found a list"],
  ]);
  assert.deepEqual(
    mistakesOf(
      "name: s\nrepeats: 2\nparameters:\n  +seed: {type: discrete, values: [1], abbrev: x}\n",
    ),
    ['2:10 Cannot repeat with "seed": the parameter "+seed" has this name already'],
  );
});

test("a trials file stands for the grid, and parameters may describe its columns", () => {
  assert.deepEqual(read("name: s\ntrials: runs.csv\n").trialsFile, "runs.csv");
  const config = read(`name: s
trials: runs.csv
repeats: 2
parameters:
  lr: {abbrev: l}
  opt: {type: discrete, values: [/a, /b], labels: [a, b]}
  depth:
conditions:
  - {when: {expr: "lr > 1"}, set: {x: 1}}
`);
  assert.deepEqual(config.parameters.map((each) => [each.name, each.abbrev, each.type]), [
    ["lr", "l", "discrete"],
    ["opt", undefined, "discrete"],
    ["depth", undefined, "discrete"],
  ]);
  refuses([
    [
      "trials: a.csv\ngrid: all\nzip: [lr, opt]\nsamples: 3",
      '2:1 Cannot use "grid" with',
      '3:1 Cannot use "zip" with',
      '4:1 Cannot use "samples" with "trials"',
    ],
    ["trials: [a]", "1:9 Cannot read trials: found a list, expected a text"],
  ]);
});
