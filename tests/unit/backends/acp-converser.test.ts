import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createAcpConverser } from "../../../lib/backends/acp-converser.ts";
import type { ConverserParts } from "../../../lib/backends/converser-parts.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import type {
  AgentSession,
  OpenWish,
  PermissionRequest,
  PromptEnd,
} from "../../../lib/chat/agent-session.ts";
import { ask } from "../../support/converse.ts";
import { unconfined, until } from "./scene.ts";

const TALKER = fileURLToPath(new URL("./acp-talker.ts", import.meta.url));

interface Talking {
  folder: string;
  open(more?: Partial<OpenWish>): Promise<AgentSession>;
  asked: PermissionRequest[];
}

function talking(
  t: TestContext,
  { loading = "loads", answer = "once", command, mode, ...parts }: {
    loading?: string;
    answer?: "once" | "always" | "deny" | (() => Promise<"once">);
    command?: string[];
    mode?: string;
  } & Partial<ConverserParts> = {},
): Talking {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "herd-talk-")));
  const open: AgentSession[] = [];
  const asked: PermissionRequest[] = [];
  const converser = createAcpConverser({
    kind: "acp",
    command: command ?? [process.execPath, "run", "-A", "--no-check", TALKER, loading],
    ...(mode === undefined ? {} : { mode }),
    env: ["MY_KEY"],
  }, {
    wrap: unconfined,
    clock: createSystemClock(),
    env: { MY_KEY: "key-of-tests" },
    sandbox: { level: "none", network: true },
    agentEnv: () => ({ PATH: process.env["PATH"]!, HOME: process.env["HOME"]! }),
    ...parts,
    cancelMs: 500,
    startLimitMs: 20_000,
    graceMs: 200,
  });
  assert.ok(!("refused" in converser));
  t.after(async () => {
    for (const one of open) await one[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    asked,
    async open(more = {}) {
      const session = await converser.open({
        conversation: "200",
        folder,
        instructions: "Be kind.",
        earlier: undefined,
        signal: new AbortController().signal,
        hooks: {
          permission(request) {
            asked.push(request);
            return typeof answer === "string" ? Promise.resolve(answer) : answer();
          },
          log() {},
        },
        ...more,
      });
      assert.ok(!("failed" in session), JSON.stringify(session));
      open.push(session);
      return session;
    },
  };
}

const said = ({ end }: { end: PromptEnd }) => end.text;

test("a conversation goes on in one process; its instructions are said once", async (t) => {
  const session = await talking(t).open();
  assert.equal(session.memory, "fresh");
  const first = await ask(session, "blocks");
  assert.deepEqual(JSON.parse(said(first)), ["Be kind.", "blocks"]);
  assert.deepEqual(first.uses.map(({ input, output }) => [input, output]), [[100, 20]]);
  assert.deepEqual(JSON.parse(said(await ask(session, "blocks"))), ["blocks"]);
});

test("tools are told with their kind and end; what is said after one is a new paragraph", async (t) => {
  const { end, tools, texts } = await ask(await talking(t).open(), "tools");
  assert.deepEqual(end, { kind: "done", text: "First.\n\nThen." });
  assert.deepEqual(tools, [
    "t1 make all execute running",
    "t1 make all execute completed",
  ]);
  assert.equal(texts[0], "First.");
});

test("A.17.24: permissions are asked for, and an agent is told no more than it needs: herd remembers an always", async (t) => {
  const all = "ask allow_always allow_once reject_once reject_always";
  for (
    const [answer, options, chosen] of [
      ["once", all, "allow_once"],
      ["always", all, "allow_once"],
      ["always", "ask allow_always reject_once", "allow_always"],
      ["always", "ask allow_once reject_once", "allow_once"],
      ["once", "ask allow_always reject_once", "cancelled"],
      ["deny", all, "reject_once"],
      ["deny", "ask allow_once", "cancelled"],
    ] as const
  ) {
    const scene = talking(t, { answer });
    assert.equal(said(await ask(await scene.open(), options)), chosen, `${answer}: ${options}`);
    assert.deepEqual(scene.asked[0], {
      tool: "rm -rf build",
      kind: "delete",
      title: "rm -rf build",
      detail: "rm -rf build",
    });
  }
});

test("A.17.24: nobody is asked for a yes that the agent does not offer", async (t) => {
  const scene = talking(t, { answer: "once" });
  assert.equal(said(await ask(await scene.open(), "ask reject_once strange")), "cancelled");
  assert.deepEqual(scene.asked, []);
});

test("A.17.24: a tool that was told before is asked for with all that is known of it", async (t) => {
  const scene = talking(t);
  assert.equal(said(await ask(await scene.open(), "known")), "allow_once");
  assert.deepEqual(scene.asked, [{
    tool: scene.asked[0]!.tool,
    kind: "edit",
    title: "Edit a.txt",
    detail: "/a.txt\n- one\n+ two",
  }]);
  assert.match(scene.asked[0]!.tool, /^Edit a\.txt: \/a\.txt - one \+ two \([0-9a-f]{16}\)$/);
});

test("A.17.24: nobody is asked outside of a turn, and a yes after its end is none", async (t) => {
  const scene = talking(t);
  const session = await scene.open();
  await ask(session, "later");
  const file = join(scene.folder, "later.txt");
  await until("the agent is answered", () => existsSync(file) && readFileSync(file).length > 0);
  assert.equal(readFileSync(file, "utf8"), "cancelled");
  assert.deepEqual(scene.asked, []);
  const stop = new AbortController();
  const stopping = talking(t, {
    answer() {
      stop.abort();
      return Promise.resolve("once");
    },
  });
  const all = "ask allow_once reject_once";
  const { end } = await ask(await stopping.open(), all, { signal: stop.signal });
  assert.deepEqual(end, { kind: "cancelled", text: "cancelled" });
});

test("A.17.24: a tool that is told only by asking for it is one of the turn's, denied or not", async (t) => {
  const allowed = talking(t);
  const { end, tools } = await ask(await allowed.open(), "untold");
  assert.match(tools.join(), /^t5 make all execute /);
  assert.equal(end.text, "allow_once");
  const [asked] = allowed.asked;
  assert.match(asked!.tool, /^make all: in the usual folder/);
  assert.equal(asked!.detail, "in the usual folder");
  const denied = await ask(await talking(t, { answer: "deny" }).open(), "untold");
  assert.deepEqual(denied.tools.at(-1), "t5 make all execute failed");
});

test("A.17.24: a question that the agent does not wait for ends with its turn", async (t) => {
  const ends: Promise<void>[] = [];
  const scene = talking(t);
  const session = await scene.open({
    hooks: {
      permission(_, signal) {
        const over = new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => resolve());
        });
        ends.push(over);
        return over.then(() => "once");
      },
      log() {},
    },
  });
  assert.equal(said(await ask(session, "hasty")), "I wait for nobody");
  assert.equal(ends.length, 1);
  await ends[0];
  const file = join(scene.folder, "hasty.txt");
  await until("the agent is answered", () => existsSync(file) && readFileSync(file).length > 0);
  assert.equal(readFileSync(file, "utf8"), "cancelled");
});

test("A.17.24: an option of a kind that is newer than herd is no reason to refuse the others", async (t) => {
  const session = await talking(t).open();
  assert.equal(said(await ask(session, "ask allow_the_world allow_once")), "allow_once");
  assert.equal(said(await ask(session, "ask allow_the_world")), "cancelled");
});

test("A.17.24: what is too large to be kept is still told from any other", async (t) => {
  const scene = talking(t);
  const session = await scene.open();
  for (const word of ["a", "b", "a"]) await ask(session, `large ${word}`);
  const [one, two, three] = scene.asked;
  assert.match(one!.detail, /"characters": 2000\d\d/);
  assert.ok(one!.detail.length < 5_000);
  assert.notEqual(one!.tool, two!.tool);
  assert.equal(one!.tool, three!.tool);
});

test("what a turn cost is its own part of the session's sum", async (t) => {
  const session = await talking(t).open();
  const usd = async (text: string) => (await ask(session, text)).uses.at(-1)!.usd!.toFixed(2);
  assert.equal(await usd("cost 0.01 0.2 0.3"), "0.30");
  assert.equal(await usd("cost 0.35"), "0.05");
  assert.equal((await ask(session, "hello")).uses.at(-1)!.model, "small");
  const { input, output, usd: none } = (await ask(await talking(t).open(), "quota")).uses.at(-1)!;
  assert.deepEqual([input, output, none], [30, 4, null]);
  const prices = { small: { input: 10, output: 100, cacheRead: 0, cacheWrite: 0 } };
  const priced = await ask(await talking(t, { prices }).open(), "quota");
  assert.equal(priced.uses.at(-1)!.usd, 0.0007);
});

test("the configured mode and model are taken, or the agent is refused with what it offers", async (t) => {
  const session = await talking(t, { loading: "modes", mode: "plan", model: "large" }).open();
  assert.equal(said(await ask(session, "mode")), "plan");
  assert.equal(said(await ask(session, "model")), "large");
  assert.deepEqual(session.options().map(({ id, current }) => [id, current]), [
    ["m", "large"],
    ["mode", "plan"],
  ]);
  await assert.rejects(
    talking(t, { loading: "modes", mode: "yolo" }).open(),
    /Cannot take mode .*yolo.* it offers .*ask.*plan/,
  );
});

test("what the agent chooses by itself is what is shown", async (t) => {
  const session = await talking(t, { loading: "modes" }).open();
  assert.equal(await session.choose("mode", "plan"), undefined);
  assert.equal(await session.choose("mode", "ask"), undefined);
  await ask(session, "switch");
  assert.deepEqual(session.options().map(({ id, current }) => [id, current]), [
    ["m", "large"],
    ["mode", "plan"],
  ]);
});

test("another message is another paragraph", async (t) => {
  const { end } = await ask(await talking(t).open(), "messages");
  assert.equal(end.text, "One more.\n\nTwo.");
});

test("A.17.25, B.87: what an agent says last is told without secrets, and so is it logged", async (t) => {
  let log = "";
  const hooks = {
    permission: () => Promise.resolve("deny" as const),
    log: (text: string) => void (log += text),
  };
  const session = await talking(t).open({ hooks });
  const { end } = await ask(session, "secret");
  assert.ok(end.kind === "failed");
  assert.match(end.failure.stderr, /my key is/);
  assert.ok(!JSON.stringify(end).includes("key-of-tests"));
  assert.ok(!session.stderr().includes("key-of-tests"));
  assert.match(log, /my key is/);
  assert.ok(!log.includes("key-of-tests"));
});

test("B.79, C.1: a session is loaded where the agent can, and else told again from herd's own record", async (t) => {
  for (
    const [loading, memory] of [
      ["loads", "loaded"],
      ["never", "replayed"],
      ["forgets", "replayed"],
      ["null", "replayed"],
      ["another", "replayed"],
    ] as const
  ) {
    const scene = talking(t, { loading });
    const first = await scene.open();
    await ask(first, "hello");
    await first[Symbol.asyncDispose]();
    const again = await scene.open({
      earlier: {
        sessionId: first.sessionId,
        transcript: [
          { role: "person", at: 1, text: "hello" },
          { role: "agent", at: 2, text: "You said hello" },
        ],
      },
    });
    assert.equal(again.memory, memory, loading);
    const blocks = JSON.parse(said(await ask(again, "blocks"))) as string[];
    if (memory === "loaded") assert.deepEqual(blocks, ["blocks"]);
    else {
      assert.equal(blocks[0], "Be kind.");
      assert.match(blocks[1]!, /restarted.*\n.*"person","text":"hello".*\n.*You said hello/);
    }
  }
});

test("B.80: an earlier life without a record is told as lost", async (t) => {
  const scene = talking(t, { loading: "never" });
  const session = await scene.open({ earlier: { sessionId: "s9", transcript: [] } });
  assert.equal(session.memory, "lost");
});

test("a cancelled prompt ends with what was said, and the next is answered as itself", async (t) => {
  const session = await talking(t).open();
  const stop = new AbortController();
  const asked = ask(session, "wait", { signal: stop.signal });
  setTimeout(() => stop.abort(), 300);
  assert.deepEqual((await asked).end, { kind: "cancelled", text: "Half" });
  assert.equal(said(await ask(session, "hello")), "You said hello");
});

test("A.17.9: an agent that does not stop when told to is ended, and speaks into no later turn", async (t) => {
  const session = await talking(t).open();
  const stop = new AbortController();
  const asked = ask(session, "deaf", { signal: stop.signal });
  setTimeout(() => stop.abort(), 300);
  assert.deepEqual((await asked).end, { kind: "cancelled", text: "I go on" });
  // It is gone by then: nobody hands it the next turn.
  const late = Promise.resolve("late");
  assert.match(await Promise.race([session.gone, late]), /gone/);
});

test("A.17.10, A.17.25: an agent that fails or dies is a failure, with its last words", async (t) => {
  const scene = talking(t);
  const failing = await ask(await scene.open(), "fail");
  assert.equal(failing.end.kind, "failed");
  assert.ok(failing.end.kind === "failed");
  assert.deepEqual([failing.end.failure.kind, failing.end.failure.code], ["protocol", -32603]);
  assert.match(failing.end.failure.message, /no quota/);
  const detailed = await ask(await scene.open(), "details");
  assert.ok(detailed.end.kind === "failed");
  assert.match(detailed.end.failure.message, /Internal error: The disk is full$/);
  const session = await scene.open();
  const { end } = await ask(session, "die");
  assert.ok(end.kind === "failed");
  assert.equal(end.failure.kind, "gone");
  assert.match(end.failure.stderr, /out of cheese/);
  assert.equal(end.text, "I am");
  const login = await ask(await scene.open(), "login");
  assert.ok(login.end.kind === "failed");
  assert.equal(login.end.failure.kind, "not-logged-in");
  assert.match(login.end.failure.hint!, /Log the agent's program in/);
});

test("a program that is not there, and one that speaks no ACP, fail with the reason", async (t) => {
  const fails = async (command: string[]) => {
    const converser = createAcpConverser({ kind: "acp", command }, {
      wrap: unconfined,
      clock: createSystemClock(),
      env: {},
      sandbox: { level: "none", network: true },
      agentEnv: () => ({ PATH: process.env["PATH"]! }),
      startLimitMs: 700,
      graceMs: 100,
    });
    assert.ok(!("refused" in converser));
    const opened = await converser.open({
      conversation: "1",
      folder: tmpdir(),
      instructions: "",
      earlier: undefined,
      signal: new AbortController().signal,
      hooks: { permission: () => Promise.resolve("deny"), log() {} },
    });
    assert.ok("failed" in opened);
    return opened.failed;
  };
  assert.equal((await fails(["no-such-agent"])).kind, "not-found");
  assert.match((await fails(["/bin/sh", "-c", "echo oops >&2; exit 3"])).stderr, /oops/);
  assert.equal((await fails(["/bin/sleep", "100"])).kind, "timeout");
  void t;
});

test("choices are offered and made; what is not offered is refused with what is", async (t) => {
  const session = await talking(t).open();
  assert.deepEqual(session.options().map(({ id, current }) => [id, current]), [["m", "small"]]);
  assert.equal(await session.choose("m", "large"), undefined);
  assert.equal(session.options()[0]!.current, "large");
  assert.equal(said(await ask(session, "model")), "large");
  assert.match((await session.choose("m", "huge"))!, /"huge" is none of "small", "large"/);
  assert.match((await session.choose("x", "y"))!, /no choice "x", only "m"/);
});

test("thousands of pieces are one answer of bounded length", async (t) => {
  const { end } = await ask(await talking(t).open(), "flood");
  assert.equal(end.kind, "done");
  assert.ok(end.text.length >= 1_000_000 && end.text.length < 1_010_000);
});

test("B.85: when herd is killed its agents and what they started end with it", async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "herd-talk-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const parent = spawn(process.execPath, [
    "run",
    "-A",
    "--no-check",
    fileURLToPath(new URL("./acp-parent.ts", import.meta.url)),
    TALKER,
    folder,
  ], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => parent.stdout.once("data", resolve));
  const living = () => membersIn(folder);
  assert.ok(living().length >= 2, execFileSync("ps", ["aux"], { encoding: "utf8" }));
  parent.kill("SIGKILL");
  const end = Date.now() + 5_000;
  while (living().length > 0) {
    assert.ok(Date.now() < end, "Agents outlive herd");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

/** Processes that stand in the folder. */
function membersIn(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return realpathSync(`/proc/${name}/cwd`) === folder &&
        !/\) Z /.test(readFileSync(`/proc/${name}/stat`, "utf8"));
    } catch {
      return false;
    }
  });
}
