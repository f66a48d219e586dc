import assert from "node:assert/strict";
import test from "node:test";
import { isNanOrInf, metricDocument, metricSummary } from "../../../lib/sweep/metric-document.ts";
import { parseStream } from "../../../lib/sweep/metrics.ts";
import type { Point } from "../../../lib/sweep/metrics.ts";

const points = (values: (number | string)[]): Point[] =>
  parseStream(
    values.map((value, step) => `{"step": ${step}, "value": ${value}, "ts": ${1000 + step}}`)
      .join("\n"),
  );

test("numbers are made of what is finite; what is not is seen all the same", () => {
  const document = metricDocument("loss", points([1, 2, "NaN", 4, "Infinity"]), {}, 0);
  assert.deepEqual(document, {
    name: "loss",
    n: 5,
    stepFirst: 0,
    stepLast: 4,
    last: null,
    mean: 7 / 3,
    median: 2,
    stddev: document.stddev,
    min: 1,
    max: 4,
    hasNanOrInf: true,
    recent: [1, 2, null, 4, null],
    points: [],
  });
  assert.ok(Math.abs(document.stddev! - 1.5275) < 1e-4);
});

test("G.1.16: NaN is seen however a trainer spells it, and a text is no NaN", () => {
  for (const raw of ["NaN", '"nan"', '"-inf"', '"Infinity"', "1e999", "-Infinity"]) {
    assert.ok(metricDocument("x", points([raw]), {}, 0).hasNanOrInf, raw);
  }
  for (const raw of ['"banana"', "null", "[1]", "true"]) {
    assert.ok(!metricDocument("x", points([raw]), {}, 0).hasNanOrInf, raw);
  }
  assert.ok(!isNanOrInf({ step: 0, value: 1, at: 0 }));
});

test("a window is by steps, by time and by number; NaN outside of it does not count", () => {
  const all = points(["NaN", 1, 2, 3, 4, 5]);
  const by = (query: Parameters<typeof metricDocument>[2]) => {
    const { n, stepFirst, stepLast, hasNanOrInf } = metricDocument("x", all, query, 1_005_000);
    return [n, stepFirst, stepLast, hasNanOrInf];
  };
  assert.deepEqual(by({ lastN: 2 }), [2, 4, 5, false]);
  assert.deepEqual(by({ lastN: 0 }), [0, null, null, false]);
  assert.deepEqual(by({ stepMin: 1, stepMax: 3 }), [3, 1, 3, false]);
  assert.deepEqual(by({ sinceSeconds: 2 }), [3, 3, 5, false]);
  assert.deepEqual(by({}), [6, 0, 5, true]);
});

test("an empty window has no numbers, a single point no deviation", () => {
  const none = metricDocument("x", [], {}, 0);
  assert.deepEqual([none.n, none.mean, none.median, none.min, none.max, none.last], [
    0,
    null,
    null,
    null,
    null,
    null,
  ]);
  const one = metricDocument("x", points([5]), {}, 0);
  assert.deepEqual([one.mean, one.median, one.stddev], [5, 5, null]);
});

test("huge numbers and many numbers neither overflow nor throw", () => {
  const huge = metricDocument("x", points([1.7e308, 1.7e308]), {}, 0);
  assert.deepEqual([huge.mean, huge.median], [1.7e308, 1.7e308]);
  const many = metricDocument("x", points(Array.from({ length: 200_000 }, (_, i) => i)), {}, 0);
  assert.deepEqual([many.n, many.min, many.max, many.median], [200_000, 0, 199_999, 99_999.5]);
  assert.ok(Math.abs(many.mean! - 99_999.5) < 1e-6);
});

test("points are thinned evenly and keep the first and the last", () => {
  const all = points(Array.from({ length: 10_001 }, (_, i) => i));
  const steps = (n: number) =>
    metricDocument("x", all, { points: n }, 0).points.map(({ step }) => step);
  assert.deepEqual(steps(3), [0, 5000, 10_000]);
  assert.deepEqual(steps(1), [10_000]);
  assert.equal(steps(1_000_000).length, 2000);
});

test("a resumed trainer's repeated steps count once, the younger value", () => {
  const stream = parseStream(
    '{"step":1,"value":9,"ts":1}\n{"step":2,"value":8,"ts":2}\n{"step":1,"value":7,"ts":3}\n',
  );
  assert.deepEqual(metricSummary("x", stream), {
    name: "x",
    n: 2,
    stepFirst: 1,
    stepLast: 2,
    last: 8,
  });
  assert.equal(metricDocument("x", stream, {}, 0).min, 7);
});
