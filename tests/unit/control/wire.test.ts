import assert from "node:assert/strict";
import test from "node:test";
import { NothingError, RefusedError, SchedulerError, UserError } from "../../../lib/base/errors.ts";
import { decodeWire, encodeWire } from "../../../lib/control/wire.ts";

function there(value: unknown): unknown {
  return decodeWire(JSON.parse(JSON.stringify(encodeWire(value))));
}

test("what JSON cannot say survives the way there and back", () => {
  const value = {
    map: new Map<unknown, unknown>([["a", new Map([[1, undefined]])], [
      { key: 1 },
      new Set([NaN]),
    ]]),
    set: new Set(["x", { y: [undefined, -0, Infinity, -Infinity, NaN] }]),
    absent: undefined,
    big: 2n ** 70n,
    date: new Date(12345),
    bytes: new Uint8Array([0, 255]),
    plain: [1, "two", null, true, { deep: { deeper: [] } }],
    "": "empty key",
  };
  assert.deepStrictEqual(there(value), value);
  assert.deepStrictEqual(there([new Date(NaN)]), [new Date(NaN)]);
  assert.equal(there(undefined), undefined);
  assert.ok(Object.is(there(-0), -0));
});

test("an object that has the mark as a key of its own is not taken for marked", () => {
  for (const value of [{ $: "map", v: [] }, { $: undefined }, { a: { $: { $: "set" } } }]) {
    assert.deepStrictEqual(there(value), value);
  }
});

test("plain JSON is left as it is, so that documents stay readable", () => {
  const value = { a: [1, { b: "c" }], d: null };
  assert.deepStrictEqual(encodeWire(value), value);
});

test("errors of ours arrive as the same class with all their facts, also inside results", () => {
  const mistake = new UserError("Cannot", { hint: "So", mistakes: [{ message: "m", line: 3 }] });
  const refused = new RefusedError("No", { hint: "h", facts: { indices: [1, 2], why: undefined } });
  const trouble = new SchedulerError("rejected", "Bad partition", { detail: "stderr" });
  for (const error of [mistake, refused, trouble, new NothingError("None", { hint: "h" })]) {
    const { trouble: back } = there({ done: true, trouble: error }) as { trouble: Error };
    assert.equal(back.constructor, error.constructor);
    assert.deepStrictEqual({ ...back, message: back.message }, {
      ...error,
      message: error.message,
    });
  }
  const odd = there(Object.assign(new Error("odd"), { name: "OddError" })) as Error;
  assert.deepEqual([odd.name, odd.message], ["OddError", "odd"]);
});

test("what has no form is refused where it is sent, not lost", () => {
  class Thing {}
  const circle: unknown[] = [];
  circle.push(circle);
  for (const value of [() => 1, Symbol("s"), new Thing(), { f() {} }, circle]) {
    assert.throws(() => encodeWire(value), TypeError);
  }
});

test("hostile text is refused and changes no prototype", () => {
  const hostile = [
    '{"__proto__": {"polluted": 1}}',
    '{"$": "object", "v": [["__proto__", {"polluted": 1}]]}',
    '{"a": {"$": "error", "kind": "refused", "message": "m", "facts": {"__proto__": {"polluted": 1}}}}',
    '{"$": "map", "v": {"length": 1e9}}',
    '{"$": "map", "v": [[1]]}',
    '{"$": "set", "v": "abc"}',
    '{"$": "number", "v": "1e999"}',
    '{"$": "bigint", "v": "0x10"}',
    '{"$": "function", "v": "alert(1)"}',
    '{"$": {"toString": "map"}}',
    '{"$": "error", "kind": "mistake", "message": {}}',
    "[".repeat(1000) + "]".repeat(1000),
  ];
  for (const text of hostile) {
    assert.throws(() => decodeWire(JSON.parse(text)), UserError, text.slice(0, 80));
  }
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  const odd = decodeWire(JSON.parse('{"constructor": {"prototype": {"polluted": 1}}}'));
  assert.ok(Object.hasOwn(odd as object, "constructor"));
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});
