import assert from "node:assert/strict";
import { test } from "node:test";
import { addUse, type Usage, usageTable, usdOn } from "../../../lib/chat/usage.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-02-07T12:00:00Z");
const USE = { model: "k2", input: 1_000, output: 20, cacheRead: 3, cacheWrite: 4, usd: 0.5 };

test("what conversations use is summed by day and model; what has no price is said", () => {
  let usage: Usage = {};
  usage = addUse(usage, undefined, NOW);
  assert.deepEqual(usageTable(usage, { by: "day", days: 7, now: NOW }), []);
  usage = addUse(usage, USE, NOW);
  usage = addUse(usage, { ...USE, model: undefined, usd: null }, NOW);
  usage = addUse(usage, USE, NOW - DAY);
  usage = addUse(usage, USE, NOW - 8 * DAY);
  assert.equal(usdOn(usage, "2026-02-07"), 0.5);
  assert.deepEqual(usageTable(usage, { by: "day", days: 7, now: NOW }), [
    "day         turns     in  out  cached                        cost",
    "2026-02-06      1  1,004   20       3                     $0.5000",
    "2026-02-07      2  2,008   40       6  $0.5000, 1 without a price",
    "total           3  3,012   60       9    $1.00, 1 without a price",
  ]);
  const models = usageTable(usage, { by: "model", days: 7, now: NOW });
  assert.match(models[1]!, /^k2 /);
  assert.match(models[2]!, /^unknown model .* 1 without a price$/);
});

test("days and names of models that agents tell do not grow without end", () => {
  let usage: Usage = {};
  for (let i = 0; i < 500; i++) usage = addUse(usage, { ...USE, model: `m${i}` }, NOW + i * DAY);
  assert.equal(Object.keys(usage).length, 400);
  for (let i = 0; i < 200; i++) usage = addUse(usage, { ...USE, model: `m${i}` }, NOW + 499 * DAY);
  const last = Object.values(usage).at(-1)!;
  assert.equal(Object.keys(last).length, 51);
  assert.equal(last["other models"]!.turns, 151);
  const odd = addUse({}, { ...USE, model: "__proto__" }, NOW);
  assert.equal(Object.keys(Object.values(odd)[0]!).length, 1);
});
