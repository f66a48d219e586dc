import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { type Detached, spawnDetached, withoutBunSwitches } from "../../../lib/base/detach.ts";
import { kernelUnits, memoryBytes, processors } from "../../../lib/base/machine.ts";
import { processStart } from "../../../lib/base/pid.ts";
import {
  knownMembers,
  readProcess,
  sessionMembers,
  signalGroups,
  signalMembers,
  startedAt,
} from "../../../lib/base/process-tree.ts";
import { removeTree } from "../../support/remove-tree.ts";

const clock = createSystemClock();

/** Starts bash in a session of its own; ended after the test. */
function startBash(t: TestContext, body: string): { folder: string; bash: Detached } {
  const folder = mkdtempSync(join(tmpdir(), "herd tree "));
  const bash = spawnDetached(["/bin/bash", "-c", body], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: join(folder, "out"),
    stderr: join(folder, "err"),
  });
  t.after(() => {
    signalMembers(sessionMembers(new Set([bash.pid])).get(bash.pid) ?? [], "SIGKILL");
    removeTree(folder);
  });
  return { folder, bash };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = clock.now() + 10_000;
  while (!holds()) {
    assert.ok(clock.now() < deadline, "waited in vain");
    await clock.sleep(5);
  }
}

test("a detached process leads its own session and writes into the files named", async (t) => {
  const { folder, bash } = startBash(t, "echo out; echo err >&2; read -r x || exit 9");
  const keep = setInterval(() => {}, 1_000);
  const ended = await bash.exited.finally(() => clearInterval(keep));
  assert.deepEqual(ended, { exitCode: 9, signal: undefined });
  assert.equal(readFileSync(join(folder, "out"), "utf8"), "out\n");
  assert.equal(readFileSync(join(folder, "err"), "utf8"), "err\n");
});

test("a program, folder or file that is not there fails at once", () => {
  assert.throws(
    () => spawnDetached(["/nonexistent"], { cwd: "/" }),
    /Cannot start "\/nonexistent"/,
  );
  assert.throws(() => spawnDetached(["/bin/true"], { cwd: "/nonexistent" }), /Cannot start/);
  assert.throws(
    () => spawnDetached(["/bin/true"], { cwd: "/", stdout: "/nonexistent/out" }),
    { code: "ENOENT" },
  );
});

test("a copy of ourselves does not inherit the switches that turn Bun into something else", () => {
  const env = { A: "1", BUN_OPTIONS: "--preload ./evil.ts", BUN_BE_BUN: "1", GONE: undefined };
  assert.deepEqual(withoutBunSwitches(env), { A: "1" });
});

test("members of a session are found in other groups and without their parents", async (t) => {
  const { folder, bash } = startBash(
    t,
    "set -m; sleep 600 & (sleep 601 & echo $! >orphan); echo >ready; wait",
  );
  await until(() => readIfMade(join(folder, "ready")) !== "");
  const orphan = Number(readIfMade(join(folder, "orphan")));
  const found = sessionMembers(new Set([bash.pid])).get(bash.pid) ?? [];
  assert.equal(found.length, 3);
  assert.ok(found.some((member) => member.pid === orphan && member.parent !== bash.pid));
  assert.ok(new Set(found.map((member) => member.group)).size >= 2);
  assert.ok(found.every((member) => member.rssBytes > 100_000 && !member.zombie));
  assert.ok(Math.abs(startedAt(found[0]!) - clock.now()) < 30_000);
  const known = knownMembers(bash.pid, found);
  assert.deepEqual(known.map((m) => m.pid).sort(), found.map((m) => m.pid).sort());
  // From the leader alone: its children, not the orphan.
  assert.equal(knownMembers(bash.pid, []).length, 2);
});

test("a group's end reaches its members and nobody else", async (t) => {
  const one = startBash(t, "sleep 600 & echo $! >child; wait");
  const other = startBash(t, "sleep 600 & echo $! >child; wait");
  await until(() =>
    readIfMade(join(one.folder, "child")) + readIfMade(join(other.folder, "child")) !== ""
  );
  await until(() => sessionMembers(new Set([one.bash.pid])).get(one.bash.pid)?.length === 2);
  const members = sessionMembers(new Set([one.bash.pid])).get(one.bash.pid)!;
  assert.equal(signalGroups(members, "SIGKILL"), 1);
  await until(() => members.every(({ pid }) => processStart(pid) === undefined));
  assert.notEqual(processStart(other.bash.pid), undefined);
});

test("a pid that names another process by now, and our own group, are left alone", (t) => {
  const { bash } = startBash(t, "exec sleep 600");
  const info = readProcess(bash.pid)!;
  assert.equal(signalMembers([{ pid: bash.pid, start: "1" }], "SIGKILL"), 0);
  assert.equal(signalGroups([{ ...info, start: "1" }], "SIGKILL"), 0);
  assert.equal(signalGroups([{ ...info, group: 1 }], "SIGKILL"), 0);
  assert.equal(signalGroups([readProcess(process.pid)!], "SIGKILL"), 0);
  assert.equal(signalMembers([{ pid: 1, start: processStart(1)! }], "SIGCONT"), 0);
  assert.equal(processStart(bash.pid), info.start);
});

test("the machine has processors, memory and units", () => {
  assert.ok(processors() >= 1);
  assert.ok(memoryBytes() > 64 * 1024 * 1024);
  assert.ok([4096, 16384, 65536].includes(kernelUnits().pageBytes));
  assert.equal(kernelUnits().ticksPerSecond, 100);
});

function readIfMade(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
