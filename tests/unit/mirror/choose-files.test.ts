import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { chooseFiles } from "../../../lib/mirror/choose-files.ts";
import { removeTree } from "../../support/remove-tree.ts";

function inFolder(files: readonly string[], act: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "herd sync-"));
  try {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), file);
    }
    act(root);
  } finally {
    removeTree(root);
  }
}

const paths = (root: string, patterns: readonly string[], needed: readonly string[] = []) =>
  chooseFiles(root, { needed, patterns }).files.map(({ path }) => path);

test("files, folders and patterns are sent, each once; what follows ! is not", () => {
  inFolder(["run.sh", "src/a.py", "src/b/c.py", "src/b/d.txt", "data/x", "e.yaml"], (root) => {
    assert.deepEqual(
      paths(root, ["src", "src/**/*.py", "!src/b/d.txt"], ["run.sh"]),
      ["run.sh", "src/a.py", "src/b/c.py"],
    );
    assert.deepEqual(paths(root, ["src/**/*.py", "*.yaml", "!src/b"]), ["e.yaml", "src/a.py"]);
  });
});

test("secrets, herd's own files and what tools leave behind stay here", () => {
  const files = [".env", ".hyperherd/journal.jsonl", ".git/HEAD", "src/__pycache__/x", "src/a"];
  inFolder([...files, ".venv/lib/x"], (root) => {
    assert.deepEqual(paths(root, ["src", "*", "**/*", ".env", ".hyperherd"]), ["src/a"]);
  });
});

test("what is needed or named has to be there", () => {
  inFolder(["a"], (root) => {
    assert.throws(() => paths(root, [], ["run.sh"]), /Cannot send "run.sh": there is no such file/);
    assert.throws(() => paths(root, ["sorce"]), /"sync" names it/);
    assert.deepEqual(chooseFiles(root, { needed: [], patterns: ["*.py"] }).notices.length, 1);
  });
});

test("a link is sent as what it leads to, within the workspace only", () => {
  inFolder(["a", "folder/b"], (root) => {
    symlinkSync("a", join(root, "link"));
    symlinkSync("/etc/passwd", join(root, "out"));
    symlinkSync("nowhere", join(root, "broken"));
    symlinkSync("folder", join(root, "way"));
    symlinkSync("..", join(root, "folder", "up"));
    const { files, notices } = chooseFiles(root, {
      needed: [],
      patterns: ["link", "out", "broken", "way", "folder"],
    });
    assert.deepEqual(files.map(({ path }) => path), ["folder/b", "link"]);
    assert.equal(notices.length, 4);
    assert.ok(notices.some((one) => one.includes("/etc/passwd")));
  });
});

test("a link to what stays here is no way for it to go", () => {
  inFolder([".env", ".hyperherd/journal.jsonl"], (root) => {
    mkdirSync(join(root, "src"));
    symlinkSync("../.env", join(root, "src", "settings"));
    symlinkSync("../.hyperherd/journal.jsonl", join(root, "src", "history"));
    const { files, notices } = chooseFiles(root, { needed: [], patterns: ["src"] });
    assert.deepEqual(files, []);
    assert.equal(notices.filter((one) => one.includes("which stays here")).length, 2);
  });
});

test("a launcher outside the workspace is not sent over what lies beside the folder there", () => {
  inFolder(["a"], (root) => {
    const needed = [`../${basename(root)}/a`];
    assert.throws(() => paths(root, [], needed), /it lies outside the workspace/);
  });
});

test("a name that is no UTF-8 is told, and keeps nothing else from being sent", () => {
  inFolder(["src/a.py"], (root) => {
    execFileSync("bash", ["-c", "touch src/b$'\\xff'"], { cwd: root });
    for (const pattern of ["src", "src/*"]) {
      const { files, notices } = chooseFiles(root, { needed: [], patterns: [pattern] });
      assert.deepEqual(files.map(({ path }) => path), ["src/a.py"]);
      assert.match(notices.join(), /The name of "src\/b\uFFFD" is no UTF-8: it is not sent/);
    }
  });
});
