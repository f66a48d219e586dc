import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createStream } from "../../../lib/sweep/random.ts";
import { SOBOL_DIMENSIONS, sobolDirections, sobolFraction } from "../../../lib/sweep/sobol.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../../fixtures/python/sobol.json", import.meta.url), "utf8"),
) as { sixtyFourths: number[][]; at1000003: number[] };

test("the first points and a far one are those of SciPy's Sobol sequence in every dimension", () => {
  assert.equal(fixture.at1000003.length, SOBOL_DIMENSIONS);
  for (let dimension = 0; dimension < SOBOL_DIMENSIONS; dimension++) {
    const directions = sobolDirections(dimension);
    const bitsAt = (index: number) => Math.floor(sobolFraction(directions, index, 0) * 2 ** 32);
    for (const [index, point] of fixture.sixtyFourths.entries()) {
      assert.equal(bitsAt(index) / 2 ** 26, point[dimension], `dimension ${dimension}`);
    }
    assert.equal(bitsAt(1_000_003), fixture.at1000003[dimension]);
  }
});

test("there are at least 21 dimensions and none beyond the table", () => {
  assert.ok(SOBOL_DIMENSIONS >= 21);
  assert.throws(() => sobolDirections(SOBOL_DIMENSIONS), RangeError);
});

test("a shifted dimension has one point in each of 2^k equal cells", () => {
  for (const dimension of [0, 1, 7, 20, SOBOL_DIMENSIONS - 1]) {
    const directions = sobolDirections(dimension);
    const shift = 0x9abcdef1 | 0;
    const cells = Array.from(
      { length: 256 },
      (_, i) => Math.floor(sobolFraction(directions, i, shift) * 256),
    );
    assert.equal(new Set(cells).size, 256);
  }
});

test("two dimensions cover the square more evenly than random points do", () => {
  const count = 256;
  const axes = [3, 4].map((dimension) => sobolDirections(dimension));
  const sobol = Array.from(
    { length: count },
    (_, i) => axes.map((directions) => sobolFraction(directions, i, 12345)),
  );
  const streams = ["a", "b"].map((name) => createStream(1, name));
  const random = Array.from({ length: count }, () => streams.map((next) => next()));
  assert.ok(discrepancy(sobol) < discrepancy(random) / 3);
});

/** Centred L2 discrepancy in two dimensions (Hickernell), squared terms as published. */
function discrepancy(points: readonly (readonly number[])[]): number {
  const n = points.length;
  let single = 0;
  let pairs = 0;
  for (const x of points) {
    single += x.reduce(
      (product, v) => product * (1 + Math.abs(v - 0.5) / 2 - Math.abs(v - 0.5) ** 2 / 2),
      1,
    );
    for (const y of points) {
      pairs += x.reduce((product, v, i) => {
        const w = y[i]!;
        return product *
          (1 + Math.abs(v - 0.5) / 2 + Math.abs(w - 0.5) / 2 - Math.abs(v - w) / 2);
      }, 1);
    }
  }
  return Math.sqrt((13 / 12) ** 2 - 2 * single / n + pairs / n ** 2);
}
