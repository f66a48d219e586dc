import assert from "node:assert/strict";
import test from "node:test";
import type { WorkUse } from "../../../lib/tasks/backend.ts";
import { costText, priceUse, sumUse, totalUse } from "../../../lib/tasks/use-price.ts";
import type { Priced } from "../../../lib/tasks/use-price.ts";

const CODER: Priced = {
  model: "qwen/qwen3-coder",
  price: { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 },
};

function used(model: string, rest: Partial<WorkUse> = {}): WorkUse {
  return {
    model,
    input: 1_000_000,
    output: 100_000,
    cacheRead: 2_000_000,
    cacheWrite: 400_000,
    usd: undefined,
    ...rest,
  };
}

test("a call costs its input, its output and both sides of the cache", () => {
  assert.equal(priceUse(used("qwen/qwen3-coder"), CODER).usd, 2 + 1 + 0.4 + 1);
});

test("the example of the user page costs what it says", () => {
  const primary = { model: "k", price: { input: 0.45, output: 2.25, cacheRead: 0, cacheWrite: 0 } };
  const use = used("k", { input: 180, output: 61, cacheRead: 0, cacheWrite: 0 });
  assert.equal(costText(priceUse(use, primary)), "$0.000218");
});

test("the provider's own word wins, and nonsense of it does not", () => {
  assert.equal(priceUse(used("qwen/qwen3-coder", { usd: 0.5 }), CODER).usd, 0.5);
  assert.equal(priceUse(used("unknown", { usd: 0 }), undefined).usd, 0);
  for (const usd of [NaN, -1, Infinity]) {
    assert.equal(priceUse(used("qwen/qwen3-coder", { usd }), CODER).usd, 4.4);
  }
});

test("a price that nobody knows is unknown, not nothing", () => {
  assert.equal(priceUse(used("other"), CODER).usd, null);
  assert.equal(priceUse(used("qwen/qwen3-coder"), { ...CODER, price: undefined }).usd, null);
  assert.equal(priceUse(used("x"), undefined).usd, null);
});

test("a date or a variant in the provider's name does not hide the price", () => {
  for (
    const name of ["qwen/qwen3-coder-20260101", "qwen/qwen3-coder-0127", "Qwen/Qwen3-Coder:nitro"]
  ) {
    assert.equal(priceUse(used(name), CODER).usd, 4.4, name);
  }
  assert.equal(priceUse(used("qwen/qwen3-coder-next"), CODER).usd, null);
  const free: Priced = {
    model: "qwen/qwen3-coder:free",
    price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  };
  // Exactly the one that was used goes before the one that was asked for.
  assert.equal(priceUse(used("qwen/qwen3-coder:free"), CODER, [free]).usd, 0);
  assert.equal(priceUse(used("qwen/qwen3-coder"), free, [CODER]).usd, 4.4);
});

test("where the model was left to the backend, its alias has the price", () => {
  const agent: Priced = { model: undefined, price: CODER.price };
  assert.equal(priceUse(used("whatever"), agent).usd, 4.4);
});

test("tokens that are no numbers spoil nothing", () => {
  const use = priceUse(
    used("qwen/qwen3-coder", { input: NaN, output: -5, cacheRead: Infinity, cacheWrite: 1.6 }),
    CODER,
  );
  assert.deepEqual([use.input, use.output, use.cacheRead, use.cacheWrite], [0, 0, 0, 2]);
  assert.ok(use.usd! >= 0 && use.usd! < 0.001);
});

test("D.11.23: every call of an attempt is counted, by model", () => {
  const calls = [
    priceUse(used("qwen/qwen3-coder"), CODER),
    priceUse(used("qwen/qwen3-coder"), CODER),
    priceUse(used("small", { usd: 0.25 }), CODER),
    priceUse(used("qwen/qwen3-coder"), CODER),
  ];
  const [coder, small] = sumUse(calls);
  assert.equal(coder!.input, 3_000_000);
  assert.equal(coder!.output, 300_000);
  assert.equal(coder!.cacheRead, 6_000_000);
  assert.equal(coder!.cacheWrite, 1_200_000);
  assert.equal(coder!.usd!.toFixed(6), "13.200000");
  assert.equal(small!.usd, 0.25);
  assert.equal(calls[0]!.input, 1_000_000);
});

test("one call of unknown price makes the sum of its model unknown, and the whole a least", () => {
  const known = { model: "a", input: 10, output: 1, cacheRead: 5, cacheWrite: 2, usd: 1 };
  const sums = sumUse([known, { ...known, usd: null }, { ...known, model: "b" }]);
  assert.deepEqual(sums.map(({ usd }) => usd), [null, 1]);
  assert.deepEqual(totalUse(sums), { tokensIn: 51, tokensOut: 3, usd: 1, partly: true });
  assert.deepEqual(totalUse([]), { tokensIn: 0, tokensOut: 0, usd: null, partly: false });
});

test("costs are shown so that something is never nothing", () => {
  const rows: readonly (readonly [number | null, string])[] = [
    [null, "n/a"],
    [0, "$0.00"],
    [1e-9, "<$0.000001"],
    [0.000218, "$0.000218"],
    [0.00999, "$0.009990"],
    [0.01, "$0.01"],
    [12.345, "$12.35"],
  ];
  for (const [usd, text] of rows) assert.equal(costText({ usd }), text);
  assert.equal(costText({ usd: 1.2, partly: true }), "≥ $1.20");
});
