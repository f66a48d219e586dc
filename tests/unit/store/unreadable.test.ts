import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import { refuseUnreadable } from "../../../lib/store/unreadable.ts";

/** Root may read everything. */
const skip = process.getuid?.() === 0;

function inFolder(use: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "herd-unreadable-"));
  try {
    use(root);
  } finally {
    if (!skip) chmodSync(root, 0o700);
    rmSync(root, { recursive: true, force: true });
  }
}

test("a workspace that can be read, or is not there yet, is refused to nobody", () => {
  inFolder((root) => {
    const paths = workspacePaths(root, join(root, "hyperherd.yaml"));
    refuseUnreadable(paths);
    mkdirSync(paths.state);
    refuseUnreadable(paths);
    writeFileSync(paths.journal, "");
    refuseUnreadable(paths, 4_000_000);
  });
});

test("somebody who may not read it is told whose it is", { skip }, () => {
  inFolder((root) => {
    const paths = workspacePaths(root, join(root, "hyperherd.yaml"));
    mkdirSync(paths.state);
    writeFileSync(paths.journal, "");
    chmodSync(paths.journal, 0);
    const { uid, username } = userInfo();
    const foreign = (error: unknown) =>
      error instanceof UserError &&
      error.message.includes(`it belongs to ${username} (user ${uid}`);
    assert.throws(() => refuseUnreadable(paths, uid + 1), foreign);
    assert.throws(() => refuseUnreadable(paths), /journal.*permission denied/);
  });
});
