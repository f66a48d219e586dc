import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { BackendConfig } from "../../../lib/backends/backend-config.ts";
import {
  backendOf,
  bubblewrap,
  createScene,
  failureOf,
  processesWith,
  type Scene,
  until,
} from "./scene.ts";

type Command = Extract<BackendConfig, { kind: "command" }>;

const sh = (script: string, more: Partial<Command> = {}): Command => ({
  kind: "command",
  command: ["sh", "-c", script],
  input: "file",
  result: "file",
  ...more,
});
const run = (scene: Scene, config: Command) => backendOf(config).run(scene.work);

test("a program reads the task from standard input and answers on standard output", async (t) => {
  const prompt = "Say 'hello'; $(touch bad) `id` \\ \"\n|line two|";
  const scene = createScene(t, { prompt });
  const config = sh("cat; echo note >&2", { input: "stdin", result: "stdout" });
  assert.deepEqual(await run(scene, config), { kind: "done", result: prompt });
  assert.match(scene.log(), /note/);
  assert.deepEqual(scene.phases, ["running"]);
});

test("D.11.14: the task is in a file and on standard input, never in a command line or a shell", async (t) => {
  const prompt = 'low; touch bad #"; touch bad; $(touch bad) `touch bad`';
  const scene = createScene(t, { prompt });
  const script = "cat >read; tr '\\0' ' ' </proc/$$/cmdline >argv; cp argv RESULT.txt";
  const end = await run(scene, sh(script, { input: "stdin" }));
  assert.equal(end.kind, "done");
  assert.equal(readFileSync(join(scene.folder, "read"), "utf8"), prompt);
  assert.doesNotMatch(readFileSync(join(scene.folder, "argv"), "utf8"), /touch/);
  assert.equal(existsSync(join(scene.folder, "bad")), false);
});

test("a program reads TASK.txt and answers by RESULT.txt; nothing waits on its standard input", async (t) => {
  const scene = createScene(t);
  const end = await run(scene, sh("cat; cat TASK.txt > RESULT.txt"));
  assert.deepEqual(end, { kind: "done", result: "Count the sheep." });
});

test("D.11.22: a RESULT.txt of a program that failed, was killed or wrote half is no success", async (t) => {
  const of = async (script: string) => failureOf(await run(createScene(t), sh(script)));
  const failed = await of("echo half > RESULT.txt; echo 'no more memory' >&2; exit 3");
  assert.equal(failed.cause, "agent");
  assert.equal(failed.message, '"sh" ended with exit code 3; its last words were: no more memory');
  assert.match((await of("echo half > RESULT.txt; kill -9 $$")).message, /was ended by SIGKILL/);
  assert.match((await of(": > RESULT.txt")).message, /RESULT.txt is empty/);
  assert.match((await of("printf ' \\n\\t' > RESULT.txt")).message, /RESULT.txt is empty/);
  assert.match((await of("printf 'ab\\303' > RESULT.txt")).message, /no whole text/);
  assert.match((await of("true")).message, /RESULT.txt is not there/);
  assert.match((await of("mkdir RESULT.txt")).message, /RESULT.txt cannot be read/);
  assert.match((await of("ln -s /etc/hostname RESULT.txt")).message, /RESULT.txt cannot be read/);
  assert.match((await of("mkfifo RESULT.txt")).message, /RESULT.txt cannot be read/);
  assert.equal((await of("true")).cause, "no-result");
});

test("D.11.24: an answer that was there before is not told for this task's", async (t) => {
  const scene = createScene(t);
  writeFileSync(join(scene.folder, "RESULT.txt"), "of another task");
  assert.match(failureOf(await run(scene, sh("true"))).message, /RESULT.txt is not there/);
});

test("an answer on standard output has to be whole, too", async (t) => {
  const of = (script: string) => run(createScene(t), sh(script, { result: "stdout" }));
  assert.match(failureOf(await of("true")).message, /wrote nothing/);
  const failed = failureOf(await of("echo half; exit 1"));
  assert.equal(failed.partial, "half\n");
  assert.match(failureOf(await of("printf '\\377\\376'")).message, /no text/);
  const many = await of("seq 1 100000");
  assert.equal(many.kind === "done" && many.result.split("\n").length, 100_001);
  assert.match(failureOf(await of("head -c 9000000 /dev/zero | tr '\\0' x")).message, /too long/);
});

test("what the program says that it used is told, after a failure too", async (t) => {
  const usageFile = "use.json";
  const scene = createScene(t, { model: "m-1" });
  await run(
    scene,
    sh(`echo '{"input":5,"output":2,"cacheRead":7,"usd":0.5}' > use.json; exit 1`, { usageFile }),
  );
  const list = `'[{"model":"a","input":1},{"model":"b","cacheWrite":4}]'`;
  await run(scene, sh(`echo ${list} > use.json; echo x > RESULT.txt`, { usageFile }));
  const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, usd: undefined };
  assert.deepEqual(scene.uses, [
    { model: "m-1", input: 5, output: 2, cacheRead: 7, cacheWrite: 0, usd: 0.5 },
    { ...none, model: "a", input: 1 },
    { ...none, model: "b", cacheWrite: 4 },
  ]);
});

test("usage that is no JSON, lies outside or is made up of nonsense counts nothing and stops nothing", async (t) => {
  const { outside, ...scene } = createScene(t);
  writeFileSync(join(outside, "use.json"), '{"input":5}');
  for (
    const script of [
      "echo nonsense > use.json",
      `ln -s ${outside}/use.json use.json`,
      `echo '{"input":-5}' > use.json`,
      `echo '{"usd":1e99}' > use.json`,
      `echo '{"input_tokens":180,"output_tokens":9}' > use.json`,
      "true",
    ]
  ) {
    const config = sh(`${script}; echo x > RESULT.txt`, { usageFile: "use.json" });
    assert.equal((await backendOf(config).run(scene.work)).kind, "done", script);
  }
  assert.deepEqual(scene.uses, []);
  assert.match(scene.log(), /what this used is not known/);
});

test("a program that cannot be started, or not within its sandbox, is refused and nothing runs", async (t) => {
  const scene = createScene(t);
  const missing = { ...sh(""), command: ["no-such-program"] };
  assert.equal(failureOf(await run(scene, missing)).cause, "refused");
  const backend = backendOf(sh("touch ran"), { wrap: () => ({ refused: "No sandbox here" }) });
  const end = failureOf(await backend.run(scene.work));
  assert.deepEqual([end.cause, end.message, end.passing], ["refused", "No sandbox here", false]);
  assert.equal(existsSync(join(scene.folder, "ran")), false);
});

test("an abort ends the program and all that it started, and tells what it had said", async (t) => {
  const scene = createScene(t);
  const mark = `5${Date.now()}`;
  const script = `echo begun; setsid sleep ${mark} & trap '' TERM; while :; do sleep ${mark}; done`;
  const running = run(scene, sh(script, { result: "stdout" }));
  await scene.logged("begun");
  await until("all of it runs", () => processesWith(mark).length >= 3);
  scene.abort();
  assert.deepEqual(await running, { kind: "aborted", partial: "begun\n" });
  assert.deepEqual(processesWith(mark), []);
  assert.deepEqual(await run(scene, sh("touch ran")), { kind: "aborted", partial: "" });
  assert.equal(existsSync(join(scene.folder, "ran")), false);
});

test("the program gets the environment of the work, and of the worker's own only what is named", async (t) => {
  const scene = createScene(t);
  const backend = backendOf(sh("env; exit 1", { env: ["TOKEN"], result: "stdout" }), {
    env: { TOKEN: "s3cret-token", OTHER: "other-secret" },
  });
  const end = failureOf(await backend.run(scene.work));
  assert.match(end.partial, /^TOKEN=s3cret-token$/m);
  assert.doesNotMatch(end.partial, /other-secret/);
  const loud = backendOf(sh("echo bad key $TOKEN >&2; exit 1", { env: ["TOKEN"] }), {
    env: { TOKEN: "s3cret-token" },
  });
  assert.match(failureOf(await loud.run(scene.work)).message, /bad key \*\*\*$/);
});

test("in a read-only sandbox RESULT.txt and the file of usage are all that can be written", async (t) => {
  const scene = createScene(t, { sandbox: { level: "read-only", network: false } });
  const script = "touch other || echo 'told' > RESULT.txt; echo '{\"input\":1}' > use.json";
  const backend = backendOf(sh(script, { usageFile: "use.json" }), { wrap: bubblewrap });
  assert.deepEqual(await backend.run(scene.work), { kind: "done", result: "told\n" });
  assert.equal(existsSync(join(scene.folder, "other")), false);
  assert.equal(scene.uses.length, 1);
});

test("a workspace sandbox with the task on standard input holds, links out of it included", async (t) => {
  const scene = createScene(t);
  writeFileSync(join(scene.outside, "secret"), "hush");
  symlinkSync(join(scene.outside, "secret"), join(scene.folder, "link"));
  const backend = backendOf(
    sh("cat > RESULT.txt; cat link >> RESULT.txt; echo more >> RESULT.txt", { input: "stdin" }),
    { wrap: bubblewrap },
  );
  const end = await backend.run(scene.work);
  assert.deepEqual(end, { kind: "done", result: "Count the sheep.more\n" });
});

test("a file that the command names by its whole path is seen inside a sandbox", async (t) => {
  const scene = createScene(t);
  const script = join(scene.outside, "run.sh");
  writeFileSync(script, "echo from outside\n");
  const seen: (readonly string[])[] = [];
  const backend = backendOf({
    ...sh("", { result: "stdout", input: "stdin", reads: ["/opt"] }),
    command: ["sh", script, scene.outside],
  }, {
    wrap(argv, { reads = [] }) {
      seen.push(reads);
      return { argv: [...argv] };
    },
  });
  assert.deepEqual(await backend.run(scene.work), { kind: "done", result: "from outside\n" });
  assert.deepEqual(seen, [["/opt", script]]);
});
