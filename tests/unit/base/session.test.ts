import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { readProcess } from "../../../lib/base/process-tree.ts";
import { runSession } from "../../../lib/base/session.ts";
import type { SessionOptions } from "../../../lib/base/session.ts";
import { removeTree } from "../../support/remove-tree.ts";

const env = { PATH: process.env["PATH"] ?? "" };

/** Nobody may have taken note of its end yet. */
function isOver(pid: number): boolean {
  return readProcess(pid)?.zombie ?? true;
}

async function bash(script: string, more: Partial<SessionOptions> = {}) {
  const cwd = mkdtempSync(join(tmpdir(), "herd session "));
  const said = { stdout: "", stderr: "" };
  try {
    const end = await runSession(["bash", "-c", script], {
      cwd,
      env,
      signal: new AbortController().signal,
      onOutput: (stream, bytes) => said[stream] += new TextDecoder().decode(bytes),
      ...more,
    });
    return { ...end, ...said, read: (name: string) => readFileSync(join(cwd, name), "utf8") };
  } finally {
    removeTree(cwd);
  }
}

test("both streams and the exit code come through, and there is nothing to read", async () => {
  const end = await bash("cat; echo out; echo err >&2; exit 3");
  assert.equal(end.stdout, "out\n");
  assert.equal(end.stderr, "err\n");
  assert.equal(end.exitCode, 3);
  assert.equal(end.timedOut, false);
});

test("what ignores SIGTERM is killed when the grace is over, with all that it started", async () => {
  let pids: number[] = [];
  const end = await bash('trap "" TERM; sleep 1000 & echo $$ $!; while :; do wait; done', {
    timeoutMs: 300,
    graceMs: 200,
    onOutput: (_, bytes) => pids = new TextDecoder().decode(bytes).trim().split(" ").map(Number),
  });
  assert.equal(end.timedOut, true);
  assert.equal(end.signal, "SIGKILL");
  assert.equal(pids.length, 2);
  for (const pid of pids) assert.ok(isOver(pid), `${pid} lives`);
});

test("what a program leaves running may finish, but not for ever", async () => {
  const finished = await bash("(read -t 0.2 <> <(:); echo late) & echo early");
  assert.equal(finished.stdout, "early\nlate\n");
  const started = performance.now();
  const ended = await bash("sleep 1000 & echo $!", { leftMs: 200, graceMs: 200 });
  assert.ok(performance.now() - started < 30_000);
  assert.equal(ended.exitCode, 0);
  assert.ok(isOver(Number(ended.stdout)));
});

test("an abort ends the program", async () => {
  const controller = new AbortController();
  const end = await bash("echo ready; exec sleep 1000", {
    signal: controller.signal,
    onOutput: () => controller.abort(),
  });
  assert.equal(end.signal, "SIGTERM");
  assert.equal(end.timedOut, false);
});

test("a program that cannot be started is told, not thrown", async () => {
  const end = await runSession(["/no/such program"], {
    cwd: "/",
    env,
    signal: new AbortController().signal,
    onOutput() {},
  });
  assert.equal(end.spawnError, "ENOENT");
});

test("a guarded program ends as itself and its guard with it, also at a time limit", async () => {
  const began = performance.now();
  const end = await bash("cat; echo out; exit 3", { guarded: true, leftMs: 20_000 });
  assert.deepEqual([end.stdout, end.exitCode, end.timedOut], ["out\n", 3, false]);
  // The guard is nothing that was left behind: it is not waited for.
  assert.ok(performance.now() - began < 10_000);
  const late = await bash("trap '' TERM; echo $$ > pid; sleep 100 & wait; wait", {
    guarded: true,
    timeoutMs: 300,
    graceMs: 200,
  });
  assert.equal(late.timedOut, true);
});
