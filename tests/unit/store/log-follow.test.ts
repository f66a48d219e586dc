import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createLogFollower, endsLine } from "../../../lib/store/log-follow.ts";

function inFolder(work: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "herd follow "));
  try {
    work(join(folder, "0.out"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const nothing = { text: "", restarted: false, more: false };

test("a log that comes later is read from its start, and that is no restart", () =>
  inFolder((path) => {
    const log = createLogFollower(path, 0);
    assert.deepEqual(log.read(), nothing);
    writeFileSync(path, "first");
    assert.deepEqual(log.read(), { ...nothing, text: "first" });
    assert.deepEqual(log.read(), nothing);
    log.close();
  }));

test("a character that is written in two halves is shown once, whole", () =>
  inFolder((path) => {
    writeFileSync(path, "old");
    const log = createLogFollower(path, 3);
    const bytes = Buffer.from("né✓");
    appendFileSync(path, bytes.subarray(0, 4));
    assert.equal(log.read().text, "né");
    appendFileSync(path, bytes.subarray(4));
    assert.equal(log.read().text, "✓");
    log.close();
  }));

test("a cut log is read from its start", () =>
  inFolder((path) => {
    writeFileSync(path, "a long text");
    const log = createLogFollower(path, 11);
    truncateSync(path, 0);
    appendFileSync(path, "new");
    assert.deepEqual(log.read(), { text: "new", restarted: true, more: false });
    log.close();
  }));

test("of a log that is moved away the rest is read before the one in its place", () =>
  inFolder((path) => {
    writeFileSync(path, "old ");
    const log = createLogFollower(path, 0);
    assert.equal(log.read().text, "old ");
    appendFileSync(path, "rest");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "a new file that is longer");
    assert.deepEqual(log.read(), { ...nothing, text: "rest" });
    assert.deepEqual(log.read(), {
      text: "a new file that is longer",
      restarted: true,
      more: false,
    });
    log.close();
  }));

test("a long log comes in pieces, without losing a byte", () =>
  inFolder((path) => {
    const text = "0123456789abcde\n".repeat(200_000);
    writeFileSync(path, text);
    const log = createLogFollower(path, 0);
    let all = "";
    for (let news = log.read();; news = log.read()) {
      all += news.text;
      if (!news.more) break;
    }
    assert.equal(all === text, true);
    log.close();
  }));

test("whether a log's last byte ends a line", () =>
  inFolder((path) => {
    assert.equal(endsLine(path, 0), true);
    writeFileSync(path, "a\nb");
    assert.equal(endsLine(path, 3), false);
    assert.equal(endsLine(path, 2), true);
  }));
