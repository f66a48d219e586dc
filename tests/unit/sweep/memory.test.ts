import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { formatMemory, parseMemory } from "../../../lib/sweep/memory.ts";

const FORMS: readonly (readonly [string | number, number, string])[] = [
  ["8G", 8192, "8G"],
  ["8g", 8192, "8G"],
  ["8GB", 8192, "8G"],
  ["8GiB", 8192, "8G"],
  ["12.00G", 12288, "12G"],
  ["1.5G", 1536, "1536M"],
  ["1500MB", 1500, "1500M"],
  ["1500M", 1500, "1500M"],
  ["1500", 1500, "1500M"],
  [8000, 8000, "8000M"],
  ["2T", 2 * 1024 * 1024, "2T"],
  ["512000K", 500, "500M"],
  ["1K", 1, "1M"],
  ["1025K", 2, "2M"],
  [0, 0, "0"],
  ["0", 0, "0"],
];

test("G.1.10: every spelling of memory is read and written as a whole number that SLURM takes", () => {
  for (const [form, mib, written] of FORMS) {
    assert.equal(parseMemory(form), mib, `${form}`);
    assert.equal(formatMemory(mib), written, `${form}`);
    assert.equal(parseMemory(written), mib, `${form}`);
    assert.match(written, /^\d+[MGT]?$/);
  }
});

test("G.1.10: half as much again of any usual memory is still a whole number with a unit", () => {
  for (const form of ["8G", "1500MB", "3G", "7T", "1M", "12.00G"]) {
    const more = formatMemory(parseMemory(form) * 1.5);
    assert.match(more, /^\d+[MGT]$/);
    assert.ok(parseMemory(more) >= parseMemory(form) * 1.5);
  }
});

test("what is no memory is refused with the forms that are", () => {
  for (const form of ["", "G", "8X", "8B", "-1", "8 G B", "1e3", "9".repeat(400), NaN, -1]) {
    assert.throws(
      () => parseMemory(form),
      (error) => error instanceof UserError && /expected 8000 \(mebibytes\)/.test(error.message),
      `${form}`,
    );
  }
});
