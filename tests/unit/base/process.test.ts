import assert from "node:assert/strict";
import { test } from "node:test";
import { runProcess } from "../../../lib/base/process.ts";

test("success and failure have the same shape, with the true code, signal and texts", async () => {
  const good = await runProcess(["bash", "-c", "echo out; echo err >&2"]);
  assert.equal(good.ok, true);
  assert.equal(good.stdout, "out\n");
  assert.equal(good.stderr, "err\n");
  const bad = await runProcess(["bash", "-c", "exit 7"]);
  assert.deepEqual([bad.ok, bad.exitCode, bad.signal], [false, 7, undefined]);
  const killed = await runProcess(["bash", "-c", "kill -SEGV $$"]);
  assert.deepEqual([killed.ok, killed.exitCode, killed.signal], [false, undefined, "SIGSEGV"]);
});

test("a program that is not there is told by its code and never throws", async () => {
  const ended = await runProcess(["/no/such/program"]);
  assert.deepEqual([ended.ok, ended.spawnError, ended.exitCode], [false, "ENOENT", undefined]);
});

test("input goes in, and a child that does not read it does no harm", async () => {
  assert.equal((await runProcess(["cat"], { input: "a'b\n$(x)" })).stdout, "a'b\n$(x)");
  const deaf = await runProcess(["true"], { input: "x".repeat(1_000_000) });
  assert.equal(deaf.exitCode, 0);
});

test("a time limit ends the child, even one whose own child holds the pipes open", async () => {
  const started = Date.now();
  const ended = await runProcess(["bash", "-c", "trap '' TERM; sleep 5 & wait"], {
    timeoutMs: 200,
  });
  assert.equal(ended.timedOut, true);
  assert.equal(ended.ok, false);
  assert.ok(Date.now() - started < 3000, "it did not wait for the grandchild");
});

test("an abort is told apart from a failure", async () => {
  const abort = new AbortController();
  const running = runProcess(["sleep", "5"], { signal: abort.signal });
  abort.abort();
  const ended = await running;
  assert.deepEqual([ended.canceled, ended.ok, ended.timedOut], [true, false, false]);
  const before = await runProcess(["sleep", "5"], { signal: AbortSignal.abort() });
  assert.equal(before.canceled, true);
});

test("output beyond the limit is dropped and the child still ends", async () => {
  const ended = await runProcess(["bash", "-c", "head -c 1000000 /dev/zero"], { maxBytes: 1000 });
  assert.equal(ended.exitCode, 0);
  assert.ok(ended.stdout.length <= 1000);
});

test("the environment of a child is exactly what it is given", async () => {
  const ended = await runProcess(["/usr/bin/env"], { env: { ONLY: "this" } });
  assert.equal(ended.stdout, "ONLY=this\n");
});
