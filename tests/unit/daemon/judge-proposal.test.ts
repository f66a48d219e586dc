import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { changeFiles } from "../../../lib/actions/change-files.ts";
import type { Parts } from "../../../lib/actions/parts.ts";
import {
  changeableFile,
  changeableFiles,
  keepBackup,
  replaceChangeable,
} from "../../../lib/daemon/changeable-files.ts";
import { judgeProposal } from "../../../lib/daemon/judge-proposal.ts";
import { digestOf } from "../../../lib/daemon/pool-data.ts";
import { workspacePaths } from "../../../lib/store/paths.ts";
import { emptyState } from "../../../lib/sweep/state.ts";

const YAML = `name: a
launcher: ./launch.sh
grid: all
slurm: {partition: none, mem: 50M}
parameters:
  x: {type: discrete, values: [1, 2]}
`;
const LAUNCHER = "#!/bin/bash\nexport API_KEY=abcdef123\nexit 3\n";
const NAMES = ["hyperherd.yaml", "launch.sh"];

function withSweep(use: (root: string, paths: ReturnType<typeof workspacePaths>) => void): void {
  const root = mkdtempSync(join(tmpdir(), "herd-change-"));
  try {
    writeFileSync(join(root, "hyperherd.yaml"), YAML);
    writeFileSync(join(root, "launch.sh"), LAUNCHER);
    chmodSync(join(root, "launch.sh"), 0o755);
    mkdirSync(join(root, ".hyperherd"));
    use(root, workspacePaths(root));
  } finally {
    rmSync(root, { recursive: true });
  }
}

function judge(paths: ReturnType<typeof workspacePaths>, text: string) {
  const outside = { paths, state: () => emptyState(), environment: {} };
  return judgeProposal({ outside, env: {} }, text, NAMES);
}

const YAML_DIFF = (line: string) =>
  `--- hyperherd.yaml\n+++ hyperherd.yaml\n@@ -4 +4 @@\n-slurm: {partition: none, mem: 50M}\n+${line}\n`;
const LAUNCHER_DIFF =
  "--- launch.sh\n+++ launch.sh\n@@ -2,2 +2,2 @@\n export API_KEY=(secret)\n-exit 3\n+exit 0\n";

test("a change that leaves a valid sweep is taken, the YAML last, and shows no secret", () => {
  withSweep((_, paths) => {
    const both = YAML_DIFF("slurm: {partition: none, mem: 60M}") + LAUNCHER_DIFF;
    const judged = judge(paths, both);
    assert.ok(!("refused" in judged), JSON.stringify(judged));
    assert.deepEqual(judged.changes.map(({ name }) => name), ["launch.sh", "hyperherd.yaml"]);
    assert.equal(judged.changes[0]!.after, LAUNCHER.replace("exit 3", "exit 0"));
    assert.ok(!judged.diff.includes("abcdef123"));
  });
});

test("a change after which the sweep could not be run is refused with herd's own words", () => {
  withSweep((_, paths) => {
    const why = (text: string) => {
      const judged = judge(paths, text);
      return "refused" in judged ? judged.refused : "";
    };
    assert.match(why(YAML_DIFF("slurm: {partition: none, mem: lots}")), /herd says: .*lots/s);
    assert.match(why(YAML_DIFF("slurms: {}")), /slurms/);
    const moved = YAML_DIFF("slurm: {}").replace("-slurm", " x").replace(
      "@@ -4 +4 @@",
      "@@ -9 +9 @@",
    );
    assert.notEqual(why(moved), "");
    const gone =
      "--- hyperherd.yaml\n+++ hyperherd.yaml\n@@ -2 +2 @@\n-launcher: ./launch.sh\n+launcher: ./no.sh\n";
    assert.match(why(gone), /no such file/);
    const python = "--- launch.sh\n+++ launch.sh\n@@ -1 +1 @@\n-#!/bin/bash\n+#!/usr/bin/python3\n";
    assert.match(why(python), /no bash script/);
  });
});

test("a launcher that is a link, or lies outside of the workspace, is never read and never changed", () => {
  withSweep((root, paths) => {
    const elsewhere = mkdtempSync(join(tmpdir(), "herd-else-"));
    try {
      writeFileSync(join(elsewhere, "launch.sh"), LAUNCHER, { mode: 0o755 });
      rmSync(join(root, "launch.sh"));
      symlinkSync(join(elsewhere, "launch.sh"), join(root, "launch.sh"));
      assert.deepEqual(changeableFiles(paths, "./launch.sh").map(({ name }) => name), [
        "hyperherd.yaml",
      ]);
      assert.match(JSON.stringify(judge(paths, LAUNCHER_DIFF)), /there is no \\"launch\.sh\\"/);
      assert.throws(() => replaceChangeable(paths, "launch.sh", "x"), /it is a link/);
      assert.deepEqual(changeableFiles(paths, join(elsewhere, "launch.sh")).length, 1);
      assert.equal(readFileSync(join(elsewhere, "launch.sh"), "utf8"), LAUNCHER);
      assert.throws(() => changeableFile(paths, "../x"), /neither the YAML nor the launcher/);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});

test("a binary or huge launcher goes to no agent", () => {
  withSweep((root, paths) => {
    for (const content of [new Uint8Array([1, 0, 255]), "a\0b", "x".repeat(300 * 1024)]) {
      writeFileSync(join(root, "launch.sh"), content);
      assert.equal(changeableFiles(paths, "launch.sh").length, 1);
    }
  });
});

test("files are changed together with their modes, kept first, and a crash between two is completed", () => {
  withSweep((root, paths) => {
    let crash: string | undefined = "change-made";
    const parts = {
      files: {
        readChangeable: (name: string) => changeableFile(paths, name).text,
        replaceChangeable: (name: string, text: string) => replaceChangeable(paths, name, text),
        keepBackup: (id: string, name: string, text: string) => keepBackup(paths, id, name, text),
      },
      fault(point: string) {
        if (point === crash) throw new Error("killed");
      },
    } as unknown as Parts;
    const files = [
      { name: "launch.sh", before: digestOf(LAUNCHER), text: "#!/bin/bash\nexit 0\n" },
      { name: "hyperherd.yaml", before: digestOf(YAML), text: YAML.replace("50M", "60M") },
    ];
    const now = (name: string) => readFileSync(join(root, name), "utf8");
    assert.throws(() => changeFiles(parts, { id: "t-1", files }), /killed/);
    assert.equal(now("hyperherd.yaml"), YAML);
    crash = undefined;
    assert.deepEqual(changeFiles(parts, { id: "t-1", files }).done, true);
    assert.equal(now("hyperherd.yaml"), YAML.replace("50M", "60M"));
    assert.equal(statSync(join(root, "launch.sh")).mode & 0o777, 0o755);
    assert.equal(now(".hyperherd/changes/t-1/launch.sh"), LAUNCHER);
    assert.equal(now(".hyperherd/changes/t-1/hyperherd.yaml"), YAML);
    const again = changeFiles(parts, { id: "t-1", files });
    assert.ok(again.done && again.how === "had");
    writeFileSync(join(root, "launch.sh"), "mine\n");
    const late = changeFiles(parts, { id: "t-1", files });
    assert.ok(!late.done && /changed meanwhile/.test(late.reason));
    assert.equal(now("launch.sh"), "mine\n");
  });
});
