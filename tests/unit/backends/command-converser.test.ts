import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ConfigOf } from "../../../lib/backends/backend-config.ts";
import type { ConverserParts } from "../../../lib/backends/converser-parts.ts";
import { createConverser } from "../../../lib/backends/create-converser.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import type { AgentSession, OpenWish, PromptEnd } from "../../../lib/chat/agent-session.ts";
import { ask } from "../../support/converse.ts";
import { processesWith, unconfined, until } from "./scene.ts";

interface Scene {
  folder: string;
  log(): string;
  open(more?: Partial<OpenWish>): Promise<AgentSession>;
}

/** A program that is a script of bash, started for each turn. */
function scene(
  t: TestContext,
  script: string,
  { input = "stdin", result = "stdout", parts = {}, ...more }:
    & Partial<ConfigOf<"command">>
    & { parts?: Partial<ConverserParts> } = {},
): Scene {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), "herd-program-")));
  const folder = mkdtempSync(join(outside, "folder-"));
  const program = join(outside, "program");
  writeFileSync(program, `#!/bin/bash\n${script}\n`);
  chmodSync(program, 0o755);
  const sessions: AgentSession[] = [];
  t.after(async () => {
    for (const one of sessions) await one[Symbol.asyncDispose]();
    rmSync(outside, { recursive: true, force: true });
  });
  const converser = createConverser(
    { kind: "command", command: [program], input, result, ...more },
    {
      wrap: unconfined,
      clock: createSystemClock(),
      env: { MY_KEY: "key-of-tests" },
      sandbox: { level: "workspace", network: false },
      agentEnv: () => ({ PATH: process.env["PATH"]! }),
      graceMs: 300,
      ...parts,
    },
  );
  assert.ok(!("refused" in converser), JSON.stringify(converser));
  let log = "";
  return {
    folder,
    log: () => log,
    async open(wish = {}) {
      const session = await converser.open({
        conversation: "200",
        folder,
        instructions: "Be kind.",
        earlier: undefined,
        signal: new AbortController().signal,
        hooks: {
          permission: () => Promise.reject(new Error("never asked")),
          log: (text) => void (log += text),
        },
        ...wish,
      });
      assert.ok(!("failed" in session), JSON.stringify(session));
      sessions.push(session);
      return session;
    },
  };
}

function failureIn(end: PromptEnd) {
  assert.ok(end.kind === "failed", JSON.stringify(end));
  return end.failure;
}

test("each turn is a program that reads all that was said and writes the answer", async (t) => {
  const session = await scene(t, "cat; echo; echo -n END").open();
  assert.equal(session.memory, "fresh");
  assert.equal((await ask(session, "One?")).end.text, "Be kind.\n\nOne?\nEND");
  const second = (await ask(session, "Two?")).end.text;
  assert.match(
    second,
    /^Be kind\.\n\n.*said before.*\n\{"role":"person","text":"One\?"\}\n\{"role":"agent","text":"Be kind\..*END"\}\n\nNow answer this:\nTwo\?\nEND$/s,
  );
});

test("the task and the answer may be files; an old answer is nobody's", async (t) => {
  const { open, folder } = scene(
    t,
    `if grep -q first TASK.txt; then echo done > RESULT.txt; fi; cat`,
    { input: "file", result: "file" },
  );
  const session = await open();
  assert.deepEqual((await ask(session, "the f" + "irst")).end, { kind: "done", text: "done\n" });
  assert.match(readFileSync(join(folder, "TASK.txt"), "utf8"), /the first$/);
  rmSync(join(folder, "TASK.txt"));
  const other = await scene(t, "true", { input: "file", result: "file" }).open();
  const failure = failureIn((await ask(other, "second")).end);
  assert.equal(failure.kind, "nothing-said");
  assert.match(failure.message, /RESULT\.txt is not there/);
});

test("after a restart it is given herd's own record", async (t) => {
  const session = await scene(t, "cat").open({
    earlier: { sessionId: undefined, transcript: [{ role: "person", at: 1, text: "of old" }] },
  });
  assert.equal(session.memory, "replayed");
  assert.match((await ask(session, "Now")).end.text, /"text":"of old"/);
});

test("the answer is shown as it grows, without colours; what it used is told", async (t) => {
  const script = `echo -e "\\e[1mFirst\\e[0m"; until test -e go; do sleep 0.02; done; echo second
    echo '[{"model":"m","input":3,"output":1,"usd":0.5},{"input":4,"output":2,"usd":0.25}]' > use.json`;
  const { open, folder } = scene(t, script, { usageFile: "use.json" });
  const heard = await ask(await open(), "Go", {
    onText: (text) => text === "First" && writeFileSync(join(folder, "go"), ""),
  });
  assert.deepEqual(heard.end, { kind: "done", text: "First\nsecond" });
  assert.deepEqual(heard.uses, [
    { model: "m", input: 7, output: 3, cacheRead: 0, cacheWrite: 0, usd: 0.75 },
  ]);
});

test("a cancelled turn ends the program, its group and what set itself free", async (t) => {
  const session = await scene(
    t,
    "echo Half; sleep 73601.1 & setsid sleep 73601.2 & trap '' TERM; sleep 73601.3",
  ).open();
  const stop = new AbortController();
  const asked = ask(session, "Go", { signal: stop.signal });
  await until("all run", () => processesWith("sleep\x0073601.").length >= 3);
  stop.abort();
  assert.deepEqual((await asked).end, { kind: "cancelled", text: "Half" });
  assert.deepEqual(processesWith("sleep\x0073601."), []);
});

test("A.17.25: a program that fails is a failure, with its last words and without its secrets", async (t) => {
  const session = await scene(t, `echo partly; echo "no login for $MY_KEY" >&2; exit 3`, {
    env: ["MY_KEY"],
  }).open();
  const { end } = await ask(session, "Go");
  const failure = failureIn(end);
  assert.equal(end.text, "partly");
  assert.match(failure.message, /ended with exit code 3; its last words were: no login/);
  assert.match(failure.stderr, /no login/);
  assert.ok(!JSON.stringify(failure).includes("key-of-tests"));
  assert.equal(session.stderr(), failure.stderr);
  const silent = await scene(t, "true").open();
  assert.equal(failureIn((await ask(silent, "Go")).end).kind, "nothing-said");
});

test("a flood is bounded, and a program that ends by itself leaves nothing running", async (t) => {
  const flood = await scene(t, "head -c 20000000 /dev/zero | tr '\\0' x").open();
  const heard = await ask(flood, "Go");
  assert.match(failureIn(heard.end).message, /too long/);
  assert.ok(heard.texts.every((text) => text.length < 1_000_000));
  const leaving = await scene(t, "setsid sleep 73602.1 & echo Fine").open();
  assert.equal((await ask(leaving, "Go")).end.text, "Fine");
  assert.deepEqual(processesWith("sleep\x0073602.1"), []);
});

test("turns that share files come one after the other; who waits can be stopped at once", async (t) => {
  const { open, folder } = scene(
    t,
    `test -e busy && exit 9; touch busy began; until test -e go; do sleep 0.02; done
     rm busy; cat TASK.txt > RESULT.txt`,
    { input: "file", result: "file" },
  );
  const [first, second, third] = [await open(), await open(), await open()];
  const one = ask(first, "one");
  await until("the first runs", () => existsSync(join(folder, "began")));
  const stop = new AbortController();
  const two = ask(second, "two", { signal: stop.signal });
  const three = ask(third, "three");
  stop.abort();
  assert.deepEqual((await two).end, { kind: "cancelled", text: "" });
  writeFileSync(join(folder, "go"), "");
  assert.match((await one).end.text, /one$/);
  assert.match((await three).end.text, /three$/);
});

test("what an agent cannot take is told in words, and what is not there by name", async (t) => {
  const session = await scene(t, "cat").open();
  const picture = { type: "image", mimeType: "image/png", data: "AA==" } as const;
  assert.match(
    (await ask(session, [{ type: "text", text: "See" }, picture])).end.text,
    /A picture was attached/,
  );
  assert.equal(await session.steer("more"), false);
  assert.deepEqual(session.options(), []);
  const none = createConverser({
    kind: "command",
    command: ["no-such-program"],
    input: "file",
    result: "file",
  }, {
    wrap: unconfined,
    clock: createSystemClock(),
    env: {},
    sandbox: { level: "none", network: true },
    agentEnv: () => ({ PATH: "/usr/bin" }),
  });
  assert.ok(!("refused" in none));
  const opened = await none.open({
    conversation: "1",
    folder: tmpdir(),
    instructions: "",
    earlier: undefined,
    signal: new AbortController().signal,
    hooks: { permission: () => Promise.resolve("deny"), log() {} },
  });
  assert.ok("failed" in opened);
  assert.equal(opened.failed.kind, "not-found");
});
