import { strict as assert } from "node:assert";
import { test } from "node:test";
import { discretise, valueAt } from "../../../lib/sweep/discretise.ts";
import { continuous } from "../../support/sample-config.ts";

test("linear steps are clean decimals with both ends exact", () => {
  assert.deepEqual(discretise(continuous("x", 0.1, 0.5)), [0.1, 0.2, 0.3, 0.4, 0.5]);
  assert.deepEqual(discretise(continuous("x", 0, 1, { steps: 11 })), [
    ...[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  ]);
  assert.deepEqual(discretise(continuous("x", -0.3, 0.3, { steps: 7 })), [
    ...[-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3],
  ]);
});

test("log steps are clean powers with both ends exact", () => {
  const values = discretise(continuous("lr", 1e-5, 0.1, { scale: "log" }));
  assert.deepEqual(values, [1e-5, 1e-4, 1e-3, 1e-2, 0.1]);
  const odd = discretise(continuous("lr", 0.00012345678912345, 0.1, { scale: "log", steps: 3 }));
  assert.equal(odd[0], 0.00012345678912345);
  assert.equal(odd[2], 0.1);
});

test("fewer than two steps give the low end alone", () => {
  assert.deepEqual(discretise(continuous("x", 3, 9, { steps: 1 })), [3]);
});

test("a range narrower than ten digits keeps its steps apart, in order and inside", () => {
  for (const [low, high] of [[1, 1.00000000001], [1e9, 1e9 + 1e-4], [-1e-300, 1e-300]]) {
    const values = discretise(continuous("x", low!, high!, { steps: 9 }));
    assert.equal(new Set(values).size, 9, `${low} to ${high}`);
    assert.deepEqual([...values].sort((a, b) => a - b), values);
    assert.ok(values.every((value) => value >= low! && value <= high!));
  }
});

test("the widest range does not overflow", () => {
  const values = discretise(continuous("x", -1.7e308, 1.7e308, { steps: 3 }));
  assert.deepEqual(values, [-1.7e308, 0, 1.7e308]);
});

test("values of random ranges stay inside, increase and move less than a hundredth of a step", () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 500; round++) {
    const low = (random() - 0.5) * 10 ** Math.floor(random() * 20 - 10);
    const high = low + random() * 10 ** Math.floor(random() * 20 - 10) + Number.MIN_VALUE;
    const steps = 2 + Math.floor(random() * 30);
    const spacing = (high - low) / (steps - 1);
    if (low >= high || spacing < Math.abs(high) * 1e-13) continue;
    const values = discretise(continuous("x", low, high, { steps }));
    for (const [i, value] of values.entries()) {
      assert.ok(Math.abs(value - (low + i * spacing)) <= spacing * 0.01, `${low} ${high} ${i}`);
    }
  }
});

test("a fraction of a log range lies where the logarithm says", () => {
  const range = { low: 1e-4, high: 1, scale: "log" } as const;
  assert.equal(valueAt(range, 0.5, 10_000), 0.01);
  assert.equal(valueAt(range, 0, 10_000), 1e-4);
});
