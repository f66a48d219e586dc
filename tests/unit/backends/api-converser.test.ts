import assert from "node:assert/strict";
import {
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
import type { BackendConfig } from "../../../lib/backends/backend-config.ts";
import type { ConverserParts } from "../../../lib/backends/converser-parts.ts";
import { createConverser } from "../../../lib/backends/create-converser.ts";
import type {
  AgentSession,
  OpenWish,
  PermissionRequest,
  PromptEnd,
} from "../../../lib/chat/agent-session.ts";
import { createImpatientClock, createTool } from "../../support/agent-scene.ts";
import { ask } from "../../support/converse.ts";
import { type ModelServer, type ModelStep, startModelServer } from "../../support/model-server.ts";
import { type ChatServer, type ChatStep, delta, startChatServer } from "./chat-server.ts";
import { bubblewrap, processesWith, unconfined, until } from "./scene.ts";

const KEY = "key-of-tests";
const PNG = "iVBORw0KGgo=";

type Answer = "once" | "always" | "deny";

interface Scene {
  folder: string;
  asked: PermissionRequest[];
  open(more?: Partial<OpenWish>): Promise<AgentSession>;
}

type More = Partial<ConverserParts> & {
  answer?: Answer | ((request: PermissionRequest, signal: AbortSignal) => Promise<Answer>);
  config?: Partial<BackendConfig>;
};

function scene(t: TestContext, config: BackendConfig, { answer = "once", ...more }: More): Scene {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "herd-converse-")));
  const sessions: AgentSession[] = [];
  const asked: PermissionRequest[] = [];
  t.after(async () => {
    for (const one of sessions) await one[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const converser = createConverser(config, {
    wrap: unconfined,
    clock: createImpatientClock(),
    env: { MY_KEY: KEY },
    random: () => 0.5,
    graceMs: 300,
    sandbox: { level: "workspace", network: false },
    agentEnv: () => ({ PATH: process.env["PATH"]! }),
    ...more,
  });
  assert.ok(!("refused" in converser), JSON.stringify(converser));
  assert.doesNotMatch(converser.description, new RegExp(KEY));
  return {
    folder,
    asked,
    async open(wish = {}) {
      const session = await converser.open({
        conversation: "200",
        folder,
        instructions: "Be kind.",
        earlier: undefined,
        signal: new AbortController().signal,
        hooks: {
          permission(request, signal) {
            asked.push(request);
            return typeof answer === "string" ? Promise.resolve(answer) : answer(request, signal);
          },
          log() {},
        },
        ...wish,
      });
      assert.ok(!("failed" in session), JSON.stringify(session));
      sessions.push(session);
      return session;
    },
  };
}

async function claude(
  t: TestContext,
  script: readonly ModelStep[],
  more: More = {},
): Promise<Scene & { server: ModelServer }> {
  const server = await startModelServer(script);
  t.after(() => server.close());
  const { config, ...parts } = more;
  const all = {
    kind: "anthropic",
    baseUrl: server.url,
    apiKeyEnv: "MY_KEY",
    maxTurns: 12,
    ...config,
  } as BackendConfig;
  return { ...scene(t, all, parts), server };
}

async function chat(
  t: TestContext,
  script: readonly ChatStep[],
  more: More = {},
): Promise<Scene & { server: ChatServer }> {
  const server = await startChatServer(script);
  t.after(() => server[Symbol.asyncDispose]());
  const { config, ...parts } = more;
  const all = { kind: "openai", baseUrl: server.url, apiKeyEnv: "MY_KEY", ...config };
  return { ...scene(t, all as BackendConfig, { model: "m", ...parts }), server };
}

const says = (text: string): ModelStep => ({ reply: { text } });
const uses = (name: string, input: unknown, text?: string): ModelStep => ({
  reply: { calls: [{ name, input }], ...(text === undefined ? {} : { text }) },
});

interface Message {
  role: string;
  content: unknown;
}

/** Messages of a request, without what marks them for the cache: "role: words". */
function told(body: Record<string, unknown> | undefined): string[] {
  return (body?.["messages"] as Message[]).map(({ role, content }) => {
    const blocks = Array.isArray(content) ? content : [{ type: "text", text: content }];
    const words = blocks.map((block) =>
      block.type === "text"
        ? block.text
        : block.type === "tool_result"
        ? `[result ${block.content}]`
        : `[${block.type}${block.name === undefined ? "" : ` ${block.name}`}]`
    );
    return `${role}: ${words.join(" | ")}`;
  });
}

function failureIn(end: PromptEnd) {
  assert.ok(end.kind === "failed", JSON.stringify(end));
  return end.failure;
}

test("a conversation goes on: each call has all that was said as real messages", async (t) => {
  const { open, server } = await claude(t, [says("Hello Ann."), says("You are Ann.")]);
  const session = await open();
  assert.equal(session.memory, "fresh");
  assert.deepEqual((await ask(session, "I am Ann")).end, { kind: "done", text: "Hello Ann." });
  assert.equal((await ask(session, "Who am I?")).end.text, "You are Ann.");
  const [first, second] = server.requests();
  assert.match(first!.system, /^Be kind\.\n\n.*folder of this conversation/s);
  assert.equal(second!.system, first!.system);
  assert.deepEqual(told(second!.body), [
    "user: I am Ann",
    "assistant: Hello Ann.",
    "user: Who am I?",
  ]);
});

test("after a restart it is told again from herd's own record, in turns", async (t) => {
  const { open, server } = await claude(t, [says("Yes."), says("Lost.")]);
  const transcript = [
    { role: "agent", at: 1, text: "Welcome" },
    { role: "person", at: 2, text: "I am Ann" },
    { role: "person", at: 3, text: "from Oslo" },
    { role: "agent", at: 4, text: "" },
    { role: "agent", at: 5, text: "Hello" },
    { role: "person", at: 6, text: "Bye" },
  ] as const;
  const session = await open({ earlier: { sessionId: undefined, transcript } });
  assert.equal(session.memory, "replayed");
  await ask(session, "Who am I?");
  assert.deepEqual(told(server.requests()[0]!.body), [
    "user: (…)",
    "assistant: Welcome",
    "user: I am Ann | from Oslo",
    "assistant: Hello",
    "user: Bye",
    "assistant: (no answer)",
    "user: Who am I?",
  ]);
  const lost = await open({ earlier: { sessionId: "s1", transcript: [] } });
  assert.equal(lost.memory, "lost");
  const fresh = await open({ earlier: { sessionId: undefined, transcript: [] } });
  assert.equal(fresh.memory, "fresh");
});

test("tools are shown with their work and end, and what is said between them is a paragraph", async (t) => {
  const { open, folder, server } = await claude(t, [
    uses("write_file", { path: "a.txt", content: "1\n" }, "I write."),
    uses("shell", { command: "cat a.txt; false" }, "I look."),
    uses("read_file", { path: "none.txt" }),
    says("Done."),
    says("Again."),
  ]);
  const session = await open();
  const heard = await ask(session, "Go");
  assert.deepEqual(heard.end, { kind: "done", text: "I write.\n\nI look.\n\nDone." });
  assert.equal(heard.texts.at(-1), heard.end.text);
  assert.ok(heard.texts.includes("I write.\n\nI look."));
  assert.deepEqual(heard.tools, [
    "tool-1 Write a.txt edit running",
    "tool-1 completed",
    "tool-2 cat a.txt; false execute running",
    "tool-2 completed",
    "tool-3 Read none.txt read running",
    "tool-3 failed",
  ]);
  assert.equal(readFileSync(join(folder, "a.txt"), "utf8"), "1\n");
  await ask(session, "And now?");
  const [, , wrote, , looked] = told(server.requests().at(-1)!.body);
  assert.match(`${wrote} ${looked}`, /Written: 2 bytes.*Exit code 1/s);
});

test("A.17.24: each call is asked for by its kind, and told what was decided", async (t) => {
  const { open, asked, folder, server } = await claude(t, [
    uses("shell", { command: "touch made" }),
    uses("shell", { command: "touch made" }),
    uses("shell", { argv: ["touch", "made"] }),
    says("I may not."),
  ], { answer: "deny" });
  const heard = await ask(await open(), "Go");
  assert.ok(!existsSync(join(folder, "made")));
  // The very same call is asked for once.
  assert.deepEqual(asked.map(({ kind, detail }) => [kind, detail]), [
    ["execute", "touch made"],
    ["execute", '["touch","made"]'],
  ]);
  assert.deepEqual(heard.tools.map((line) => line.split(" ").at(-1)), [
    "failed",
    "failed",
    "failed",
  ]);
  const [, first, second] = server.requests();
  assert.match(first!.results[0]!.text, /^Not run: it was denied/);
  assert.equal(first!.results[0]!.isError, true);
  assert.match(second!.results[0]!.text, /^Not run: this very call was denied before/);
  assert.equal(heard.end.text, "I may not.");
});

test("A.17.24: what is asked for is what is run, and always is said of that very thing", async (t) => {
  const long = "x".repeat(300);
  const inputs: [string, unknown][] = [
    ["write_file", { path: "b.txt", content: "two" }],
    ["edit_file", { path: "b.txt", old: "two", new: "three" }],
    ["search", { pattern: "three" }],
    ["shell", { command: `true ${long}1` }],
    ["shell", { command: `true ${long}2` }],
    ["shell", { command: "true \u202etxt" }],
    ["shell", { argv: ["true", "listed"], timeout_seconds: "5" }],
    ["shell", { wrong: "never asked for" }],
  ];
  const { open, asked } = await claude(t, [
    ...inputs.map(([name, input]) => uses(name, input)),
    says("Done."),
  ]);
  await ask(await open(), "Go");
  assert.deepEqual(asked.slice(0, 3).map(({ kind, tool, detail }) => [kind, tool, detail]), [
    ["edit", "write b.txt", "b.txt\n\ntwo"],
    ["edit", "edit b.txt", "b.txt\n\n- two\n+ three"],
    ["search", "search", '{\n  "pattern": "three"\n}'],
  ]);
  const tools = asked.map(({ tool }) => tool);
  assert.equal(new Set(tools).size, tools.length);
  assert.ok(!asked[5]!.detail.includes("\u202e"));
  assert.equal(asked[6]!.detail, '["true","listed"]');
  assert.equal(asked.length, 7);
});

test("who is asked and fails, or is stopped meanwhile, has not said yes", async (t) => {
  const failing = await claude(t, [uses("shell", { command: "touch x" }), says("No.")], {
    answer: () => Promise.reject(new Error("no Discord")),
  });
  await ask(await failing.open(), "Go");
  assert.ok(!existsSync(join(failing.folder, "x")));
  const stop = new AbortController();
  const stopped = await claude(t, [uses("shell", { command: "touch x" })], {
    answer(_, signal) {
      stop.abort();
      assert.ok(signal.aborted);
      return Promise.resolve("once");
    },
  });
  const { end } = await ask(await stopped.open(), "Go", { signal: stop.signal });
  assert.equal(end.kind, "cancelled");
  assert.ok(!existsSync(join(stopped.folder, "x")));
});

test("a cancelled turn ends its programs, keeps what was said, and the next turn knows of it", async (t) => {
  const { open, server } = await claude(t, [
    uses("shell", { command: "sleep 734.5" }, "I wait."),
    says("It was stopped."),
  ]);
  const session = await open();
  const stop = new AbortController();
  const asked = ask(session, "Wait", { signal: stop.signal });
  await until("the program runs", () => processesWith("sleep\x00734.5").length > 0);
  stop.abort();
  assert.deepEqual((await asked).end, { kind: "cancelled", text: "I wait." });
  assert.deepEqual(processesWith("sleep\x00734.5"), []);
  assert.equal((await ask(session, "What was?")).end.text, "It was stopped.");
  const all = told(server.requests().at(-1)!.body);
  assert.deepEqual(all.slice(0, 2), ["user: Wait", "assistant: I wait. | [tool_use shell]"]);
  assert.match(all[2]!, /^user: \[result shell was interrupted|^user: \[result/);
  assert.deepEqual(all.slice(3), ["assistant: (stopped by a person)", "user: What was?"]);
});

test("a turn that is stopped while the model speaks keeps its half sentence", async (t) => {
  const { open, server } = await claude(t, [
    { reply: { fault: "silence", text: "Half a" } },
    says("Whole."),
  ]);
  const session = await open();
  const stop = new AbortController();
  const { end } = await ask(session, "Speak", {
    signal: stop.signal,
    onText: (text) => text === "Half a" && stop.abort(),
  });
  assert.deepEqual(end, { kind: "cancelled", text: "Half a" });
  await ask(session, "Again");
  assert.deepEqual(told(server.requests()[1]!.body), [
    "user: Speak",
    "assistant: Half a\n\n(stopped by a person)",
    "user: Again",
  ]);
});

test("what a turn used is the sum of its calls with their price, caches too", async (t) => {
  const script = [
    {
      reply: {
        calls: [{ name: "list_files", input: {} }],
        usage: { input: 50, output: 5, cacheWrite: 900 },
      },
    },
    { reply: { text: "Done.", usage: { input: 7, output: 6, cacheRead: 900 } } },
  ];
  const prices = { mine: { input: 10, output: 100, cacheRead: 1, cacheWrite: 20 } };
  const priced = await claude(t, script, { model: "mine", prices });
  const heard = await ask(await priced.open(), "Go");
  assert.equal(heard.uses.length, 2);
  const { usd, ...tokens } = heard.uses.at(-1)!;
  assert.deepEqual(tokens, {
    model: "mine",
    input: 57,
    output: 11,
    cacheRead: 900,
    cacheWrite: 900,
  });
  assert.ok(Math.abs(usd! - (57 * 10 + 11 * 100 + 900 + 18_000) / 1e6) < 1e-12);
  const unknown = await claude(t, script, { model: "nobody's" });
  assert.equal((await ask(await unknown.open(), "Go")).uses.at(-1)!.usd, null);
});

test("pictures reach both kinds of servers; a server that refuses one does not fail every later turn", async (t) => {
  const blocks = [
    { type: "text", text: "What is it?" },
    { type: "image", mimeType: "image/png", data: PNG },
    { type: "image", mimeType: "image/tiff", data: PNG },
  ] as const;
  const { open, server } = await claude(t, [
    says("A cat."),
    {
      reply: { fault: "status", status: 400, type: "invalid_request_error", message: "bad image" },
    },
    says("Hm."),
  ]);
  const session = await open();
  await ask(session, blocks);
  const [{ content }] = server.requests()[0]!.body["messages"] as [{ content: Message[] }];
  assert.deepEqual(content.slice(0, 2), [
    { type: "text", text: "What is it?" },
    { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
  ]);
  assert.match(JSON.stringify(content[2]), /picture of type image\/tiff/);
  const { end } = await ask(session, blocks);
  assert.deepEqual([failureIn(end).kind, failureIn(end).code], ["model", 400]);
  await ask(session, "And now?");
  const all = JSON.stringify(server.requests().at(-1)!.body);
  assert.ok(!all.includes(PNG));
  assert.match(all, /A cat\..*\[a picture\].*\(the answer failed\).*And now\?/s);

  const other = await chat(t, [{ text: "A dog." }]);
  await ask(await other.open(), blocks.slice(0, 2));
  assert.deepEqual(other.server.requests[0]!.body.messages.at(-1), {
    role: "user",
    content: [
      { type: "text", text: "What is it?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
    ],
  });
});

test("too long a conversation loses its oldest turns, says so once, and is tried again", async (t) => {
  const long = "prompt is too long: 200001 tokens > 200000 maximum";
  const tooLong: ModelStep = { reply: { fault: "status", status: 400, message: long } };
  tooLong.reply = { fault: "status", status: 400, type: "invalid_request_error", message: long };
  const { open, server } = await claude(t, [tooLong, tooLong, says("Short."), says("Next.")]);
  const transcript = [1, 2, 3, 4].flatMap((n) => [
    { role: "person", at: n, text: `Question ${n} ${"?".repeat(500)}` } as const,
    { role: "agent", at: n, text: `Answer ${n} ${"!".repeat(500)}` } as const,
  ]);
  const session = await open({ earlier: { sessionId: undefined, transcript } });
  const heard = await ask(session, "Now");
  const [word, answer] = heard.end.text.split("\n\n");
  assert.match(word!, /The beginning of this conversation was left out/);
  assert.equal(answer, "Short.");
  assert.ok(heard.texts.every((text) => text.startsWith(word!)));
  const sizes = server.requests().map(({ body }) => (body["messages"] as Message[]).length);
  assert.equal(sizes[0], 9);
  assert.ok(sizes[1]! < sizes[0]! && sizes[2]! < sizes[1]!, `${sizes}`);
  assert.equal(server.requests()[2]!.system, server.requests()[0]!.system);
  assert.match(told(server.requests()[2]!.body)[0]!, /left out/);
  // What was left out stays so, and is said no more.
  assert.equal((await ask(session, "And then?")).end.text, "Next.");
  assert.equal((server.requests()[3]!.body["messages"] as Message[]).length, sizes[2]! + 2);
});

test("a long turn of its own loses old results of tools; one that stays too long fails with a hint", async (t) => {
  const tooLong: ModelStep = {
    reply: { fault: "stop", text: "", stop: "model_context_window_exceeded" },
  };
  const { open, folder, server } = await claude(t, [
    uses("read_file", { path: "big.txt" }),
    tooLong,
    says("Read."),
    { reply: { fault: "status", status: 413, type: "request_too_large" }, times: Infinity },
  ]);
  writeFileSync(join(folder, "big.txt"), "word ".repeat(2_000));
  const session = await open();
  assert.match((await ask(session, "Read")).end.text, /left out.*Read\.$/s);
  assert.match(server.requests()[2]!.results[0]!.text, /^\(left out/);
  const failure = failureIn((await ask(session, "More")).end);
  assert.equal(failure.hint, "Begin a fresh conversation, or say less");
  assert.ok(server.requests().length < 8);
});

test("chat completions say in their own words that a conversation is too long", async (t) => {
  const error = { message: "maximum context length is 10", code: "context_length_exceeded" };
  const { open } = await chat(t, [{ status: 400, error }, { text: "Fits." }]);
  const transcript = [
    { role: "person", at: 1, text: "a" },
    { role: "agent", at: 1, text: "b" },
  ] as const;
  const session = await open({ earlier: { sessionId: undefined, transcript } });
  assert.match((await ask(session, "Now")).end.text, /left out.*Fits\.$/s);
});

test("what is said into a turn goes into its next call, beside the results", async (t) => {
  const { open, server } = await claude(t, [
    uses("list_files", {}),
    says("First done."),
    says("And the second."),
  ]);
  const session = await open();
  assert.equal(await session.steer("too early"), false);
  const heard = await ask(session, "Go", {
    onTool: (line) => line.endsWith("running") && void session.steer("Also the second"),
    // Said while the last answer comes: the turn is not over for it.
    onText: (text) => text === "First done." && void session.steer("And hurry"),
  });
  assert.equal(heard.end.text, "First done.\n\nAnd the second.");
  const [, second, third] = server.requests();
  assert.equal(second!.text, "Also the second");
  assert.equal(second!.results.length, 1);
  assert.equal(third!.text, "And hurry");
  assert.equal(await session.steer("too late"), false);
});

test("what was said into a turn that failed is heard with the next", async (t) => {
  const { open, server } = await claude(t, [
    { reply: { fault: "silence", text: "I" } },
    says("Both."),
  ]);
  const session = await open();
  const stop = new AbortController();
  await ask(session, "Go", {
    signal: stop.signal,
    onText(text) {
      if (text !== "I") return;
      void session.steer("and this");
      stop.abort();
    },
  });
  await ask(session, "Well?");
  assert.match(told(server.requests()[1]!.body).at(-1)!, /user: and this \| Well\?/);
});

test("the model can be chosen where there are several, and thoughts of another are not sent to it", async (t) => {
  const { open, server } = await chat(t, [
    {
      events: [
        delta({ reasoning_details: [{ type: "reasoning.text", text: "hm", index: 0 }] }),
        delta({ content: "One." }, "stop"),
      ],
    },
    { text: "Two." },
  ], { models: [{ value: "m", name: "Small" }, { value: "n", name: "Large" }] });
  const session = await open();
  assert.deepEqual(session.options(), [{
    id: "model",
    name: "Model",
    category: "model",
    current: "m",
    values: [{ value: "m", name: "Small" }, { value: "n", name: "Large" }],
  }]);
  await ask(session, "a");
  assert.match((await session.choose("model", "x"))!, /"x" is none of "m", "n"/);
  assert.match((await session.choose("mode", "x"))!, /no choice "mode", only "model"/);
  assert.equal(await session.choose("model", "n"), undefined);
  assert.equal(session.options()[0]!.current, "n");
  const heard = await ask(session, "b");
  assert.equal(heard.uses.at(-1)!.model, "n");
  assert.equal(server.requests[1]!.body.model, "n");
  assert.ok(!JSON.stringify(server.requests[1]!.body).includes("hm"));
});

test("tools of others run by their own rules, and are shown", async (t) => {
  const tool = createTool("read_state");
  const { open, asked } = await claude(t, [uses("read_state", {}), says("Fine.")], {
    tools: () => [tool],
    answer: "deny",
  });
  const heard = await ask(await open(), "How is it?");
  assert.equal(tool.calls.length, 1);
  assert.deepEqual(asked, []);
  assert.deepEqual(heard.tools, ["tool-1 read_state {} other running", "tool-1 completed"]);
});

test("A.17.10: each way in which a server fails is told as it is, and the conversation goes on", async (t) => {
  const status = (status: number, message: string, retryAfter?: string): ModelStep => ({
    reply: {
      fault: "status",
      status,
      message,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    },
  });
  for (
    const [steps, kind, code, words] of [
      [[status(429, "slow down", "90")], "model", 429, /limits how much/],
      [Array.from({ length: 4 }, () => status(529, "too many")), "model", 529, /overloaded/],
      [
        [{ reply: { fault: "status", status: 401, type: "authentication_error" } }],
        "not-logged-in",
        401,
        /credentials/,
      ],
      [
        Array.from({ length: 4 }, () => ({ reply: { fault: "cut", text: "Half" } })),
        "model",
        undefined,
        /cut off/,
      ],
      [[{ reply: { fault: "garbage" } }], "model", undefined, /not JSON/],
      [[{ reply: { fault: "page" } }], "model", 200, /login page/],
      [
        [{ reply: { fault: "stop", text: "No.", stop: "refusal" } }],
        "refused",
        undefined,
        /declines/,
      ],
    ] as [ModelStep[], string, number | undefined, RegExp][]
  ) {
    const { open, server } = await claude(t, [...steps, says("Here again.")]);
    const session = await open();
    const failure = failureIn((await ask(session, "Go")).end);
    assert.deepEqual([failure.kind, failure.code], [kind, code], failure.message);
    assert.match(failure.message, words);
    assert.ok(!JSON.stringify(failure).includes(KEY));
    assert.equal((await ask(session, "Again")).end.text, "Here again.");
    assert.deepEqual(server.unmatched(), []);
  }
});

test("an answer that breaks off and is tried again is not told twice", async (t) => {
  const { open } = await claude(t, [
    { reply: { fault: "cut", text: "Half an ans" } },
    says("A whole answer."),
  ]);
  const heard = await ask(await open(), "Go");
  assert.deepEqual(heard.end, { kind: "done", text: "A whole answer." });
});

test("a server that writes without end is left, and what it said is kept within bounds", async (t) => {
  const flood = Array.from({ length: 400 }, () => delta({ content: "x".repeat(5_000) }));
  const { open } = await chat(t, [{ events: flood, end: "hang" }, { text: "Fine." }], {
    config: { maxTokens: 1_000 } as Partial<BackendConfig>,
  });
  const session = await open();
  const { end } = await ask(session, "Go");
  assert.match(failureIn(end).message, /longer than any answer may be/);
  assert.ok(end.text.length < 200_000);
  assert.equal((await ask(session, "Again")).end.text, "Fine.");
  const wordy = await claude(t, [says("y".repeat(300_000))], {
    config: { maxTokens: 1_000 } as Partial<BackendConfig>,
  });
  const said = await ask(await wordy.open(), "Go");
  assert.match(failureIn(said.end).message, /longer than any answer may be/);
});

test("chat completions converse with tools as well, their calls and results in order", async (t) => {
  const { open, asked, server } = await chat(t, [
    { calls: [{ name: "shell", input: { command: "echo one" } }] },
    { text: "One." },
    { text: "Again." },
  ]);
  const session = await open();
  const heard = await ask(session, "Go");
  assert.equal(heard.end.text, "One.");
  assert.deepEqual(asked.map(({ title }) => title), ["echo one"]);
  await ask(session, "And?");
  const { messages } = server.requests[2]!.body;
  assert.deepEqual(messages.map(({ role }) => role), [
    "system",
    "user",
    "assistant",
    "tool",
    "assistant",
    "user",
  ]);
});

test("a model that only calls tools ends at its limit, and can go on after", async (t) => {
  let n = 0;
  const { open } = await claude(t, [
    {
      reply: () => ({ calls: [{ name: "list_files", input: { path: `d${n++}` } }] }),
      times: 12,
    },
    says("I go on."),
  ]);
  const session = await open();
  const failure = failureIn((await ask(session, "Go")).end);
  assert.equal(failure.kind, "model");
  assert.equal(failure.hint, "Say that it should go on");
  assert.equal((await ask(session, "Go on")).end.text, "I go on.");
});

test("the tools stay within the conversation's folder and its sandbox", async (t) => {
  const { open, folder, server } = await claude(t, [
    uses("read_file", { path: "/etc/passwd" }),
    uses("shell", { command: "touch ../outside; echo hi > inside; cat inside" }),
    says("Done."),
  ], { wrap: bubblewrap });
  await ask(await open(), "Go");
  assert.match(server.requests()[1]!.results[0]!.text, /outside|leads out|not within/);
  assert.match(server.requests()[2]!.results[0]!.text, /Exit code 0 .*\nhi|hi\n/s);
  assert.ok(existsSync(join(folder, "inside")));
  assert.ok(!existsSync(join(folder, "../outside")));
});

test("one prompt at a time, none after the end, and the end waits for what runs", async (t) => {
  const { open } = await claude(t, [uses("shell", { command: "sleep 735.5" })]);
  const session = await open();
  const first = ask(session, "Go");
  await until("the program runs", () => processesWith("sleep\x00735.5").length > 0);
  assert.match(failureIn((await ask(session, "And?")).end).message, /at another prompt/);
  await session[Symbol.asyncDispose]();
  assert.deepEqual(processesWith("sleep\x00735.5"), []);
  assert.equal((await first).end.kind, "cancelled");
  assert.equal(failureIn((await ask(session, "Still there?")).end).kind, "gone");
});

test("what cannot be opened says why: no model, no folder, no sandbox, stopped before", async (t) => {
  const opened = async (more: Partial<ConverserParts>, wish: Partial<OpenWish> = {}) => {
    const config = { kind: "openai", baseUrl: "http://127.0.0.1:1/v1" } as const;
    const converser = createConverser(config, {
      wrap: unconfined,
      clock: createImpatientClock(),
      env: {},
      sandbox: { level: "workspace", network: false },
      agentEnv: () => ({}),
      ...more,
    });
    assert.ok(!("refused" in converser));
    const session = await converser.open({
      conversation: "1",
      folder: tmpdir(),
      instructions: "",
      earlier: undefined,
      signal: new AbortController().signal,
      hooks: { permission: () => Promise.resolve("deny"), log() {} },
      ...wish,
    });
    assert.ok("failed" in session);
    return `${session.failed.kind}: ${session.failed.message}`;
  };
  assert.match(await opened({}), /^refused: Cannot ask the model: none is named/);
  assert.match(await opened({ model: "m" }, { folder: "/no/such" }), /^refused: .*cannot begin/);
  const wrap = () => ({ refused: "No bubblewrap here" });
  assert.equal(await opened({ model: "m", wrap }), "refused: No bubblewrap here");
  assert.match(await opened({ model: "m" }, { signal: AbortSignal.abort() }), /^gone/);
  void t;
});
