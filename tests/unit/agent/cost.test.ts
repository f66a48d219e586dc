import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_MODEL } from "../../../lib/agent/claude.ts";
import { answerRoom, costOf, modelUse, priceOf } from "../../../lib/agent/cost.ts";
import { PRICES } from "../../../lib/agent/prices.ts";

test("a model is priced under all the names it goes by", () => {
  const expected = { input: 3, output: 15, cacheRead: 3 * 0.1, cacheWrite: 3.75 };
  for (
    const name of [
      "claude-sonnet-4-5",
      "claude-sonnet-4-5-20250929",
      "claude-sonnet-4-5@20250929",
      "claude-sonnet-4-5-latest",
      "claude-sonnet-4-5[1m]",
      "Claude-Sonnet-4-5",
      "anthropic/claude-sonnet-4-5",
      "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ]
  ) {
    assert.deepEqual(priceOf(name, {}), expected, name);
  }
  assert.deepEqual(priceOf("claude-sonnet-4-20250514", {})?.input, 3);
});

test("a model that nobody priced has no price: neither a neighbour's nor an inherited one", () => {
  for (
    const name of ["claude-sonnet-5-7", "claude-opus-9", "gpt-6", "", "constructor", "__proto__"]
  ) {
    assert.equal(priceOf(name, {}), undefined, name);
  }
});

test("the user's own price wins, by the exact name and by the plain one", () => {
  const mine = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
  assert.equal(priceOf("claude-opus-5-5", { "claude-opus-5-5": mine }), mine);
  assert.equal(priceOf("claude-opus-5-5-20260915", { "claude-opus-5-5": mine }), mine);
  assert.equal(priceOf("our/llama", { "our/llama": mine }), mine);
});

test("long prompts cost what long prompts cost", () => {
  assert.equal(priceOf("claude-haiku-5-5", {}, 100_000)?.output, 0.5);
  assert.equal(priceOf("claude-haiku-5-5", {}, 100_001)?.output, 2.5);
  const tokens = { input: 1, output: 1_000_000, cacheRead: 100_000, cacheWrite: 0 };
  const used = { model: "claude-haiku-5-5", tokens, estimated: false, purpose: "tick" };
  assert.ok((modelUse(used, {}).usd ?? 0) > 2.5);
});

test("the default model has a price, and every price is one", () => {
  assert.notEqual(priceOf(DEFAULT_MODEL, {}), undefined);
  for (const [name, { input, output, cacheRead, cacheWrite }] of Object.entries(PRICES)) {
    assert.ok(input > 0 && output > input, name);
    assert.ok(cacheRead < input && cacheWrite > input, name);
  }
});

test("a cost is the sum over all kinds of tokens", () => {
  const price = { input: 1, output: 10, cacheRead: 0.1, cacheWrite: 2 };
  const tokens = { input: 1e6, output: 1e5, cacheRead: 1e7, cacheWrite: 5e5 };
  assert.equal(costOf(tokens, price), 1 + 1 + 1 + 1);
});

test("an estimate says that it is one, and no price is null, not zero", () => {
  const tokens = { input: 10, output: 10, cacheRead: 0, cacheWrite: 0 };
  const use = modelUse({ model: "nobody's", tokens, estimated: true, purpose: "tick" }, {});
  assert.equal(use.usd, null);
  assert.match(use.purpose, /estimated/);
});

test("an answer may be as long as what is left pays for, prompt included", () => {
  const price = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 };
  const room = (leftUsd: number, promptTokens: number) =>
    answerRoom({ leftUsd, price, promptTokens, maxTokens: 4_096 });
  assert.equal(room(1, 10_000), 4_096);
  assert.ok(Math.abs((room(0.03, 10_000) ?? 0) - 500) <= 1);
  assert.equal(room(0.026, 10_000), undefined);
  assert.equal(room(0, 0), undefined);
  assert.equal(room(-1, 0), undefined);
  const free = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  assert.equal(answerRoom({ leftUsd: 0, price: free, promptTokens: 9, maxTokens: 99 }), 99);
});
