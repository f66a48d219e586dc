import { test } from "node:test";
import assert from "node:assert/strict";
import {
  curveOf,
  parseStream,
  readStream,
  summarise,
  valueAtRung,
} from "../../../lib/sweep/metrics.ts";
import type { Point } from "../../../lib/sweep/metrics.ts";

function line(step: unknown, value: unknown, ts: unknown): string {
  return JSON.stringify({ step, value, ts });
}

function rising(count: number, secondsPerStep: number): Point[] {
  return Array.from({ length: count }, (_, i) => ({
    step: i + 1,
    value: 1,
    at: 1000 + i * secondsPerStep,
  }));
}

test("a stream is read in the order of its lines", () => {
  const text = `${line(1, 0.5, 10.25)}\n${line(2, -3, 11)}\r\n`;
  assert.deepEqual(parseStream(text), [
    { step: 1, value: 0.5, at: 10.25 },
    { step: 2, value: -3, at: 11 },
  ]);
});

test("Python's NaN and infinities are no values, but kept as they were written", () => {
  const text = [
    '{"step": 1, "value": NaN, "ts": 1.0}',
    '{"step": 2, "value": Infinity, "ts": 1.0}',
    '{"step": 3, "value": -Infinity, "ts": 1.0}',
    '{"step": 4, "value": 1e999, "ts": 1.0}',
    '{"step": 5, "value": null, "ts": 1.0}',
    '{"step": 6, "value": "nan", "ts": 1.0}',
    '{"step": 7, "value": {"a": 1}, "ts": 1.0}',
    '{"step": 8, "value": true, "note": "NaN \\"Infinity", "ts": 1.0}',
  ].join("\n");
  const { points, bad } = readStream(text);
  assert.equal(bad, 0);
  assert.deepEqual(points.map(({ value }) => value), Array(8).fill(null));
  assert.deepEqual(points.map(({ raw }) => raw), [
    "NaN",
    "Infinity",
    "-Infinity",
    "Infinity",
    "null",
    "nan",
    '{"a":1}',
    "true",
  ]);
});

test("G.1.11: torn and foreign lines cost only themselves, and are counted", () => {
  const text = [
    line(1, 1, 1),
    '{"step": 2, "val',
    "NaN",
    "[]",
    "null",
    '"step"',
    line("3", 1, 1),
    '{"step": NaN, "value": 1}',
    '{"step": 4}',
    '{"value": 4}',
    "\u0000\u0000\u0000",
    line(5, 5, "soon"),
    '{"step": 6, "value": 6, "ts"',
  ].join("\n");
  const { points, bad } = readStream(text);
  assert.deepEqual(points, [{ step: 1, value: 1, at: 1 }, { step: 5, value: 5, at: 0 }]);
  assert.equal(bad, 11);
});

test("an empty stream has no points", () => {
  assert.deepEqual(readStream(""), { points: [], bad: 0 });
  assert.deepEqual(readStream("\n\n"), { points: [], bad: 0 });
});

test("of a step's records the younger counts, and the curve rises", () => {
  const points = [
    { step: 2, value: 20, at: 5 },
    { step: 1, value: 10, at: 9 },
    { step: 1, value: 11, at: 8 },
    { step: 2, value: 21, at: 5 },
  ];
  assert.deepEqual(curveOf(points), [
    { step: 1, value: 10, at: 9 },
    { step: 2, value: 21, at: 5 },
  ]);
});

test("the value at a rung is that of the largest step up to it, else the earliest", () => {
  const curve = [
    { step: 4, value: 1, at: 0 },
    { step: 8, value: null, at: 0 },
    { step: 12, value: 3, at: 0 },
  ];
  assert.equal(valueAtRung(curve, 2), 1);
  assert.equal(valueAtRung(curve, 4), 1);
  assert.equal(valueAtRung(curve, 7), 1);
  assert.equal(valueAtRung(curve, 8), null);
  assert.equal(valueAtRung(curve, 11), null);
  assert.equal(valueAtRung(curve, 100), 3);
  assert.equal(valueAtRung([], 1), null);
});

test("progress is the highest step of all streams, with the rate of the stream that owns it", () => {
  const slow = rising(10, 60);
  const fast = rising(40, 2);
  assert.deepEqual(summarise([slow, fast]), { step: 40, stepsPerMinute: 30, at: 1078 });
  assert.deepEqual(summarise([]), { step: null, stepsPerMinute: null, at: null });
  assert.deepEqual(summarise([[]]), { step: null, stepsPerMinute: null, at: null });
});

test("the rate is that of the last eighty records", () => {
  const early = rising(500, 10);
  const last = early.at(-1)!;
  const late = Array.from({ length: 80 }, (_, i) => ({
    step: last.step + i + 1,
    value: 1,
    at: last.at + i + 1,
  }));
  assert.equal(summarise([[...early, ...late]]).stepsPerMinute, 60);
  assert.equal(summarise([[...early, ...late]], { records: 81 }).stepsPerMinute, 60);
  assert.notEqual(summarise([[...early, ...late]], { records: 200 }).stepsPerMinute, 60);
});

test("a resumed trainer's rate is that since its restart", () => {
  const before = rising(10, 1);
  const after = rising(5, 6).map((point) => ({
    ...point,
    step: point.step + 7,
    at: point.at + 9000,
  }));
  assert.deepEqual(summarise([[...before, ...after]]), {
    step: 12,
    stepsPerMinute: 10,
    at: 10024,
  });
});

test("one record, or records without times, have no rate", () => {
  assert.equal(summarise([rising(1, 1)]).stepsPerMinute, null);
  const timeless = [{ step: 1, value: 1, at: 0 }, { step: 2, value: 1, at: 0 }];
  assert.equal(summarise([timeless]).stepsPerMinute, null);
});
