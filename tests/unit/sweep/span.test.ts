import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpan } from "../../../lib/sweep/span.ts";

test("a stretch of time is a number of seconds, has units, or is a clock's reading", () => {
  const rows: readonly (readonly [string, number])[] = [
    ["0", 0],
    ["1800", 1800],
    ["90s", 90],
    ["30m", 1800],
    ["1h30m", 5400],
    ["1H 30M", 5400],
    ["2d", 172_800],
    ["1d2h3m4s", 93_784],
    ["01:30:00", 5400],
    ["1:30:00", 5400],
    ["100:00:00", 360_000],
    ["1-12:00:00", 129_600],
    [" 5m ", 300],
  ];
  for (const [text, seconds] of rows) assert.equal(parseSpan(text), seconds, text);
});

test("what could mean two things, or nothing, is not read", () => {
  const odd = [
    "",
    " ",
    "m",
    "-1",
    "1.5h",
    "10:00",
    "1-12",
    "30m1h",
    "5m5m",
    "1w",
    "1e3",
    "1:60:00",
  ];
  for (const text of [...odd, "1:00:99", "soon", "1 800", "30min", "9999999999", "NaN", "1h30"]) {
    assert.equal(parseSpan(text), undefined, text);
  }
});
