import { strict as assert } from "node:assert";
import { test } from "node:test";
import { createStream } from "../../../lib/sweep/random.ts";

function take(seed: number, name: string, count: number): number[] {
  const next = createStream(seed, name);
  return Array.from({ length: count }, () => next());
}

test("a stream is the same for ever: these numbers must never change", () => {
  assert.deepEqual(take(42, "lr", 3), [
    0.41382667889644154,
    0.8329643799148022,
    0.9511211251602363,
  ]);
});

test("streams differ by seed and by name, also where text and number would run together", () => {
  const firsts = [[1, "a"], [2, "a"], [1, "b"], [11, "a"], [1, "1:a"], [1, ""], [0, ""]] as const;
  assert.equal(new Set(firsts.map(([seed, name]) => take(seed, name, 1)[0])).size, firsts.length);
});

test("numbers are uniform in [0, 1) and neighbouring seeds are not related", () => {
  const cells = new Array<number>(20).fill(0);
  for (const value of take(7, "dropout", 20_000)) {
    assert.ok(value >= 0 && value < 1);
    cells[Math.floor(value * 20)]!++;
  }
  const chiSquare = cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 45, `chi-square ${chiSquare} with 19 degrees of freedom`);
  const [a, b] = [take(1, "x", 5000), take(2, "x", 5000)];
  const correlation = a!.reduce((sum, v, i) => sum + (v - 0.5) * (b![i]! - 0.5), 0) / 5000 * 12;
  assert.ok(Math.abs(correlation) < 0.06, `correlation ${correlation}`);
});
