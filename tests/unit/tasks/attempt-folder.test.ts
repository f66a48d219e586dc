import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  attemptPath,
  makeAttemptFolder,
  readResult,
  writeResult,
} from "../../../lib/tasks/attempt-folder.ts";
import { attemptInstructions } from "../../../lib/tasks/attempt-instructions.ts";
import { createAttemptLog } from "../../../lib/tasks/attempt-log.ts";
import { manifestOf, writeManifest } from "../../../lib/tasks/attempt-manifest.ts";
import { SANDBOXES, sandboxSays } from "../../../lib/tasks/sandbox.ts";
import { removeTree } from "../../support/remove-tree.ts";

const sandbox = { level: "workspace", network: false } as const;

function inRoot(use: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "herd-folder-"));
  try {
    use(root);
  } finally {
    removeTree(root);
  }
}

test("an attempt gets a folder of its own, closed to others, with task and instructions", () => {
  inRoot((root) => {
    const prompt = "Look at `$(id)`\n日本語";
    const made = makeAttemptFolder({ root, task: "t7", epoch: 3, prompt, sandbox, tools: "jq\n" });
    assert.equal(made.path, join(root, "tasks/t7/3"));
    assert.equal(made.name, "t7:3");
    assert.equal(statSync(made.path).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(made.path).sort(), [".home", "AGENTS.md", "TASK.txt", "TOOLS.md"]);
    assert.equal(readFileSync(join(made.path, "TASK.txt"), "utf8"), `${prompt}\n`);
    assert.equal(readFileSync(join(made.path, "AGENTS.md"), "utf8"), made.instructions);
    assert.equal(statSync(join(made.path, "TASK.txt")).mode & 0o777, 0o600);
  });
});

test("D.11.24: two attempts never share a folder, nor one attempt begun twice", () => {
  inRoot((root) => {
    const parts = { root, task: "t1", prompt: "x", sandbox };
    const first = makeAttemptFolder({ ...parts, epoch: 1 });
    const second = makeAttemptFolder({ ...parts, epoch: 2 });
    writeResult(first.path, "one");
    assert.equal(readResult(second.path), undefined);
    assert.throws(() => makeAttemptFolder({ ...parts, epoch: 1 }), /is there already/);
    assert.equal(readResult(first.path), "one");
  });
});

test("an id that leads elsewhere makes no folder", () => {
  inRoot((root) => {
    const bad = ["", ".", "..", "../x", "a/b", "/etc", "-rf", "a\0b", "a\nb", "ä", "x".repeat(101)];
    for (const task of bad) {
      assert.throws(() => attemptPath(root, task, 1), /Cannot make a folder/, JSON.stringify(task));
    }
    for (const epoch of [-1, 1.5, NaN, Infinity, 1e12]) {
      assert.throws(() => attemptPath(root, "t", epoch), /no such number/);
    }
    mkdirSync(join(root, "tasks"));
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(root, "tasks/t1"));
    const parts = { root, task: "t1", epoch: 1, prompt: "x", sandbox };
    assert.throws(() => makeAttemptFolder(parts), /is no folder/);
    assert.deepEqual(readdirSync(join(root, "elsewhere")), []);
  });
});

test("the instructions name the attempt, what the sandbox allows, and how to answer", () => {
  for (const level of SANDBOXES) {
    for (const network of [true, false]) {
      const text = attemptInstructions({
        name: "t1:2",
        sandbox: { level, network },
        hasTools: false,
      });
      assert.ok(text.includes("`t1:2`") && text.includes("`t1-2`"));
      assert.ok(text.includes(sandboxSays({ level, network })));
      assert.match(text, /RESULT\.txt/);
      assert.match(text, /language in which the task is written/);
      assert.match(text, /not the orchestrator/);
      assert.equal(/download/.test(text), level !== "none" && !network);
    }
  }
});

test("D.11.22: an empty result, and one that is no plain file, is none", () => {
  inRoot((root) => {
    assert.equal(readResult(root), undefined);
    writeFileSync(join(root, "RESULT.txt"), " \n\t");
    assert.equal(readResult(root), undefined);
    writeResult(root, "fine");
    assert.equal(readResult(root), "fine");
    removeTree(join(root, "RESULT.txt"));
    writeFileSync(join(root, "secret"), "key");
    symlinkSync(join(root, "secret"), join(root, "RESULT.txt"));
    assert.equal(readResult(root), undefined, "a link would make the worker read for the agent");
    writeResult(root, "answer");
    assert.equal(readFileSync(join(root, "secret"), "utf8"), "key");
    assert.equal(readResult(root), "answer");
    removeTree(join(root, "RESULT.txt"));
    spawnSync("mkfifo", [join(root, "RESULT.txt")]);
    assert.equal(readResult(root), undefined);
    removeTree(join(root, "RESULT.txt"));
    mkdirSync(join(root, "RESULT.txt"));
    assert.equal(readResult(root), undefined);
  });
});

test("the manifest lists what was left, and looks through no link, pipe or hidden home", () => {
  inRoot((root) => {
    const { path } = makeAttemptFolder({ root, task: "t", epoch: 1, prompt: "x", sandbox });
    writeFileSync(join(path, "RESULT.txt"), "done");
    mkdirSync(join(path, "plots"));
    writeFileSync(join(path, "plots/a b\n;.png"), "png");
    writeFileSync(join(path, ".home/cache"), "x");
    writeFileSync(join(path, "agent-output.log"), "x");
    writeFileSync(join(path, "plots/AGENTS.md"), "its own");
    symlinkSync("/etc/passwd", join(path, "passwd"));
    symlinkSync("/", join(path, "plots/root"));
    spawnSync("mkfifo", [join(path, "pipe")]);
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    const manifest = manifestOf(path);
    assert.deepEqual(manifest, {
      files: [
        { path: "RESULT.txt", bytes: 4, sha256: sha256("done") },
        { path: "plots/AGENTS.md", bytes: 7, sha256: sha256("its own") },
        { path: "plots/a b\n;.png", bytes: 3, sha256: sha256("png") },
      ],
      leftOut: 0,
      special: 3,
    });
    writeManifest(path, manifest);
    assert.deepEqual(JSON.parse(readFileSync(join(path, "manifest.json"), "utf8")), manifest);
    assert.deepEqual(manifestOf(path), manifest);
  });
});

test("a manifest is bounded in files, bytes, names and depth, and says that it is not all", () => {
  inRoot((root) => {
    for (let i = 0; i < 10; i++) writeFileSync(join(root, `f${i}`), "12345");
    const most = { files: 100, bytes: 1e6, entries: 1_000, depth: 5 };
    const of = (more: Partial<typeof most>) => {
      const { files, leftOut } = manifestOf(root, { ...most, ...more });
      return [files.length, leftOut];
    };
    assert.deepEqual(of({}), [10, 0]);
    assert.deepEqual(of({ files: 4 }), [4, 6]);
    assert.deepEqual(of({ bytes: 12 }), [2, 8]);
    assert.deepEqual(of({ entries: 7 }), [7, 1]);
    mkdirSync(join(root, "a/b/c/d/e/f/g"), { recursive: true });
    writeFileSync(join(root, "a/b/c/d/e/f/g/deep"), "");
    assert.deepEqual(of({}), [10, 1]);
    // A file with a hole is as large as it says.
    writeFileSync(join(root, "hole"), "");
    truncateSync(join(root, "hole"), 2 ** 40);
    assert.deepEqual(of({}), [10, 2]);
  });
});

test("a log keeps its beginning and its end, and says how much is missing", () => {
  inRoot((root) => {
    const path = join(root, "agent-output.log");
    const log = createAttemptLog(path, { head: 1_000, tail: 2_000 });
    let all = "";
    for (let i = 0; i < 5_000; i++) {
      const line = `line ${i} ${"é".repeat(i % 40)}\n`;
      all += line;
      log.write(line);
      if (i % 500 === 0) assert.ok(statSync(path).size < 5_200);
    }
    log.close();
    const text = readFileSync(path, "utf8");
    const [head = "", missing = "", tail = ""] = text.split(
      /\n===== (\d+) bytes left out here =====\n/,
    );
    assert.ok(all.startsWith(head) && head.length > 500);
    assert.ok(all.endsWith(tail) && tail.length > 1_000);
    assert.doesNotMatch(text, /\ufffd/);
    const bytes = (words: string) => Buffer.byteLength(words);
    assert.equal(Number(missing), bytes(all) - bytes(head) - bytes(tail));
    assert.equal(readdirSync(root).length, 1);
  });
});

test("a log without line ends, and one huge write, are cut between characters", () => {
  inRoot((root) => {
    const path = join(root, "agent-output.log");
    const log = createAttemptLog(path, { head: 1_000, tail: 1_000 });
    log.write("€".repeat(100_000));
    log.write("the end");
    log.close();
    log.write("after the end");
    const text = readFileSync(path, "utf8");
    assert.ok(text.endsWith("the end") && text.startsWith("€€"));
    assert.doesNotMatch(text, /\ufffd/);
    assert.ok(Buffer.byteLength(text) < 3_200);
  });
});

test("a log is never written through a link that the agent has laid", () => {
  inRoot((root) => {
    const path = join(root, "agent-output.log");
    writeFileSync(join(root, "bashrc"), "mine");
    symlinkSync(join(root, "bashrc"), path);
    const log = createAttemptLog(path, { head: 100, tail: 100 });
    log.write("evil");
    removeTree(path);
    symlinkSync(join(root, "bashrc"), path);
    for (let i = 0; i < 100; i++) log.write("evil evil evil evil\n");
    log.close();
    assert.equal(readFileSync(join(root, "bashrc"), "utf8"), "mine");
    chmodSync(path, 0o600);
  });
});
