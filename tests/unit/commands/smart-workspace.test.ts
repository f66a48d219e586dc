import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { PIN_OPTION } from "../../../commands/pin-option.ts";
import { smartWorkspace, workspaceAndIndices } from "../../../commands/smart-workspace.ts";
import { UserError } from "../../../lib/base/errors.ts";

function inFolder(work: (folder: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), "herd-ws-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a lone whole number is the index, in the current folder", () =>
  inFolder((cwd) => {
    assert.deepEqual(smartWorkspace(["3"], cwd), { workspace: ".", index: 3 });
  }));

test("a lone number that is a folder is the workspace", () =>
  inFolder((cwd) => {
    mkdirSync(join(cwd, "3"));
    assert.deepEqual(smartWorkspace(["3"], cwd), { workspace: "3", index: undefined });
    assert.deepEqual(smartWorkspace(["3", "3"], cwd), { workspace: "3", index: 3 });
  }));

test("anything else that is alone is the workspace, and nothing is the current folder", () =>
  inFolder((cwd) => {
    assert.deepEqual(smartWorkspace([], cwd), { workspace: ".", index: undefined });
    for (const word of ["sweep", "1.5", "1e3", ""]) {
      assert.deepEqual(smartWorkspace([word], cwd), { workspace: word, index: undefined });
    }
  }));

test("several indices follow the workspace, or stand for themselves in the current folder", () =>
  inFolder((cwd) => {
    const cases: [string[], string, number[]][] = [
      [[], ".", []],
      [["3"], ".", [3]],
      [["3", "5", "0"], ".", [3, 5, 0]],
      [["ws"], "ws", []],
      [["ws", "3", "5"], "ws", [3, 5]],
    ];
    for (const [argv, workspace, indices] of cases) {
      assert.deepEqual(workspaceAndIndices(argv, cwd), { workspace, indices }, argv.join(" "));
    }
    mkdirSync(join(cwd, "3"));
    assert.deepEqual(workspaceAndIndices(["3", "5"], cwd), { workspace: "3", indices: [5] });
    for (const argv of [["5", "ws"], ["ws", "5", "x"], ["-1"], ["ws", "0-4"]]) {
      assert.throws(() => workspaceAndIndices(argv, cwd), UserError, argv.join(" "));
    }
  }));

test("an index that is no index is told", () =>
  inFolder((cwd) => {
    for (
      const argv of [["ws", "x"], ["ws", "-1"], ["-1"], ["ws", ""], ["ws", "99999999999999999999"]]
    ) {
      assert.throws(() => smartWorkspace(argv, cwd), UserError, argv.join(" "));
    }
  }));

test("a pin follows a pin unless a path of that name is there", () =>
  inFolder((cwd) => {
    mkdirSync(join(cwd, "lr=1"));
    assert.equal(PIN_OPTION.more("b=2", cwd), true);
    assert.equal(PIN_OPTION.more("lr=1", cwd), false);
    assert.equal(PIN_OPTION.more("sweep", cwd), false);
  }));
