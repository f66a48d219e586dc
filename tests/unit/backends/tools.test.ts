import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { RESULT_LIMIT } from "../../../lib/agent/tool.ts";
import { createToolSet, sandboxProblem } from "../../../lib/backends/tools/tool-set.ts";
import type { Work } from "../../../lib/tasks/backend.ts";
import { bubblewrap, createScene, processesWith, unconfined, until } from "./scene.ts";

function toolsOf(t: TestContext, more: Partial<Work> = {}, wrap = unconfined) {
  const scene = createScene(t, more);
  const started: string[] = [];
  const set = createToolSet(scene.work, { wrap, graceMs: 300 }, (name) => void started.push(name));
  const stop = new AbortController();
  return {
    ...scene,
    set,
    started,
    stop,
    names: set.tools.map(({ name }) => name),
    async use(name: string, input: unknown) {
      const tool = set.tools.find((one) => one.name === name);
      assert.ok(tool !== undefined, `No tool ${name}`);
      const result = await tool.run(input, stop.signal);
      assert.ok(result.text.length <= RESULT_LIMIT);
      return result;
    },
  };
}

test("a read-only sandbox offers no tool that writes", (t) => {
  const writing = ["write_file", "edit_file"];
  const readOnly = toolsOf(t, { sandbox: { level: "read-only", network: false } });
  assert.deepEqual(readOnly.names.filter((name) => writing.includes(name)), []);
  assert.deepEqual(toolsOf(t).names.filter((name) => writing.includes(name)), writing);
});

test("files are written, edited at exactly one place, and read page by page", async (t) => {
  const { use, folder, started } = toolsOf(t);
  const lines = Array.from({ length: 1_000 }, (_, i) => `line ${i + 1}`).join("\n");
  assert.equal((await use("write_file", { path: "a/b.txt", content: lines })).isError, false);
  const first = await use("read_file", { path: "a/b.txt" });
  assert.match(first.text, /^line 1\nline 2\n/);
  assert.match(first.text, /\(Lines 1 to 400 of 1000; go on with offset 401\.\)$/);
  assert.equal((await use("read_file", { path: "a/b.txt", offset: 1000 })).text, "line 1000\n");
  const many = await use("edit_file", { path: "a/b.txt", old: "line 1", new: "row" });
  assert.match(many.text, /stands there 112 times/);
  assert.equal(many.isError, true);
  await use("edit_file", { path: "a/b.txt", old: "line 77\n", new: "$& and $1\n" });
  assert.match(readFileSync(join(folder, "a/b.txt"), "utf8"), /\nline 76\n\$& and \$1\nline 78\n/);
  assert.deepEqual(started, ["write_file", "read_file", "read_file", "edit_file", "edit_file"]);
});

test("a line longer than a result, a file of bytes and a file that is not there are told in words", async (t) => {
  const { use, folder } = toolsOf(t);
  writeFileSync(join(folder, "long"), "x".repeat(50_000));
  writeFileSync(join(folder, "bytes"), new Uint8Array([1, 0, 2]));
  assert.match((await use("read_file", { path: "long" })).text, /Line 1 has 50000 characters/);
  assert.match((await use("read_file", { path: "bytes" })).text, /it is no text/);
  assert.match((await use("read_file", { path: "gone" })).text, /there is no such file or folder/);
  assert.match((await use("read_file", { path: "../x" })).text, /outside the task's folder/);
  assert.match((await use("write_file", { path: "/etc/x", content: "" })).text, /outside/);
  assert.match((await use("read_file", { path: "long", depth: 1 })).text, /no such argument/);
});

test("a pipe in the folder does not hold up the reader", async (t) => {
  const { use } = toolsOf(t);
  await use("shell", { argv: ["mkfifo", "pipe"] });
  assert.match((await use("read_file", { path: "pipe" })).text, /it is no plain file/);
  assert.match((await use("write_file", { path: "pipe", content: "x" })).text, /no plain file/);
});

test("a listing goes down some levels and names links", async (t) => {
  const { use, folder, outside } = toolsOf(t);
  mkdirSync(join(folder, "a/b/c"), { recursive: true });
  symlinkSync(outside, join(folder, "up"));
  writeFileSync(join(folder, "odd\nname"), "");
  const { text } = await use("list_files", {});
  assert.equal(
    text,
    `TASK.txt (16 bytes)\na/\na/b/\n"odd\\nname" (0 bytes)\nup -> ${JSON.stringify(outside)}`,
  );
  assert.match((await use("list_files", { path: "up" })).text, /outside/);
});

test("a search finds lines, takes patterns and names that look like options, and says when nothing is there", async (t) => {
  const { use, folder } = toolsOf(t);
  mkdirSync(join(folder, "-rf"));
  writeFileSync(join(folder, "-rf/x.py"), "one\n--help $(touch bad)\nthree\n");
  assert.equal((await use("search", { pattern: "^thr", path: "-rf" })).text, "-rf/x.py:3:three");
  const odd = await use("search", { pattern: "--help $(touch", literal: true, files: "*.py" });
  assert.equal(odd.text, "-rf/x.py:2:--help $(touch bad)");
  assert.equal((await use("search", { pattern: "nowhere" })).text, "(Nothing found.)");
  assert.match((await use("search", { pattern: "(" })).text, /^Cannot search: /);
  assert.match((await use("search", { pattern: "x", path: ".." })).text, /outside/);
  assert.equal(existsSync(join(folder, "bad")), false);
});

test("a command tells its exit code and both of its outputs; words of a list meet no shell", async (t) => {
  const { use, folder } = toolsOf(t);
  const failed = await use("shell", { command: "echo out; echo err >&2; exit 3" });
  assert.match(failed.text, /^Exit code 3 after [\d.]+ s\n/);
  assert.match(failed.text, /out/);
  assert.match(failed.text, /err/);
  const plain = await use("shell", { argv: ["echo", "$(touch bad); `id`"] });
  assert.match(plain.text, /\$\(touch bad\); `id`/);
  assert.equal(existsSync(join(folder, "bad")), false);
  assert.match((await use("shell", {})).text, /give either command or argv/);
  assert.match((await use("shell", { argv: ["no-such-program"] })).text, /cannot be started/);
});

test("of long output the beginning and the end are kept", async (t) => {
  const { use } = toolsOf(t);
  const { text } = await use("shell", { command: "echo first; seq 1 200000; echo last" });
  assert.match(text, /\nfirst\n/);
  assert.match(text, /characters left out/);
  assert.match(text, /200000\nlast\n$/);
});

test("a command that runs too long is ended with all that it started, in sessions of their own too", async (t) => {
  const { use } = toolsOf(t);
  const mark = `3${Date.now()}`;
  const { text } = await use("shell", {
    command: `setsid sleep ${mark} & trap '' TERM; sleep ${mark}; sleep ${mark}`,
    timeout_seconds: 1,
  });
  assert.match(text, /it ran longer than 1 s/);
  assert.deepEqual(processesWith(mark), []);
});

test("what a command leaves in the background is ended, and an abort ends a command", async (t) => {
  const { use, stop, set } = toolsOf(t);
  const mark = `4${Date.now()}`;
  await use("shell", { command: `nohup setsid sleep ${mark} >/dev/null 2>&1 & sleep ${mark} &` });
  assert.deepEqual(processesWith(mark), []);
  const slow = use("shell", { command: `sleep ${mark}; true` });
  await until("the command runs", () => processesWith(mark).length > 0);
  stop.abort();
  assert.match((await slow).text, /Stopped/);
  await set.settled();
  assert.deepEqual(processesWith(mark), []);
});

test("commands see the environment of the work and nothing of the worker's own", async (t) => {
  process.env["HERD_TEST_SECRET"] = "hush";
  t.after(() => delete process.env["HERD_TEST_SECRET"]);
  const { text } = await toolsOf(t).use("shell", { argv: ["env"] });
  assert.match(text, /PATH=/);
  assert.doesNotMatch(text, /hush/);
});

test("within a sandbox neither shell nor search reaches what is outside", async (t) => {
  const { use, folder, outside } = toolsOf(t, {}, bubblewrap);
  writeFileSync(join(outside, "secret"), "hush");
  symlinkSync(outside, join(folder, "up"));
  assert.doesNotMatch(
    (await use("shell", { command: `cat ${outside}/secret up/secret` })).text,
    /hush/,
  );
  await use("shell", { command: `echo x > ${outside}/mine; echo y > inside` });
  assert.equal(existsSync(join(outside, "mine")), false);
  assert.equal(readFileSync(join(folder, "inside"), "utf8"), "y\n");
  assert.doesNotMatch((await use("search", { pattern: "hush" })).text, /hush/);
});

test("in a read-only sandbox a command can change nothing", async (t) => {
  const sandbox = { level: "read-only", network: false } as const;
  const { use, folder } = toolsOf(t, { sandbox }, bubblewrap);
  assert.match((await use("shell", { command: "echo x > file" })).text, /Exit code 1/);
  assert.equal(existsSync(join(folder, "file")), false);
  assert.match((await use("shell", { command: "cat TASK.txt" })).text, /Count the sheep/);
});

test("what wraps a command may refuse, and then nothing runs", async (t) => {
  const refuse = () => ({ refused: "No sandbox here: install bubblewrap" });
  const { use, work, folder } = toolsOf(t, {}, refuse);
  const { text, isError } = await use("shell", { command: "touch ran" });
  assert.equal(isError, true);
  assert.equal(text, "No sandbox here: install bubblewrap");
  assert.equal(existsSync(join(folder, "ran")), false);
  assert.equal(sandboxProblem(work, { wrap: refuse }), "No sandbox here: install bubblewrap");
});

test("RESULT.txt is known to be written by whatever path names it", async (t) => {
  const { use, set, folder } = toolsOf(t);
  await use("write_file", { path: "sub/RESULT.txt", content: "no" });
  assert.equal(set.wroteResult(), false);
  await use("write_file", { path: join(folder, "sub/../RESULT.txt"), content: "yes" });
  assert.equal(set.wroteResult(), true);
});
