import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createAcpBackend } from "../../../lib/backends/acp-backend.ts";
import type { BackendConfig } from "../../../lib/backends/backend-config.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { shellQuote } from "../../../lib/base/text.ts";
import {
  backendOf,
  bubblewrap,
  createScene,
  failureOf,
  processesWith,
  unconfined,
  until,
} from "./scene.ts";

type Acp = Extract<BackendConfig, { kind: "acp" }>;

const PROGRAM = fileURLToPath(new URL("./acp-agent.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../../deno.json", import.meta.url));
/** Deno keeps its caches here; a home of its own would make it load the packages again. */
const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? "",
  NO_COLOR: "1",
};

const acp = (words: string[], more: Partial<Acp> = {}): Acp => ({
  kind: "acp",
  command: [process.execPath, "run", "-A", "--no-check", "--config", CONFIG, PROGRAM, ...words],
  ...more,
});

test("an agent gets the task in its folder; its last answer is the result, its usage is told", async (t) => {
  const scene = createScene(t, { env, model: "large-2" });
  const end = await backendOf(acp(["plain"])).run(scene.work);
  assert.deepEqual(end, { kind: "done", result: "There are 16 letters." });
  assert.deepEqual(scene.uses, [
    { model: "large-2", input: 100, output: 25, cacheRead: 40, cacheWrite: 10, usd: undefined },
  ]);
  assert.match(scene.log(), /Let me look\.\n\n\[cat TASK\.txt\]\nThere are 16 letters\./);
  assert.equal(scene.phases[0], "starting");
  // Where the task names none, it is the one that the session begins with.
  await backendOf(acp(["plain"])).run({ ...scene.work, model: undefined });
  assert.equal(scene.uses[1]?.model, "small-1");
});

test("model, mode and thinking are set where they are offered; what is not offered is refused", async (t) => {
  const scene = createScene(t, { env, model: "Large", thinking: "high" });
  const end = await backendOf(acp(["settings"], { mode: "auto" })).run(scene.work);
  assert.equal(
    end.kind === "done" && end.result,
    'm=large-2 mode=auto t=hi {"fs":{"readTextFile":true,"writeTextFile":true},"terminal":false,"auth":{"terminal":false}}',
  );
  const other = await backendOf(acp(["settings"])).run({ ...scene.work, model: "huge" });
  assert.equal(failureOf(other).cause, "refused");
  assert.equal(
    failureOf(other).message,
    'Cannot take model "huge" with this agent: it offers "small-1", "large-2"',
  );
  const mode = await backendOf(acp(["settings"], { mode: "yolo" })).run(scene.work);
  assert.match(failureOf(mode).message, /Cannot take mode "yolo" .* "ask", "auto"$/);
  const named = await backendOf(acp(["settings", "{model}"])).run({ ...scene.work, model: "huge" });
  assert.equal(named.kind, "done");
});

test("permission is given once, never always; in a read-only sandbox not for edits", async (t) => {
  const scene = createScene(t, { env });
  const end = await backendOf(acp(["permission"])).run(scene.work);
  assert.equal(end.kind === "done" && end.result, "allow_once allow_once reject_once cancelled");
  assert.match(scene.log(), /asked for permission: rm -rf \/; answered: allow_once/);
  const sandbox = { level: "read-only", network: true } as const;
  const readOnly = await backendOf(acp(["permission"])).run({ ...scene.work, sandbox });
  assert.equal(
    readOnly.kind === "done" && readOnly.result,
    "reject_once allow_once reject_once cancelled",
  );
});

test("files are given of the task's folder alone, and no terminal", async (t) => {
  const scene = createScene(t, { env });
  writeFileSync(join(scene.outside, "secret"), "hush");
  symlinkSync(join(scene.outside, "secret"), join(scene.folder, "link"));
  const end = await backendOf(acp(["files"])).run(scene.work);
  assert.ok(end.kind === "done");
  assert.deepEqual(end.result.split("\n"), [
    'ok {"content":"Count the sheep."}',
    "refused -32602",
    "refused -32602",
    "refused -32602",
    "ok {}",
    "refused -32602",
    "refused -32602",
    "refused -32601",
  ]);
  assert.equal(readFileSync(join(scene.folder, "made/file"), "utf8"), "new");
  assert.equal(readFileSync(join(scene.outside, "secret"), "utf8"), "hush");
  assert.equal(existsSync(join(scene.outside, "mine")), false);
});

test("in a read-only sandbox no file is written for an agent", async (t) => {
  const scene = createScene(t, { env, sandbox: { level: "read-only", network: true } });
  const end = await backendOf(acp(["files"])).run(scene.work);
  assert.ok(end.kind === "done");
  assert.equal(end.result.split("\n")[4], "refused -32602");
  assert.equal(existsSync(join(scene.folder, "made")), false);
});

test("RESULT.txt that the agent wrote is the result, an old one is not", async (t) => {
  const scene = createScene(t, { env });
  assert.deepEqual(await backendOf(acp(["result"])).run(scene.work), {
    kind: "done",
    result: "from the file",
  });
  const next = await backendOf(acp(["plain"])).run(scene.work);
  assert.deepEqual(next, { kind: "done", result: "There are 16 letters." });
});

test("what the agent says that it cost is told as it grows, and a budget stops it", async (t) => {
  const scene = createScene(t, { env, model: "small-1" });
  assert.equal((await backendOf(acp(["cost"])).run(scene.work)).kind, "done");
  assert.deepEqual(scene.uses.map(({ usd }) => usd?.toFixed(2)), ["0.20", "0.01"]);
  assert.deepEqual(scene.uses.map(({ input }) => input), [0, 100]);
  const end = failureOf(await backendOf(acp(["cost"])).run({ ...scene.work, budgetUsd: 0.1 }));
  assert.deepEqual([end.cause, end.message], ["budget", "The budget of $0.1 is used up"]);
});

test("an abort cancels the turn, tells what it used and leaves no process, not in other sessions either", async (t) => {
  const scene = createScene(t, { env });
  const mark = `6${Date.now()}`;
  const running = backendOf(acp(["wait", mark])).run(scene.work);
  await scene.logged("Waiting.");
  await until("its children run", () => processesWith(mark).length >= 3);
  scene.abort();
  assert.deepEqual(await running, { kind: "aborted", partial: "Waiting." });
  assert.deepEqual(processesWith(mark), []);
  assert.equal(scene.uses.length, 1);
});

test("an agent that hears neither cancel nor TERM is ended all the same", async (t) => {
  const scene = createScene(t, { env });
  const mark = `deaf-${Date.now()}`;
  const running = backendOf(acp(["deaf", mark])).run(scene.work);
  await scene.logged("I do not listen.");
  scene.abort();
  assert.deepEqual(await running, { kind: "aborted", partial: "I do not listen." });
  assert.deepEqual(processesWith(mark), []);
});

test("an agent that dies in its turn is a failure with its last words, one that answers first is none", async (t) => {
  const scene = createScene(t, { env });
  const died = failureOf(await backendOf(acp(["die"])).run(scene.work));
  assert.equal(
    died.message,
    "The agent is gone: it ended with exit code 7; its last words were: out of cheese",
  );
  assert.deepEqual([died.cause, died.passing, died.partial], ["agent", true, "I am"]);
  assert.deepEqual(await backendOf(acp(["answerAndDie"])).run(scene.work), {
    kind: "done",
    result: "Last words.",
  });
});

test("each way to end without an answer has its cause", async (t) => {
  const of = async (mode: string) => {
    const scene = createScene(t, { env });
    const { cause, message, passing } = failureOf(await backendOf(acp([mode])).run(scene.work));
    return { cause, message, passing, uses: scene.uses.length };
  };
  const silent = await of("silent");
  assert.equal(silent.cause, "no-result");
  assert.equal(silent.message, "The agent said nothing and RESULT.txt is not there");
  assert.deepEqual(await of("refusal"), {
    cause: "model",
    message: "The agent declines the task",
    passing: false,
    uses: 1,
  });
  assert.equal((await of("limit")).cause, "no-result");
  const login = await of("login");
  assert.match(login.message, /^The agent is not logged in: /);
  assert.equal(login.passing, false);
  assert.match((await of("future")).message, /speaks version 9 of ACP, herd speaks 1/);
  assert.match((await of("fails")).message, /no quota/);
});

test("garbage between messages is forgiven, garbage alone is not", async (t) => {
  const scene = createScene(t, { env });
  assert.deepEqual(await backendOf(acp(["garbage"])).run(scene.work), {
    kind: "done",
    result: "Sorry.",
  });
  assert.match(scene.log(), /\[no ACP message: not json\]/);
  const end = failureOf(await backendOf(acp(["onlyGarbage"])).run(scene.work));
  assert.equal(end.message, "The agent is gone: it sends what is no ACP");
});

test("a flood is cut off, and one that is within its bounds can be aborted", async (t) => {
  const scene = createScene(t, { env });
  const parts = { wrap: unconfined, clock: createSystemClock(), env: {}, graceMs: 300 };
  const bounds = { line: 1e6, total: 20e6, junk: 10 };
  const small = createAcpBackend(acp(["flood"]), { ...parts, bounds });
  assert.ok("run" in small);
  const end = failureOf(await small.run(scene.work));
  assert.equal(end.message, "The agent is gone: it sends without end");
  assert.ok(end.partial.length <= 9e6);
  const running = backendOf(acp(["flood"])).run({ ...scene.work, log: () => scene.abort() });
  assert.equal((await running).kind, "aborted");
});

test("an agent that never answers is given up after its time to start, and ended", async (t) => {
  const scene = createScene(t, { env });
  const mark = `mute-${Date.now()}`;
  const backend = createAcpBackend(acp(["mute", mark]), {
    wrap: unconfined,
    clock: createSystemClock(),
    env: {},
    graceMs: 200,
    startLimitMs: 300,
  });
  assert.ok("run" in backend);
  const end = failureOf(await backend.run(scene.work));
  assert.equal(end.message, "The agent started no session in time");
  assert.deepEqual(processesWith(mark), []);
});

test("programs that are no agents at all are failures, quickly and in words", async (t) => {
  const of = async (...command: string[]) => {
    const scene = createScene(t, { env });
    return failureOf(await backendOf({ kind: "acp", command }).run(scene.work));
  };
  assert.equal((await of("no-such-program")).cause, "refused");
  assert.match((await of("true")).message, /^The agent is gone: it ended with exit code 0$/);
  assert.match((await of("yes")).message, /it sends what is no ACP/);
  assert.match((await of("sh", "-c", "kill -9 $$")).message, /it was ended by SIGKILL/);
  // It sends back each request: no answer, and a request that herd does not know.
  assert.match((await of("timeout", "2", "cat")).message, /^The agent /);
});

test("what the sandbox refuses is not started", async (t) => {
  const scene = createScene(t, { env });
  const command = ["sh", "-c", "touch ran"];
  const backend = backendOf({ kind: "acp", command }, { wrap: () => ({ refused: "No sandbox" }) });
  assert.deepEqual(await backend.run(scene.work), {
    kind: "failed",
    cause: "refused",
    message: "No sandbox",
    passing: false,
    partial: "",
  });
  assert.equal(existsSync(join(scene.folder, "ran")), false);
});

test("an agent within a sandbox answers, and ends with an abort", async (t) => {
  const scene = createScene(t, { env });
  const checkout = fileURLToPath(new URL("../../../", import.meta.url));
  const reads = [env.HOME, checkout, dirname(process.execPath)];
  const within = (words: string[]): Acp => {
    const { command } = acp(words);
    // Deno changes the arguments of a program that gets the path of Deno among them.
    writeFileSync(join(scene.folder, "agent.sh"), `exec ${command.map(shellQuote).join(" ")}`);
    return { kind: "acp", command: ["sh", "agent.sh"], reads };
  };
  const plain = backendOf(within(["plain"]), { wrap: bubblewrap });
  assert.deepEqual(await plain.run(scene.work), { kind: "done", result: "There are 16 letters." });
  const mark = `7${Date.now()}`;
  const running = backendOf(within(["wait", mark]), { wrap: bubblewrap }).run(scene.work);
  await scene.logged("Waiting.");
  scene.abort();
  assert.equal((await running).kind, "aborted");
  await until("all of the sandbox is gone", () => processesWith(mark).length === 0);
});
