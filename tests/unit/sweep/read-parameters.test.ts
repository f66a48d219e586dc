import { expand } from "../../../lib/sweep/expand.ts";
import { overrideTokens } from "../../../lib/sweep/overrides.ts";
import type { DiscreteParameter } from "../../../lib/sweep/config.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Parameter } from "../../../lib/sweep/config.ts";
import { errorOf, mistakesOf, noticesOf, read, refuses } from "../../support/reading.ts";

/** A file with one parameter on line 4, which starts in column 6. */
function one(parameter: string, name = "a"): string {
  return `name: s\ngrid: all\nparameters:\n  ${name}: ${parameter}\n`;
}

function parameter(text: string, name?: string): Parameter {
  return read(one(text, name)).parameters[0]!;
}

function values(list: string): readonly unknown[] {
  const found = parameter(`{type: discrete, values: ${list}}`);
  assert.ok(found.type === "discrete");
  return found.values;
}

test("unquoted values are read by YAML 1.2, quoted ones are text", () => {
  assert.deepEqual(
    values(`[1, -2, +3, 1.50, .5, 5., 1e-5, 1E3, 0x1F, 0o17, true, False, null, ~, text, a b]`),
    [1, -2, 3, 1.5, 0.5, 5, 1e-5, 1000, 31, 15, true, false, null, null, "text", "a b"],
  );
  assert.deepEqual(values(`["32", '1e-3', "007", "true", "null", ""]`), [
    "32",
    "1e-3",
    "007",
    "true",
    "null",
    "",
  ]);
  assert.deepEqual(values("[!!str 5, !!int 5]"), ["5", 5]);
});

test("what PyYAML reads otherwise is said, with how to write it", () => {
  const table: readonly [string, unknown, string][] = [
    ["yes", true, 'Read yes as true: write true, or "yes" in quotes for the text'],
    ["Off", false, 'Read Off as false: write false, or "Off" in quotes for the text'],
    ["oN", true, 'Read oN as true: write true, or "oN" in quotes for the text'],
    ["NO", false, 'Read NO as false: write false, or "NO" in quotes for the text'],
    ["010", 10, 'Read 010 as 10: write 10, or "010" in quotes for the text'],
    ["1_000", 1000, 'Read 1_000 as 1000: write 1000, or "1_000" in quotes for the text'],
    ["1:30", "1:30", 'Read 1:30 as text, not as a number in base 60: write "1:30" in quotes'],
    ["0b11", "0b11", 'Read 0b11 as text, not as a number in base 2: write "0b11" in quotes'],
    [
      "9007199254740993",
      "9007199254740993",
      'Kept 9007199254740993 as text so that no digit is lost: write "9007199254740993" in quotes',
    ],
  ];
  for (const [written, value, notice] of table) {
    assert.deepEqual(values(`[${written}]`), [value]);
    assert.deepEqual(noticesOf(one(`{type: discrete, values: [${written}]}`)), [`4:32 ${notice}`]);
    assert.deepEqual(noticesOf(one(`{type: discrete, values: ["${written}"]}`)), []);
  }
  for (
    const plain of ["y", "n", "yes please", "0o7", "1.0e+5", "2e-05", ".5", "2024-01-01", "a_b"]
  ) {
    assert.deepEqual(noticesOf(one(`{type: discrete, values: [${plain}]}`)), [], plain);
  }
});

test("numbers that are none, and text that cannot reach a trainer, are refused", () => {
  refuses([
    [
      one("{type: discrete, values: [.nan]}"),
      "4:32 Cannot read parameters.a.values[0]: found .nan",
    ],
    [one("{type: continuous, low: 0, high: .inf}"), "4:39 Cannot read parameters.a.high: found"],
    [
      one("{type: discrete, values: [1e999]}"),
      "4:32 Cannot read parameters.a.values[0]: found 1e9",
    ],
    [one('{type: discrete, values: ["a\\0b"]}'), "4:32 Cannot read parameters.a.values[0]"],
    [one('{type: discrete, values: ["\\e[1m"]}'), "4:32 Cannot read parameters.a.values[0]"],
    [one('{type: discrete, values: ["\\ud800"]}'), "4:32 Cannot read parameters.a.values[0]"],
    [one("{type: continuous, low: .nan, high: 1}"), "4:30 Cannot read parameters.a.low: found"],
  ]);
});

test("hostile text that a shell can carry is kept as it is", () => {
  const hostile = [
    "a b",
    "'",
    '"',
    "a\nb",
    "a\tb",
    "$(id)",
    "`id`",
    ";",
    "*",
    "é😀",
    "x".repeat(4096),
  ];
  assert.deepEqual(values(JSON.stringify(hostile)), hostile);
});

test("a discrete parameter needs values, and its default is one of them", () => {
  refuses([
    [one("{type: discrete}"), '4:3 Missing key "values" in parameters.a'],
    [one("{type: discrete, values: []}"), "4:31 Cannot read parameters.a.values: found an empty"],
    [one("{type: discrete, values: }"), "4:31 Cannot read parameters.a.values: found no value"],
    [one("{type: discrete, values: 3}"), "4:31 Cannot read parameters.a.values: found 3, expected"],
    [
      one("{type: discrete, values: [1, x], default: 3}"),
      '4:48 Cannot read parameters.a.default: found 3, expected one of the values 1, "x"',
    ],
    [one("{type: discrete, values: [1], low: 3}"), '4:36 Unknown key "low" in parameters.a'],
    [one("{type: discrete, value: [1]}"), '4:23 Unknown key "value"'],
    [one("{values: [1]}"), '4:3 Missing key "type" in parameters.a: expected "discrete" or "con'],
    [one("{type: choice, values: [1]}"), '4:13 Cannot read parameters.a.type: found "choice"'],
    [one("3"), "4:6 Cannot read parameters.a: found 3, expected a mapping"],
    ["name: s\nparameters: []", "2:13 Cannot read parameters: found an empty list"],
    ["name: s\nparameters: {}", "2:13 Cannot read parameters: found an empty mapping"],
  ]);
});

test("a default is the same value as the one in the list, however either is quoted", () => {
  const text = (list: string, chosen: string) =>
    parameter(`{type: discrete, values: ${list}, default: ${chosen}}`).default;
  assert.equal(text("[32, 64]", '"32"'), 32);
  assert.equal(text('["32", "64"]', "32"), "32");
  assert.equal(text("[1e-3, 1e-2]", "0.001"), 0.001);
  assert.equal(text('["007", "7"]', '"007"'), "007");
  assert.match(mistakesOf(one('{type: discrete, values: ["007"], default: 7}'))[0]!, /^4:49 /);
});

test("null is a default where it is a value, and no default where it is none", () => {
  assert.equal(parameter("{type: discrete, values: [null, 1], default: null}").default, null);
  assert.equal(parameter("{type: discrete, values: [null, 1]}").default, undefined);
  assert.equal(parameter("{type: discrete, values: [1, 2], default: null}").default, undefined);
  assert.deepEqual(noticesOf(one("{type: discrete, values: [1, 2], default: null}")), [
    '4:48 Read parameters.a.default as "no default", as null is not one of the values',
  ]);
  const continuous = "{type: continuous, low: 0, high: 1, default: }";
  assert.equal(parameter(continuous).default, undefined);
  assert.equal(noticesOf(one(continuous)).length, 1);
});

test("labels are one for each value, different, and safe in a file's name", () => {
  const found = parameter("{type: discrete, values: [/data/a, /data/b], labels: [a, é.1_+-@=]}");
  assert.deepEqual(found.type === "discrete" && found.labels, ["a", "é.1_+-@="]);
  refuses([
    [
      one("{type: discrete, values: [1, 2], labels: [a]}"),
      "4:47 Cannot match labels with values: found 1 label for 2 values",
    ],
    [
      one("{type: discrete, values: [1, 2], labels: [a, a]}"),
      '4:51 Cannot use the label "a" twice',
    ],
    [
      one("{type: discrete, values: [1], labels: [a/b]}"),
      "4:45 Cannot read parameters.a.labels[0]",
    ],
    [
      one("{type: discrete, values: [1], labels: [a b]}"),
      "4:45 Cannot read parameters.a.labels[0]",
    ],
    [one('{type: discrete, values: [1], labels: [""]}'), "4:45 Cannot read parameters.a.labels[0]"],
    [one("{type: discrete, values: [1], labels: [$x]}"), "4:45 Cannot read parameters.a.labels[0]"],
    [
      one("{type: discrete, values: [a, b/c]}"),
      '4:35 Cannot name trials after the value "b/c" with its "/": this parameter needs "labels"',
    ],
  ]);
});

test("G.1.16: lists and mappings are values when they have labels", () => {
  const found = parameter("{type: discrete, values: [[64, 64], {a: [1]}], labels: [two, map]}");
  assert.deepEqual(found.type === "discrete" && found.values, [[64, 64], { a: [1] }]);
  refuses([
    [one("{type: discrete, values: [[64, 64]]}"), "4:32 Cannot name trials after a list"],
    [one("{type: discrete, values: [1, {a: 1}]}"), "4:35 Cannot name trials after a list"],
  ]);
});

test("a continuous parameter has a range, a scale, steps and a default within", () => {
  assert.deepEqual(parameter('{type: continuous, low: "1e-5", high: 1e-1, scale: log}'), {
    name: "a",
    abbrev: undefined,
    type: "continuous",
    low: 1e-5,
    high: 0.1,
    scale: "log",
    steps: 5,
    default: undefined,
  });
  refuses([
    [
      one("{type: continuous, high: 1}"),
      '4:3 Missing key "low" in parameters.a: expected a number',
    ],
    [one("{type: continuous, low: 1, high: 1}"), "4:30 Cannot read parameters.a.low: found 1, exp"],
    [one("{type: continuous, low: x, high: 1}"), '4:30 Cannot read parameters.a.low: found "x"'],
    [
      one("{type: continuous, low: 0, high: 1, scale: log}"),
      "4:30 Cannot read parameters.a.low: found 0, expected more than 0, as the scale is log",
    ],
    [
      one("{type: continuous, low: 0, high: 1, scale: lin}"),
      '4:49 Cannot read parameters.a.scale: found "lin", expected "linear" or "log"',
    ],
    [
      one("{type: continuous, low: 0, high: 1, steps: 0}"),
      "4:49 Cannot read parameters.a.steps: found 0, expected a whole number from 1",
    ],
    [
      one("{type: continuous, low: 0, high: 1, default: 2}"),
      "4:51 Cannot read parameters.a.default: found 2, expected a number from 0 to 1",
    ],
    [one("{type: continuous, low: 0, high: 1, values: [1]}"), '4:42 Unknown key "values"'],
  ]);
});

test("a name is safe by itself, or has an abbreviation that is", () => {
  for (const name of ["lr", "model.lr", "a-b", "expr", "on", "2fast"]) {
    assert.equal(parameter("{type: discrete, values: [1]}", name).name, name);
  }
  for (const name of ["+lr", "++model.lr", "~x", "model/arch", "é", "a,b"]) {
    const text = "{type: discrete, values: [1], abbrev: m}";
    assert.equal(parameter(text, JSON.stringify(name)).name, name);
    const [first] = mistakesOf(one("{type: discrete, values: [1]}", JSON.stringify(name)));
    assert.match(first!, /^4:3 Cannot use ".*" as a parameter's name without an "abbrev"/);
  }
  assert.equal(
    errorOf(one("{type: discrete, values: [1]}", "++model.lr")).hint,
    'Add "abbrev: model.lr" to it',
  );
  for (
    const name of [
      "a b",
      "a=b",
      "a'b",
      'a"b',
      "a`b",
      "a\\b",
      "a\nb",
      "-a",
      "",
      "+",
      "experiment_name",
    ]
  ) {
    const text = one("{type: discrete, values: [1], abbrev: m}", JSON.stringify(name));
    assert.match(mistakesOf(text)[0]!, /^4:3 Cannot use ".*" as a parameter's name/s, name);
  }
  for (const abbrev of ["a b", "a/b", "-a", "é", "+a"]) {
    const text = one(`{type: discrete, values: [1], abbrev: ${JSON.stringify(abbrev)}}`);
    assert.match(mistakesOf(text)[0]!, /^4:44 Cannot read parameters.a.abbrev: found /, abbrev);
  }
});

test("names that are the same without their prefix are refused", () => {
  assert.deepEqual(
    mistakesOf(`name: s
grid: all
parameters:
  lr: {type: discrete, values: [1]}
  +lr: {type: discrete, values: [1], abbrev: m}
`),
    ['5:3 Cannot tell the parameters "lr" and "+lr" apart: both are "lr" without their prefix'],
  );
});

test("G.1.13: two parameters with one abbreviation are refused, and so is one that is another's name", () => {
  const text = (first: string, second: string) =>
    `name: s
grid: all
parameters:
  lr: {type: discrete, values: [1]${first}}
  mom: {type: discrete, values: [1]${second}}
`;
  assert.deepEqual(mistakesOf(text(", abbrev: m", ", abbrev: m")), [
    '5:46 Cannot use "m" for both "lr" and "mom": each parameter needs a short name of its own',
  ]);
  assert.deepEqual(mistakesOf(text("", ", abbrev: lr")), [
    '5:46 Cannot use "lr" for both "lr" and "mom": each parameter needs a short name of its own',
  ]);
  assert.deepEqual(mistakesOf(text(", abbrev: mom", "")), [
    '5:3 Cannot use "mom" for both "lr" and "mom": each parameter needs a short name of its own',
  ]);
});

test("a value that stands twice is told", () => {
  assert.deepEqual(noticesOf(one("{type: discrete, values: [1, 2, 1.0]}")), [
    "4:38 Found 1 twice in parameters.a.values",
  ]);
  assert.deepEqual(noticesOf(one("{type: discrete, values: [x, y, x, y, x]}")), [
    '4:38 Found "x" 3 times in parameters.a.values',
    '4:41 Found "y" twice in parameters.a.values',
  ]);
});

test("infinity is a value that JSON can hold, and goes to the trainer as HyperHerd wrote it", () => {
  const text = one("{type: discrete, values: [1.0, .inf, -.INF], default: .inf}");
  const { parameters } = read(text);
  assert.deepEqual((parameters[0] as DiscreteParameter).values, [1, "inf", "-inf"]);
  assert.equal(parameters[0]!.default, "inf");
  assert.equal(noticesOf(text)[0], "4:37 Read .inf as the text inf, which compares as infinity");
  const trial = expand(read(one("{type: discrete, values: [1.0, .inf]}"))).trials[1]!;
  assert.deepEqual(JSON.parse(JSON.stringify(trial.params)), { a: "inf" });
  assert.equal(trial.name, "a-inf");
  assert.equal(overrideTokens(trial, [])[1], "a=inf");
});

test("numbers that PyYAML took for text are told once in a file, with their new names", () => {
  const text = `${
    one("{type: discrete, values: [0.5, 1e-5, 1e-6]}")
  }  b: {type: discrete, values: [3e-5]}
`;
  assert.deepEqual(noticesOf(text), [
    "4:37 Read 1e-5 as a number, where HyperHerd had the text: new names read 1e-05; " +
    'write "1e-5" in quotes for the text',
  ]);
});

test("whole numbers that are written as floats are named as HyperHerd named them", () => {
  const names = (list: string) =>
    expand(read(one(`{type: discrete, values: ${list}}`))).trials.map(({ name }) => name);
  assert.deepEqual(names("[1.0e+5, 20000.0, 30000, 2.0]"), [
    "a-1e+05",
    "a-2e+04",
    "a-30000",
    "a-2",
  ]);
  assert.deepEqual(names("[123456.0, 123457.0]"), ["a-123456", "a-123457"]);
});
