import assert from "node:assert/strict";
import test from "node:test";
import { rank, rankRepeats } from "../../../lib/sweep/ranking.ts";

const contender = (index: number, value: number | null, seed = 0, lr = 1) => ({
  index,
  value,
  params: { lr, seed },
});

test("the best comes first in both directions, ties by index, no number last", () => {
  const list = [contender(3, 2), contender(1, null), contender(2, 2), contender(0, 5)];
  const indices = (direction: "min" | "max") => rank(list, direction).map(({ index }) => index);
  assert.deepEqual(indices("min"), [2, 3, 0, 1]);
  assert.deepEqual(indices("max"), [0, 2, 3, 1]);
});

test("repeats are averaged; one that diverged spoils its mean instead of vanishing from it", () => {
  const list = [
    contender(0, 1, 0, 1),
    contender(1, 3, 1, 1),
    contender(2, 9, 0, 2),
    contender(3, null, 1, 2),
    contender(4, 2.5, 0, 3),
  ];
  assert.deepEqual(rankRepeats(list, "seed", "max"), [
    { indices: [4], params: { lr: 3 }, mean: 2.5, std: null },
    { indices: [0, 1], params: { lr: 1 }, mean: 2, std: Math.SQRT2 },
    { indices: [2, 3], params: { lr: 2 }, mean: null, std: null },
  ]);
});
