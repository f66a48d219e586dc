import assert from "node:assert/strict";
import { test } from "node:test";
import { modelFailure, retryAfter } from "../../../lib/agent/model-failure.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const at = { url: "https://h.example", now: NOW, clean: (text: string) => text };

test("retry-after is read in all its forms, and nonsense is nothing", () => {
  const of = (headers: Record<string, string>) => retryAfter(new Headers(headers), NOW);
  assert.equal(of({ "retry-after": "3" }), 3_000);
  assert.equal(of({ "retry-after": "1.5" }), 1_500);
  assert.equal(of({ "retry-after": "0" }), 0);
  assert.equal(of({ "retry-after-ms": "250", "retry-after": "3" }), 250);
  assert.equal(of({ "retry-after": new Date(NOW + 60_000).toUTCString() }), 60_000);
  assert.equal(of({ "retry-after": new Date(NOW - 60_000).toUTCString() }), 0);
  assert.equal(of({ "retry-after": "-5" }), undefined);
  assert.equal(of({ "retry-after": "soon" }), undefined);
  assert.equal(of({}), undefined);
  assert.equal(retryAfter(undefined, NOW), undefined);
});

test("whatever is thrown becomes one line that names the innermost cause", () => {
  const deep = new Error("Connection error.", {
    cause: new TypeError("fetch failed", { cause: new Error("certificate\nhas expired") }),
  });
  const problem = modelFailure(deep, at);
  assert.equal(problem.kind, "unreachable");
  assert.equal(
    problem.message,
    "Cannot reach the model at https://h.example: certificate has expired",
  );
  assert.equal(modelFailure("a string", at).kind, "unreachable");
  assert.equal(modelFailure(undefined, at).kind, "unreachable");
  const circular = new Error("round");
  circular.cause = circular;
  assert.match(modelFailure(circular, at).message, /round$/);
});

test("terminal codes and endless text of a server do not come through", () => {
  const { message } = modelFailure(new Error(`\x1b[2J\x07${"x".repeat(10_000)}`), at);
  // deno-lint-ignore no-control-regex -- that there are none
  assert.doesNotMatch(message, /[\x00-\x1f]/);
  assert.ok(message.length < 400);
});
