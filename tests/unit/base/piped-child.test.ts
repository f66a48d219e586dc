import { test } from "node:test";
import assert from "node:assert/strict";
import { startPiped } from "../../../lib/base/piped-child.ts";

const ENV = { PATH: process.env["PATH"] ?? "" };

function started(argv: readonly string[], graceMs = 50) {
  let output = "";
  const heard = new Set<() => void>();
  const child = startPiped(argv, {
    env: ENV,
    graceMs,
    onOutput(bytes) {
      output += new TextDecoder().decode(bytes);
      heard.forEach((tell) => tell());
    },
    onErrorOutput: () => {},
  });
  return {
    child,
    async until(wanted: RegExp): Promise<string> {
      while (!wanted.test(output)) await new Promise<void>((resolve) => heard.add(resolve));
      return output;
    },
  };
}

test("a child that reads to the end of its input ends by itself", async () => {
  const { child, until } = started(["cat"], 10_000);
  assert.equal(child.write("hello\n"), true);
  assert.equal(await until(/\n/), "hello\n");
  await child.end();
  assert.deepEqual(await child.ended, { exitCode: 0, signal: undefined, spawnError: undefined });
  assert.equal(child.write("late\n"), false);
  await child.end();
});

test("a child that ignores its input and SIGTERM is forced to end", async () => {
  const { child, until } = started([
    "sh",
    "-c",
    "trap '' TERM; echo up; while :; do sleep 1; done",
  ]);
  await until(/up/);
  await child.end();
  assert.equal((await child.ended).signal, "SIGKILL");
});

test("what a child has started ends with it, also when the child ended first", async () => {
  const { child, until } = started(["sh", "-c", "sleep 600 & echo $!; exit 4"]);
  const grandchild = Number(await until(/\d\n/));
  assert.equal((await child.ended).exitCode, 4);
  await child.end();
  for (let tries = 0; runs(grandchild) && tries < 1000; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(runs(grandchild), false);
});

test("a child that writes without end is read only as fast as it may be", async () => {
  let read = 0;
  const began = performance.now();
  const enough = Promise.withResolvers<void>();
  const child = startPiped(["sh", "-c", "while :; do echo again and again; done"], {
    env: ENV,
    graceMs: 50,
    bytesPerSecond: 200_000,
    onOutput(bytes) {
      read += bytes.length;
      if (performance.now() - began > 1_000) enough.resolve();
    },
    onErrorOutput: () => {},
  });
  await enough.promise;
  await child.end();
  // One piece more than is allowed may come in each tenth of a second.
  assert.ok(read < 1_200_000, `${read}`);
});

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a program that is not there is a value", async () => {
  const { child } = started(["no-such-program-of-herd"]);
  assert.equal((await child.ended).spawnError, "ENOENT");
  assert.equal(child.write("x"), false);
  await child.end();
});

test("a child that does not read is told by the writer's false", async () => {
  const { child } = started(["sleep", "600"]);
  let wrote = 0;
  while (child.write("x".repeat(1024 * 1024)) && wrote < 100) wrote += 1;
  assert.ok(wrote > 2 && wrote < 20, `${wrote}`);
  await child.end();
});
