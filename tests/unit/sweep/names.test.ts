import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { Parameter } from "../../../lib/sweep/config.ts";
import { expand } from "../../../lib/sweep/expand.ts";
import { nameTrials } from "../../../lib/sweep/names.ts";
import type { Value } from "../../../lib/sweep/value.ts";
import { continuous, discrete, sampleConfig } from "../../support/sample-config.ts";

const none: ReadonlySet<string> = new Set();

function namesOf(parameters: readonly Parameter[]): string[] {
  return expand(sampleConfig({ parameters })).trials.map(({ name }) => name);
}

function namesOfValues(...values: Value[]): string[] {
  return namesOf([discrete("v", values)]);
}

test("names are HyperHerd's where those were unique and safe", () => {
  const parameters = [
    continuous("lr", 1e-5, 1e-3, { scale: "log", steps: 3, abbrev: "l" }),
    discrete("opt.name", ["adam", null, true, 2.0, 0.123456], {}),
    discrete("path", ["/data/a"], { labels: ["a"] }),
  ];
  assert.deepEqual(namesOf(parameters).slice(0, 6), [
    "l-1e-05_opt.name-adam_path-a",
    "l-1e-05_opt.name-None_path-a",
    "l-1e-05_opt.name-True_path-a",
    "l-1e-05_opt.name-2_path-a",
    "l-1e-05_opt.name-0.1235_path-a",
    "l-0.0001_opt.name-adam_path-a",
  ]);
});

test("whole values of a continuous parameter are written as the floats that they are", () => {
  const parameters = [continuous("n", 0, 123456, { steps: 2 })];
  assert.deepEqual(namesOf(parameters), ["n-0", "n-1.235e+05"]);
  assert.deepEqual(namesOfValues(123456), ["v-123456"]);
});

test("G.1.13: values that agree to four digits get more digits, others keep theirs", () => {
  assert.deepEqual(namesOfValues(0.12341, 0.12343, 0.5), ["v-0.12341", "v-0.12343", "v-0.5"]);
  assert.deepEqual(namesOfValues(1.0000001, 1.0000002), ["v-1.0000001", "v-1.0000002"]);
});

test("G.1.13: parameters with one abbreviation still give names that differ", () => {
  const parameters = [
    discrete("a", [1, 2], { abbrev: "p" }),
    discrete("b", [1, 2], { abbrev: "p" }),
  ];
  assert.deepEqual(namesOf(parameters), ["p-1_p-1", "p-1_p-2", "p-2_p-1", "p-2_p-2"]);
  const joined = [
    discrete("a", ["1_p-2", "1"], { abbrev: "p" }),
    discrete("b", [2], { abbrev: "p" }),
  ];
  assert.equal(new Set(namesOf(joined)).size, 2);
});

test("values that look alike get a suffix made of their keys, the same in each order", () => {
  const names = namesOfValues(1, "1", "a b", "a/b", "a=b");
  assert.equal(new Set(names).size, 5);
  assert.match(names[0]!, /^v-1-x[0-9a-f]{8}$/);
  assert.match(names[2]!, /^v-a-b-x[0-9a-f]{8}$/);
  assert.deepEqual(namesOfValues("a=b", "1", "a/b", 1, "a b").sort(), names.sort());
});

test("hostile values give names that are safe as files and in Hydra", () => {
  const hostile = [
    "$(rm -rf /)",
    "a\nb",
    "../../etc",
    "a;b",
    "'\"",
    "",
    "日本語",
    "x=1,y=2",
    "\u0000",
    "z".repeat(4096),
    "z".repeat(4095) + "y",
    ["[1]", { k: "${v}" }],
  ];
  const names = namesOfValues(...hostile);
  assert.equal(new Set(names).size, hostile.length);
  for (const name of names) assert.match(name, /^[A-Za-z0-9._+-]{1,200}$/);
});

test("a name is never longer than 200 bytes, and long ones that begin alike differ", () => {
  const parameters = Array.from(
    { length: 6 },
    (_, i) => discrete(`a.parameter.with.a.long.name.that.goes.on.${i}`, [1, 2]),
  );
  const names = namesOf(parameters);
  assert.equal(new Set(names).size, 64);
  assert.ok(names.every((name) => name.length <= 200 && /-x[0-9a-f]{8}$/.test(name)));
});

test("names that are taken are not given again, not even with a suffix", () => {
  const naming = { names: ["v"], parameters: [discrete("v", [0.12341, 1])] };
  const trials = [{ params: { v: 0.12341 } }, { params: { v: 1 } }];
  assert.deepEqual(nameTrials(trials, naming, new Set(["v-0.1234"])), ["v-0.12341", "v-1"]);
  const taken = new Set(["v-1"]);
  for (let round = 0; round < 4; round++) {
    const [name] = nameTrials([{ params: { v: 1 } }], naming, taken);
    assert.ok(!taken.has(name!), name);
    taken.add(name!);
  }
});

test("names are unique and safe over random sweeps of near-equal floats and look-alike texts", () => {
  let state = 99;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  for (let round = 0; round < 300; round++) {
    const names = ["lr", "wd", "m.x"].slice(0, 1 + Math.floor(random() * 3));
    const parameters = names.map((name) => {
      const base = random() * 10 ** Math.floor(random() * 8 - 5);
      const values: Value[] = [];
      for (let i = 0; i < 1 + random() * 6; i++) {
        const near = base * (1 + Math.floor(random() * 4) * 10 ** -Math.floor(random() * 16));
        values.push(
          pick<Value>([near, String(near), near.toPrecision(4), base, [near], `${base}-x`]),
        );
      }
      return discrete(name, values, { abbrev: pick(["p", name.replace(".", "")]) });
    });
    const { trials } = expand(sampleConfig({ parameters }));
    const given = trials.map(({ name }) => name);
    assert.equal(new Set(given).size, given.length);
    assert.ok(given.every((name) => /^[A-Za-z0-9._+-]+$/.test(name)));
    const again = nameTrials(trials, { names, parameters }, new Set(given));
    assert.equal(new Set([...given, ...again]).size, given.length * 2);
  }
});

test("a trial without parameters has a name", () => {
  assert.deepEqual(nameTrials([{ params: {} }], { names: [], parameters: [] }, none), ["trial"]);
});
