import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { addPiece, gathered, pieceName, settlePieces } from "../../../lib/tasks/file-pieces.ts";
import { isPlainPath } from "../../../lib/tasks/plain-path.ts";
import { removeTree } from "../../support/remove-tree.ts";

function inFolder(use: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "herd-pieces-"));
  try {
    use(root);
  } finally {
    removeTree(root);
  }
}

function named(path: string, content: Uint8Array) {
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { path, bytes: content.length, sha256 };
}

test("pieces that are doubled, early or late change nothing, and the whole is what was named", () => {
  inFolder((root) => {
    const content = Buffer.from("0123456789");
    const incoming = join(root, "incoming", pieceName("t-1", 2, "a b/ü.txt"));
    const give = (from: number, to: number) =>
      addPiece(incoming, { from, bytes: content.subarray(from, to) }, content.length);
    assert.deepEqual([give(4, 8), give(0, 4), give(0, 4), give(6, 9), give(4, 8)], [0, 4, 4, 4, 8]);
    const file = named("a b/ü.txt", content);
    assert.deepEqual(settlePieces(incoming, join(root, "t"), file), { received: 8, whole: false });
    assert.equal(give(8, 10), 10);
    assert.deepEqual(settlePieces(incoming, join(root, "t"), file), { received: 10, whole: true });
    assert.equal(readFileSync(join(root, "t/a b/ü.txt"), "utf8"), "0123456789");
    assert.equal(gathered(incoming), 0);
  });
});

test("more than was named is not taken, and another content is thrown away", () => {
  inFolder((root) => {
    const incoming = join(root, "x");
    const file = named("x", Buffer.from("abc"));
    assert.equal(addPiece(incoming, { from: 0, bytes: Buffer.from("abcd") }, file.bytes), 0);
    assert.equal(addPiece(incoming, { from: 0, bytes: Buffer.from("abX") }, file.bytes), 3);
    assert.deepEqual(settlePieces(incoming, join(root, "t"), file), { received: 0, whole: false });
    assert.equal(existsSync(incoming), false);
  });
});

test("a piece is never written through a link", () => {
  inFolder((root) => {
    writeFileSync(join(root, "victim"), "");
    symlinkSync(join(root, "victim"), join(root, "link"));
    assert.throws(() => addPiece(join(root, "link"), { from: 0, bytes: Buffer.from("x") }, 9));
    assert.equal(readFileSync(join(root, "victim"), "utf8"), "");
  });
});

test("paths that lead elsewhere are no plain ones", () => {
  for (const path of ["a", "a/b", "..a/b..", "a b\n", "-rf"]) assert.ok(isPlainPath(path), path);
  const bad = ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\0", "x".repeat(256)];
  for (const path of bad) assert.equal(isPlainPath(path), false, path);
});
