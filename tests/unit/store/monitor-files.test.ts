import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createMonitorFiles } from "../../../lib/store/monitor-files.ts";
import type { MonitorFiles } from "../../../lib/store/monitor-files.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import type { WorkspacePaths } from "../../../lib/store/paths.ts";

function inWorkspace(use: (files: MonitorFiles, paths: WorkspacePaths) => void): void {
  const root = mkdtempSync(join(tmpdir(), "herd monitor-files '"));
  try {
    const paths = workspacePaths(root);
    mkdirSync(paths.state);
    use(createMonitorFiles({ paths }), paths);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("a plan is written whole, read back, and private", () => {
  inWorkspace((files, paths) => {
    assert.equal(files.readPlan(), undefined);
    files.writePlan("- Phase: live\n");
    files.writePlan("- Phase: done ✂️\n");
    assert.equal(files.readPlan(), "- Phase: done ✂️\n");
    assert.equal(statSync(paths.monitorPlan).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(paths.state), ["MONITOR_PLAN.md"]);
    files.removePlan();
    files.removePlan();
    assert.equal(files.readPlan(), undefined);
  });
});

test("modes and links that people made stay", () => {
  inWorkspace((files, paths) => {
    const kept = join(paths.root, "kept plan.md");
    writeFileSync(kept, "old");
    chmodSync(kept, 0o640);
    symlinkSync(kept, paths.monitorPlan);
    files.writePlan("new");
    assert.ok(lstatSync(paths.monitorPlan).isSymbolicLink());
    assert.equal(readFileSync(kept, "utf8"), "new");
    assert.equal(statSync(kept).mode & 0o777, 0o640);
  });
});

test("a prompt comes with the hash of its bytes", () => {
  inWorkspace((files, paths) => {
    assert.equal(files.readPrompt(), undefined);
    files.writePrompt("Be careful.\n");
    assert.deepEqual(files.readPrompt(), {
      text: "Be careful.\n",
      sha256: createHash("sha256").update("Be careful.\n").digest("hex"),
      cut: false,
    });
    files.writeAcknowledged("ab");
    assert.equal(readFileSync(paths.userPromptHash, "utf8"), "ab");
  });
});

test("a huge prompt is cut between characters, and its hash is of all of it", () => {
  inWorkspace((files, paths) => {
    const text = `a${"é".repeat(100_000)}`;
    writeFileSync(paths.prompt, text);
    const prompt = files.readPrompt()!;
    assert.equal(prompt.cut, true);
    assert.ok(text.startsWith(prompt.text) && prompt.text.length > 30_000);
    assert.equal(prompt.sha256, createHash("sha256").update(text).digest("hex"));
  });
});

test("bytes that are no text, folders and named pipes hold nobody up", () => {
  inWorkspace((files, paths) => {
    writeFileSync(paths.prompt, new Uint8Array([0xff, 0xfe, 0x41]));
    assert.match(files.readPrompt()!.text, /A$/);
    rmSync(paths.prompt);
    mkdirSync(paths.prompt);
    assert.equal(files.readPrompt(), undefined);
    execFileSync("mkfifo", [paths.monitorPlan]);
    assert.equal(files.readPlan(), undefined);
    assert.ok(existsSync(paths.monitorPlan));
  });
});
