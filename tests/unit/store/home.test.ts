import { test } from "node:test";
import assert from "node:assert/strict";
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { judgeHome, readHome } from "../../../lib/store/home.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import type { Home } from "../../../lib/sweep/home.ts";
import { inFolder } from "../../support/store-folder.ts";

function makeWorkspace(root: string): Home {
  mkdirSync(join(root, ".hyperherd"), { recursive: true });
  return readHome(workspacePaths(root))!;
}

test("a workspace is at home where it submitted, and under every other name of that folder", () =>
  inFolder((folder) => {
    const root = join(folder, "a");
    assert.equal(readHome(workspacePaths(root)), undefined);
    const home = makeWorkspace(root);
    symlinkSync(root, join(folder, "link"));
    for (const path of [root, join(folder, "link")]) {
      assert.deepEqual(judgeHome([home], workspacePaths(path)), { kind: "home" });
    }
    assert.deepEqual(judgeHome([], workspacePaths(join(folder, "none"))), { kind: "home" });
  }));

test("a moved workspace, a copy, a copy whose original is gone and a restored one are told apart", () =>
  inFolder((folder) => {
    const [a, b, c] = ["a", "b", "c"].map((name) => join(folder, name)) as [string, string, string];
    const home = makeWorkspace(a);
    cpSync(a, b, { recursive: true });
    assert.deepEqual(judgeHome([home], workspacePaths(b)), {
      kind: "copy",
      of: a,
      original: true,
    });
    renameSync(a, c);
    assert.deepEqual(judgeHome([home], workspacePaths(c)), { kind: "moved", from: a });
    assert.deepEqual(judgeHome([home], workspacePaths(b)), {
      kind: "copy",
      of: a,
      original: false,
    });
    // Another workspace at the old path changes nothing, and a later submission from here neither.
    makeWorkspace(a);
    const now = readHome(workspacePaths(c))!;
    assert.deepEqual(judgeHome([now, home], workspacePaths(c)), { kind: "moved", from: a });
    rmSync(c, { recursive: true });
    rmSync(a, { recursive: true });
    renameSync(b, a);
    assert.deepEqual(judgeHome([home], workspacePaths(a)), { kind: "restored" });
  }));
