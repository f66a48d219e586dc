import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { formatDuration, parseDuration } from "../../../lib/sweep/duration.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const FORMS: readonly (readonly [string | number, number | null])[] = [
  [90, 90 * MINUTE],
  ["90", 90 * MINUTE],
  ["10:00", 10 * MINUTE],
  ["1:30", 2 * MINUTE],
  ["0:01", MINUTE],
  ["90:00", 90 * MINUTE],
  ["10:00:00", 10 * HOUR],
  ["01:00:00", HOUR],
  ["100:00:00", 100 * HOUR],
  ["00:00:61", 2 * MINUTE],
  ["1-0", DAY],
  ["1-12", 36 * HOUR],
  ["1-12:30", 36 * HOUR + 30 * MINUTE],
  ["1-12:00:00", 36 * HOUR],
  ["1-12:00:01", 36 * HOUR + MINUTE],
  ["  01:00:00 ", HOUR],
  ["UNLIMITED", null],
  ["infinite", null],
  ["0", null],
  ["00:00:00", null],
];

test("G.1.10: every form of a SLURM time is read as SLURM reads it, in whole minutes", () => {
  for (const [form, seconds] of FORMS) {
    assert.equal(parseDuration(form), seconds, `${form}`);
  }
});

test("what is no time is refused with the forms that are", () => {
  const hostile = ["", "2h", "1-", "-1", "1:2:3:4", "1-2-3", "10 00", "1.5", "1e3", "١٠", "1:\n2"];
  for (const form of [...hostile, 1.5, -1, NaN, Infinity, "9".repeat(400)]) {
    assert.throws(
      () => parseDuration(form),
      (error) =>
        error instanceof UserError && /expected 90 \(minutes\), "MM:SS"/.test(error.message),
      `${form}`,
    );
  }
});

test("a time is written with days only from a day on", () => {
  assert.equal(formatDuration(36 * HOUR), "1-12:00:00");
  assert.equal(formatDuration(4 * HOUR), "04:00:00");
  assert.equal(formatDuration(DAY - MINUTE), "23:59:00");
  assert.equal(formatDuration(100 * DAY), "100-00:00:00");
  assert.equal(formatDuration(null), "UNLIMITED");
});

test("a written time reads back as itself, for every form and many sizes", () => {
  const sizes = Array.from({ length: 3000 }, (_, i) => (i * i * 7 + 1) * MINUTE);
  for (const seconds of [...FORMS.map(([form]) => parseDuration(form)), ...sizes]) {
    const written = formatDuration(seconds);
    assert.equal(parseDuration(written), seconds, written);
    assert.equal(formatDuration(parseDuration(written)), written);
  }
});
