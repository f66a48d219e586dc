import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createFileLog, logPath } from "../../../lib/base/log.ts";

const clock = { now: () => Date.UTC(2026, 0, 2), sleep: () => Promise.resolve() };

function inFolder(work: (folder: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), "herd-log-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("an entry is one JSON line with its time, readable by its owner only", () =>
  inFolder((folder) => {
    const path = join(folder, "deep/herd.log");
    const log = createFileLog(path, clock);
    log.write("error", "two\nlines", { stack: "x" });
    log.write("debug", "not kept at this level");
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 1);
    assert.deepEqual(JSON.parse(lines[0]!), {
      time: "2026-01-02T00:00:00.000Z",
      level: "error",
      pid: process.pid,
      message: "two\nlines",
      stack: "x",
    });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }));

test("a full log becomes the old one, so that it never grows without bound", () =>
  inFolder((folder) => {
    const path = join(folder, "herd.log");
    writeFileSync(path, "x".repeat(5 * 1024 * 1024));
    createFileLog(path, clock).write("info", "fresh");
    assert.ok(statSync(path).size < 1000);
    assert.equal(statSync(`${path}.1`).size, 5 * 1024 * 1024);
  }));

test("a log that cannot be written stops nothing and says that it is not there", () =>
  inFolder((folder) => {
    writeFileSync(join(folder, "file"), "");
    const log = createFileLog(join(folder, "file/herd.log"), clock);
    log.write("error", "lost");
    assert.equal(log.path, undefined);
    rmSync(join(folder, "file"));
    log.write("error", "there is room again");
    assert.match(readFileSync(log.path!, "utf8"), /room again/);
    log.write("error", "lost too");
  }));

test("the log lies in the user's state folder", () => {
  assert.equal(logPath({ HOME: "/h" }), "/h/.local/state/herd/herd.log");
  assert.equal(logPath({ HOME: "/h", XDG_STATE_HOME: "/s" }), "/s/herd/herd.log");
  assert.equal(logPath({}), undefined);
});
