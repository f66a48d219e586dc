import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { collectFiles, keepFiles } from "../../../lib/daemon/mail-files.ts";
import type { AttemptReport } from "../../../lib/tasks/task.ts";
import { removeTree } from "../../support/remove-tree.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const named = (path: string, text: string) => ({
  path,
  bytes: bytesOf(text).length,
  sha256: createHash("sha256").update(text).digest("hex"),
});

test("only what the last word names is kept, with its size and content, and nowhere else", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "herd-mail-"));
  t.after(() => removeTree(folder));
  const root = join(folder, "in");
  const files = [
    named("a/b.txt", "good"),
    named("../out.txt", "good"),
    named("/etc/x", "good"),
    named("a//c", "good"),
    { ...named("size.txt", "good"), bytes: 3 },
    named("absent.txt", "not sent"),
  ];
  const mailed = [
    { name: "b.txt", bytes: bytesOf("good") },
    { name: "more.txt", bytes: bytesOf("not named") },
  ];
  assert.equal(keepFiles(root, { files }, mailed), 1);
  assert.equal(readFileSync(join(root, "a/b.txt"), "utf8"), "good");
  assert.ok(!existsSync(join(folder, "out.txt")));
});

test("a file is sent as it was when the attempt ended, and never through a link", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "herd-mail-"));
  t.after(() => removeTree(folder));
  writeFileSync(join(folder, "good.txt"), "good");
  writeFileSync(join(folder, "changed.txt"), "nood");
  symlinkSync("/etc/hostname", join(folder, "link.txt"));
  const secret = readFileSync("/etc/hostname", "utf8");
  const files = [
    named("good.txt", "good"),
    named("changed.txt", "good"),
    named("link.txt", secret),
    named("empty.txt", ""),
    named("gone.txt", "gone"),
  ];
  const sent = collectFiles({ folder, files } as unknown as AttemptReport);
  assert.deepEqual(sent.map(({ name }) => name), ["good.txt"]);
});
