import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { matchKey, trialKey } from "../../../lib/sweep/identity.ts";

test("a key is 12 hex digits of SHA-1 and never changes between versions", () => {
  const text = '{"+lr":0.001,"opt":"adam",}';
  const wanted = createHash("sha1").update(text).digest("hex").slice(0, 12);
  assert.equal(trialKey({ opt: "adam", "+lr": 0.001 }), wanted);
});

test("order and writing of numbers make no difference", () => {
  assert.equal(trialKey({ a: 32, b: 0.3 }), trialKey({ b: 0.1 + 0.2, a: 32.0 }));
  assert.equal(trialKey({ a: -0 }), trialKey({ a: 0 }));
  assert.equal(trialKey({ m: { x: 1, y: [2] } }), trialKey({ m: { y: [2.0], x: 1 } }));
});

test("types, names and structure are kept apart", () => {
  const keys = [
    trialKey({ a: 1 }),
    trialKey({ a: "1" }),
    trialKey({ a: true }),
    trialKey({ a: "true" }),
    trialKey({ a: null }),
    trialKey({ a: "null" }),
    trialKey({ a: [1] }),
    trialKey({ a: [[1]] }),
    trialKey({ a: "[1]" }),
    trialKey({ a: { a: 1 } }),
    trialKey({ "+a": 1 }),
    trialKey({ a: 1, b: 2 }),
    trialKey({ 'a":1,"b': 2 }),
    trialKey({}),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test("matchKey reads text that spells a number as that number, nested too", () => {
  assert.equal(matchKey({ lr: "1e-3", l: ["2"] }), matchKey({ lr: 0.001, l: [2] }));
  assert.notEqual(matchKey({ id: "007" }), matchKey({ id: 7 }));
  assert.notEqual(matchKey({ v: "true" }), matchKey({ v: true }));
  assert.notEqual(matchKey({ v: "" }), matchKey({ v: 0 }));
});
