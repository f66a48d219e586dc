import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { evaluate, ExpressionError, parseExpression } from "../../../lib/sweep/expression.ts";
import type { Value } from "../../../lib/sweep/value.ts";

interface Case {
  source: string;
  params: number;
  value?: Value;
  error?: "syntax" | "value";
}

// Made by tests/fixtures/expressions.py, which says how.
const fixture: { params: Record<string, Value>[]; cases: Case[] } = JSON.parse(
  readFileSync(new URL("../../fixtures/expressions.json", import.meta.url), "utf8"),
);

test("5500 random expressions, 1500 formats among them, have the values that Python gives them", () => {
  const wrong: string[] = [];
  for (const one of fixture.cases) {
    const found = outcome(one);
    const wanted: Value | Error = one.error === undefined ? one.value! : new Error(one.error);
    if (!alike(found, wanted)) {
      wrong.push(`${one.source}  [${one.params}]: ${show(found)}, Python: ${show(wanted)}`);
    }
  }
  assert.equal(fixture.cases.length, 5500);
  assert.deepEqual(wrong, []);
});

test("what Python cannot parse is refused before any trial is evaluated", () => {
  const syntax = fixture.cases.filter(({ error }) => error === "syntax");
  assert.ok(syntax.length > 10);
  for (const { source } of syntax) {
    assert.throws(() => parseExpression(source, Object.keys(fixture.params[0]!)), ExpressionError);
  }
});

test("what Python parses is never refused as if it could not be parsed", () => {
  for (const one of fixture.cases.filter(({ error }) => error === "value")) {
    const found = outcome(one);
    assert.ok(found instanceof Error, one.source);
    assert.doesNotMatch(found.message, /^(Expected|Unexpected|Unknown|Invalid)/, one.source);
  }
});

function outcome({ source, params }: Case): Value | Error {
  try {
    const given = fixture.params[params]!;
    return evaluate(parseExpression(source, Object.keys(given)), given);
  } catch (error) {
    // Any other error is a defect, and fails the test.
    if (error instanceof ExpressionError) return error;
    throw error;
  }
}

/** Exact but for a last bit of powers, which C libraries and JavaScript engines round differently. */
function alike(a: Value | Error, b: Value | Error): boolean {
  if (a instanceof Error || b instanceof Error) return a instanceof Error && b instanceof Error;
  if (typeof a === "number" && typeof b === "number") {
    return a === b || Math.abs(a - b) <= 1e-14 * Math.abs(b);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: Value, i) => alike(item, b[i] as Value));
  }
  return a === b;
}

function show(value: Value | Error): string {
  return value instanceof Error ? `error (${value.message})` : JSON.stringify(value);
}
