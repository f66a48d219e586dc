import assert from "node:assert/strict";
import { test } from "node:test";
import { overrideString, overrideTokens } from "../../../lib/sweep/overrides.ts";
import type { Value } from "../../../lib/sweep/value.ts";
import { makeTrial, pythonOptions } from "./trial.ts";

const python = await pythonOptions();

/** What parse_overrides makes of the arguments after the program's name. */
async function parse(...arguments_: string[]): Promise<Record<string, unknown>> {
  using trial = makeTrial();
  const ended = await trial.python(
    "import json\nfrom herd_results import parse_overrides\nprint(json.dumps(parse_overrides()))",
    arguments_,
  );
  assert.equal(ended.exitCode, 0, ended.stderr);
  return JSON.parse(ended.stdout);
}

test("plain values become Python's: null, booleans, numbers, text", python, async () => {
  const text = "a=null b=None c=true d=false e=3 f=-4 g=0.5 h=1e-05 i=2.0 j=+7 k=.5 l=adam m=";
  assert.deepEqual(await parse(text), {
    a: null,
    b: null,
    c: true,
    d: false,
    e: 3,
    f: -4,
    g: 0.5,
    h: 0.00001,
    i: 2,
    j: 7,
    k: 0.5,
    l: "adam",
    m: "",
  });
});

test("text that only resembles a number stays text", python, async () => {
  const values = [
    "007",
    "1_000",
    "0x10",
    "1e",
    "--1",
    "1.2.3",
    "infinity",
    "True",
    "١٢",
    "1e5x",
    "nano",
  ];
  const expected = Object.fromEntries(values.map((value, i) => [`k${i}`, value]));
  assert.deepEqual(await parse(...values.map((value, i) => `k${i}=${value}`)), expected);
});

test("an experiment's name is text even when it looks like a number", python, async () => {
  assert.deepEqual(await parse("experiment_name=12 x=12"), { experiment_name: "12", x: 12 });
});

test("all ways in which a launcher passes the overrides give the same", python, async () => {
  const tokens = ["experiment_name=lr-0.1", "lr=0.1", "epochs=3"];
  const expected = { experiment_name: "lr-0.1", lr: 0.1, epochs: 3 };
  const whole = tokens.join(" ");
  assert.deepEqual(await parse(whole), expected);
  assert.deepEqual(await parse(...tokens), expected);
  assert.deepEqual(await parse(whole, ...tokens), expected);
  assert.deepEqual(await parse("--config", "x.yaml", whole), expected);
  assert.deepEqual(await parse(whole, "--cfg", "job", "--resolve"), expected);
  assert.deepEqual(await parse(whole, "epochs=9"), { ...expected, epochs: 9 });
  assert.deepEqual(await parse("--quick", ...tokens), expected);
});

test("hostile values that are passed one by one arrive unchanged", python, async () => {
  const hostile = [
    "a b",
    " lead",
    "tail ",
    "new\nline",
    "tab\t",
    "q'uote",
    'q"uote',
    "'quoted'",
    '"quoted"',
    "$(touch pwned)",
    "`id`",
    ";rm -rf /",
    "a=b=c",
    "*",
    "é実",
    "\\",
    "\\n",
    "{",
    "[1,",
    "]",
    "a,b",
    "x".repeat(4096),
    "[".repeat(4096),
    "9".repeat(5000),
    "{'a",
    "#",
    "~",
    "--flag",
  ];
  const tokens = overrideTokens(
    { name: "n", params: Object.fromEntries(hostile.map((v, i) => [`k${i}`, v])), extras: {} },
    [],
  );
  const parsed = await parse(overrideString(tokens), ...tokens);
  hostile.forEach((value, i) => {
    // Python before 3.11 reads any number of digits; JSON.parse then rounds it.
    if (/^9+$/.test(value) && typeof parsed[`k${i}`] === "number") return;
    assert.equal(parsed[`k${i}`], value, JSON.stringify(value).slice(0, 80));
  });
  assert.equal(parsed["experiment_name"], "n");
});

test(
  "lists and maps as herd writes them come back whole, with hostile text inside",
  python,
  async () => {
    const texts = [
      "a b",
      "it's",
      "''",
      "\\",
      "\\\\",
      "a\\'b",
      "end\\",
      "\\\\'",
      '"x"',
      "a,b",
      "[",
      "}",
      ":",
      "=",
      "",
      " pad ",
      "null",
      "true",
      "1e-5",
      "nan",
      "new\nline",
      "$(x)",
      "é",
      "a:b",
      "$x",
      "007",
      "1_0",
      "inf",
    ];
    const values: Record<string, Value> = {
      texts,
      nested: [[64, 64], [1.5, [true, null, []]], {}],
      map: { a: 1, "b c": "d e", "x:y": [1, { z: "it's" }], "1": "one", "p(q)": "\\" },
      empty: [],
      small: 0.00001 as Value,
    };
    const tokens = overrideTokens({ name: "n", params: values, extras: {} }, []);
    const { experiment_name: _, ...parsed } = await parse(...tokens);
    assert.deepEqual(parsed, values);
  },
);

test("lists and maps in JSON, and in Hydra's syntax by hand, are read", python, async () => {
  assert.deepEqual(
    await parse(
      'a=["x y", 1, null]',
      'b={"k": [1.5]}',
      "c=[a b, 'c', {d: e}]",
      "d=[ 1 , 2 ]",
      "e=[1,2",
    ),
    { a: ["x y", 1, null], b: { k: [1.5] }, c: ["a b", "c", { d: "e" }], d: [1, 2], e: "[1,2" },
  );
});

test("in one string, quotes around a value hold white space together", python, async () => {
  assert.deepEqual(
    await parse(`experiment_name=x note='a b' other="c d=e" it=don't l=['p q',r] bare='x' z=1`),
    {
      experiment_name: "x",
      note: "a b",
      other: "c d=e",
      it: "don't",
      l: ["p q", "r"],
      bare: "'x'",
      z: 1,
    },
  );
});

test("text beyond ASCII arrives whole in the C locale too, and names files", python, async () => {
  using trial = makeTrial();
  const source = `
import json
from herd_results import log_result, parse_overrides
overrides = parse_overrides()
log_result(overrides["name"], 1, step=1)
print(json.dumps(overrides))
`;
  const env = { ...trial.env, LC_ALL: "C", PYTHONCOERCECLOCALE: "0", PYTHONUTF8: "0" };
  const ended = await trial.python(source, ["experiment_name=x", "name=größe 実"], { env });
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.deepEqual(JSON.parse(ended.stdout), { experiment_name: "x", name: "größe 実" });
  assert.equal(trial.stream("größe 実").length, 1);
});

test("the last of two equal names counts, and words without = are left alone", python, async () => {
  assert.deepEqual(await parse("a=1", "flag", "=x", "a=2", "-v"), { a: 2 });
});

test(
  "no overrides at all is an error that shows how the launcher passes them",
  python,
  async () => {
    using trial = makeTrial();
    const source = "from herd_results import parse_overrides\nparse_overrides()";
    const ended = await trial.python(source);
    assert.match(ended.stderr, /RuntimeError: Cannot read the overrides: .*train\.py "\$\{@:2\}"/);
  },
);

test("a string or a list can be given instead of the command line", python, async () => {
  using trial = makeTrial();
  const ended = await trial.python(`
from herd_results import parse_overrides
assert parse_overrides("a=1 b=x") == {"a": 1, "b": "x"}
assert parse_overrides(["a=1 2", "b=x"]) == {"a": "1 2", "b": "x"}
assert parse_overrides([]) == {}
assert parse_overrides("") == {}
assert parse_overrides("a=nan")["a"] != parse_overrides("a=nan")["a"]
`);
  assert.equal(ended.exitCode, 0, ended.stderr);
});

test(
  "a hostile string of 200 KB is split in reasonable time",
  { ...python, timeout: 60_000 },
  async () => {
    using trial = makeTrial();
    const ended = await trial.python(`
import time
from herd_results import parse_overrides
start = time.process_time()
for text in ("a=" + "'" * 200000, "a='" + "\\\\" * 200000, "='" * 100000, "a=" + "x" * 200000, " " * 200000):
    parse_overrides(text)
assert time.process_time() - start < 20, time.process_time() - start
`);
    assert.equal(ended.exitCode, 0, ended.stderr);
  },
);
