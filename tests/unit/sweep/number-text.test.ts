import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  canonicalNumber,
  formatG,
  numberText,
  shortestText,
} from "../../../lib/sweep/number-text.ts";

const fixture = JSON.parse(
  readFileSync(new URL("../../fixtures/python/format-g.json", import.meta.url), "utf8"),
) as { rows: string[][] };

test("formatG gives what Python's % operator gives, ties and extremes included", () => {
  assert.ok(fixture.rows.length > 250);
  for (const [value, ...wanted] of fixture.rows) {
    const number = Number(value);
    const found = [1, 4, 5, 10, 17].map((digits) => formatG(number, digits));
    assert.deepEqual(found, wanted.slice(0, 5), value);
  }
});

test("shortestText gives Python's repr without a trailing .0", () => {
  for (const row of fixture.rows) assert.equal(shortestText(Number(row[0])), row[6]);
});

test("formatG names what is not finite as Python does", () => {
  assert.deepEqual([NaN, Infinity, -Infinity].map((n) => formatG(n, 10)), ["nan", "inf", "-inf"]);
});

test("numberText writes whole numbers whole and floats with ten digits", () => {
  assert.equal(numberText(2.0), "2");
  assert.equal(numberText(123456789012), "123456789012");
  assert.equal(numberText(1e-5), "1e-05");
  assert.equal(numberText(0.001), "0.001");
  assert.equal(numberText(1e20), "1e+20");
  assert.equal(numberText(-0), "0");
});

test("numberText is Python's %.10g for every number that ten digits can say", () => {
  let compared = 0;
  for (const row of fixture.rows) {
    const number = Number(row[4]);
    if (!Number.isFinite(number) || Number.isSafeInteger(number)) continue;
    assert.equal(numberText(number), row[4], `${++compared}`);
  }
  assert.ok(compared > 150);
});

test("numberText has ten significant digits, whoever wrote more", () => {
  assert.equal(numberText(0.1 + 0.2), "0.3");
  assert.equal(numberText(0.09999999999999999), "0.1");
  assert.equal(numberText(0.1234567890123), "0.123456789");
  assert.equal(numberText(1 / 3), "0.3333333333");
  assert.equal(numberText(2 ** 0.5), "1.414213562");
  assert.equal(numberText(1.00000000001), "1");
  assert.equal(numberText(12345678901.5), "1.23456789e+10");
});

test("canonicalNumber keeps whole numbers apart and folds floats that share ten digits", () => {
  assert.notEqual(canonicalNumber(12345678901), canonicalNumber(12345678902));
  assert.equal(canonicalNumber(0.1 + 0.2), 0.3);
  assert.equal(canonicalNumber(3.0000000000001), 3);
  assert.ok(Object.is(canonicalNumber(-0), 0));
  assert.equal(canonicalNumber(Number.MAX_VALUE), Number.MAX_VALUE);
});

test("numbers are one trial exactly when their overrides read alike, exact ties included", () => {
  for (const row of fixture.rows) {
    const number = Number(row[0]);
    if (Number.isSafeInteger(number)) continue;
    const folded = canonicalNumber(number);
    if (!Number.isSafeInteger(folded)) assert.equal(numberText(folded), numberText(number), row[0]);
    assert.equal(canonicalNumber(folded), folded, row[0]);
  }
  // Both lie halfway: to even, as Python rounds.
  assert.equal(numberText(0.00048828125), "0.00048828125");
  assert.equal(numberText(1000000000.5), "1000000000");
  assert.equal(canonicalNumber(1000000000.5), 1000000000);
});
