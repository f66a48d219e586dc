import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { type LineOptions, runLines } from "../../../lib/base/process-lines.ts";

function run(script: string, more: Partial<LineOptions> = {}) {
  const lines: string[] = [];
  const ended = runLines(["sh", "-c", script], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH ?? "" },
    input: "",
    signal: new AbortController().signal,
    onLine: (line) => void lines.push(line),
    ...more,
  });
  return { lines, ended };
}

test("lines come one by one, the last one also without its end, characters whole", async () => {
  const { lines, ended } = run("printf 'one\\n\\ntw\\303'; printf '\\266\\nthree'");
  const { exitCode, spawnError, canceled } = await ended;
  assert.deepEqual({ exitCode, spawnError, canceled }, {
    exitCode: 0,
    spawnError: undefined,
    canceled: false,
  });
  assert.deepEqual(lines, ["one", "", "twö", "three"]);
});

test("input, exit code and the end of standard error are handed over", async () => {
  const { lines, ended } = run("cat; yes error | head -n 5000 >&2; echo last >&2; exit 3", {
    input: "in\nput\n",
  });
  const { exitCode, stderr } = await ended;
  assert.equal(exitCode, 3);
  assert.deepEqual(lines, ["in", "put"]);
  assert.ok(stderr.length <= 8 * 1024);
  assert.match(stderr, /last\n$/);
});

test("a program that is not there and one that closes its input are results, not exceptions", async () => {
  const missing = await runLines(["/nowhere/claude"], {
    cwd: tmpdir(),
    env: {},
    input: "x",
    signal: new AbortController().signal,
    onLine: () => {},
  });
  assert.equal(missing.spawnError, "ENOENT");
  const { ended } = run("exec 0<&-; exit 4", { input: "x".repeat(1024 * 1024) });
  assert.equal((await ended).exitCode, 4);
});

test("a cancel ends the program with all that it started, also when it does not want to", async () => {
  const stop = new AbortController();
  const { lines, ended } = run("trap '' TERM; sleep 600 & echo $!; wait; sleep 600", {
    signal: stop.signal,
    graceMs: 50,
    onLine: (line) => {
      lines.push(line);
      stop.abort();
    },
  });
  const { canceled, signal } = await ended;
  assert.equal(canceled, true);
  assert.equal(signal, "SIGKILL");
  await gone(Number(lines[0]));
});

test("what a program leaves behind ends with it and does not hold up its end", async () => {
  const { lines, ended } = run("sleep 600 & echo $!");
  assert.equal((await ended).exitCode, 0);
  await gone(Number(lines[0]));
});

test("a signal that was given before ends it at once", async () => {
  const { ended } = run("sleep 600", { signal: AbortSignal.abort() });
  assert.equal((await ended).canceled, true);
});

/** Resolves when the kernel is done with it: a kill takes effect a moment later. */
async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (alive(pid)) {
    assert.ok(performance.now() < deadline, `process ${pid} goes on`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** False as well for a process that ended and waits for its parent. */
function alive(pid: number): boolean {
  assert.ok(pid > 1);
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/^State:\s+Z/m.test(readStatus(pid));
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "State: Z";
  }
}
