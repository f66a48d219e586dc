import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { probeFolder } from "../../../lib/base/folder-probe.ts";

test("a folder that works is found to, and is left as it was", () => {
  const folder = mkdtempSync(join(tmpdir(), "herd-probe-test-"));
  try {
    const probe = probeFolder(folder, createSystemClock());
    assert.equal(probe.failed, undefined);
    assert.ok(probe.exclusive);
    assert.ok((probe.syncMs ?? -1) >= 0);
    assert.ok(Math.abs(probe.skewMs ?? Infinity) < 1_000, `${probe.skewMs}`);
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a clock that is an hour behind the file server's is noticed, with its sign", () => {
  const folder = mkdtempSync(join(tmpdir(), "herd-probe-test-"));
  const { sleep } = createSystemClock();
  try {
    const behind = probeFolder(folder, { now: () => Date.now() - 3_600_000, sleep });
    assert.ok(Math.abs((behind.skewMs ?? 0) - 3_600_000) < 1_000);
    const ahead = probeFolder(folder, { now: () => Date.now() + 3_600_000, sleep });
    assert.ok(Math.abs((ahead.skewMs ?? 0) + 3_600_000) < 1_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a folder that cannot be written is told with the system's code", () => {
  const { failed } = probeFolder("/proc/self", createSystemClock());
  assert.equal(failed?.what, "create a folder");
  assert.match(failed.code, /^E[A-Z]+$/);
});
