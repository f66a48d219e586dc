import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createClaudeAgent, DEFAULT_MODEL } from "../../../lib/agent/claude.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { AGENT_DEFAULTS } from "../../../lib/sweep/read-monitor.ts";
import { createImpatientClock, createTool, heardOf, thinkWith } from "../../support/agent-scene.ts";
import { startModelServer } from "../../support/model-server.ts";

/** The real clock, for limits that are made short. */
const realClock = () => ({ ...createSystemClock(), slept: [] });

test("an answer streams in and its usage is told with its price", async () => {
  const { thought, uses, texts } = await thinkWith([
    { reply: { text: "All is well.", usage: { input: 1_000, output: 100 } } },
  ]);
  assert.deepEqual(thought, { kind: "answered", text: "All is well." });
  assert.equal(texts.at(-1), "All is well.");
  assert.equal(uses.length, 1);
  assert.deepEqual(uses[0]?.tokens, { input: 1_000, output: 100, cacheRead: 0, cacheWrite: 0 });
  assert.equal(uses[0]?.usd, (1_000 * 2 + 100 * 10) / 1e6);
  assert.equal(uses[0]?.purpose, "tick");
  assert.equal(uses[0]?.model, DEFAULT_MODEL);
});

test("tools are sorted, and system and conversation are marked for the cache", async () => {
  const tools = ["status", "log", "metrics"].map((name) => createTool(name));
  const { server, uses } = await thinkWith([
    {
      reply: {
        calls: [{ name: "log", input: { index: 3 } }],
        usage: { input: 5, output: 10, cacheWrite: 2_000 },
      },
    },
    { reply: { text: "Done", usage: { input: 9, output: 10, cacheRead: 2_000 } } },
  ], { tools });
  const [first, second] = server.requests();
  assert.deepEqual(first?.tools, ["log", "metrics", "status"]);
  assert.deepEqual(second?.tools, first?.tools);
  const mark = { type: "ephemeral" };
  const bodies = JSON.parse(JSON.stringify([first?.body, second?.body]));
  assert.deepEqual(bodies[0].system[0].cache_control, mark);
  assert.deepEqual(bodies[0].messages[0].content.at(-1).cache_control, mark);
  assert.deepEqual(bodies[1].messages.at(-1).content.at(-1).cache_control, mark);
  assert.equal(bodies[1].messages[0].content[0].cache_control, undefined);
  assert.deepEqual(uses.map(({ tokens }) => [tokens.cacheWrite, tokens.cacheRead]), [
    [2_000, 0],
    [0, 2_000],
  ]);
  assert.equal(uses[1]?.usd, (9 * 2 + 10 * 10 + 2_000 * 0.1) / 1e6);
});

test("model, effort and longest answer are sent as configured; effort only where it was asked for", async () => {
  const settings = { model: "claude-haiku-4-5", maxTokens: 777 };
  const plain = await thinkWith([{ reply: { text: "ok" } }], { settings });
  assert.equal(plain.server.requests()[0]?.model, "claude-haiku-4-5");
  assert.equal(plain.server.requests()[0]?.maxTokens, 777);
  assert.equal(plain.server.requests()[0]?.body.output_config, undefined);
  const low = await thinkWith([{ reply: { text: "ok" } }], {
    settings: { ...settings, effort: "low" },
  });
  assert.deepEqual(low.server.requests()[0]?.body.output_config, { effort: "low" });
});

test("nothing is read from the process's own environment, and headers are exactly ours", async () => {
  const before = { ...process.env };
  process.env.ANTHROPIC_API_KEY = "wrong-key";
  process.env.ANTHROPIC_AUTH_TOKEN = "wrong-token";
  process.env.ANTHROPIC_BASE_URL = "http://127.0.0.1:1";
  process.env.ANTHROPIC_CUSTOM_HEADERS = "x-wrong: leaked\nx-api-key: wrong-key";
  process.env.ANTHROPIC_LOG = "debug";
  try {
    const { server, thought } = await thinkWith([{ reply: { text: "ok" } }], {
      env: {
        ANTHROPIC_API_KEY: undefined,
        ANTHROPIC_AUTH_TOKEN: "right-token",
        ANTHROPIC_CUSTOM_HEADERS: "x-team: herd",
      },
    });
    assert.equal(thought.kind, "answered");
    const headers = server.requests()[0]?.headers ?? {};
    assert.equal(headers.authorization, "Bearer right-token");
    assert.equal(headers["x-team"], "herd");
    assert.equal(headers["x-api-key"], undefined);
    assert.equal(headers["x-wrong"], undefined);
    assert.ok(!JSON.stringify(headers).includes("wrong"));
    assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("x-stainless")), []);
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
});

test("agent.base_url wins over ANTHROPIC_BASE_URL, and the description hides what is secret in it", async () => {
  const server = await startModelServer([{ reply: { text: "here" } }]);
  try {
    const agent = createClaudeAgent({
      settings: { ...AGENT_DEFAULTS, baseUrl: `${server.url}/` },
      env: { ANTHROPIC_API_KEY: "k-e-y", ANTHROPIC_BASE_URL: "http://127.0.0.1:1" },
      clock: createImpatientClock(),
    });
    assert.equal((await agent.think(heardOf().request)).kind, "answered");
  } finally {
    await server.close();
  }
  const agent = createClaudeAgent({
    settings: { ...AGENT_DEFAULTS, baseUrl: "https://me:hunter2@gate.example/claude?token=hush" },
    env: { ANTHROPIC_API_KEY: "sk-ant-secret" },
    clock: createImpatientClock(),
  });
  assert.equal(
    agent.description,
    `${DEFAULT_MODEL}: API key of ANTHROPIC_API_KEY at https://gate.example/claude`,
  );
});

test("529 is tried again a few times, then it is a failure of the turn", async () => {
  const { thought, server, uses, clock } = await thinkWith([
    { reply: { fault: "status", status: 529, message: "Overloaded" }, times: Infinity },
  ]);
  assert.equal(thought.kind, "failed");
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "overloaded");
  assert.equal(thought.failure.status, 529);
  assert.match(thought.failure.message, /overloaded.*"Overloaded"/);
  assert.equal(server.requests().length, 3);
  assert.deepEqual(clock.slept, [1_000, 4_000]);
  assert.deepEqual(uses, []);
});

test("one 500 in between is not noticed", async () => {
  const { thought, server } = await thinkWith([
    { reply: { fault: "status", status: 500 } },
    { reply: { text: "Back again" } },
  ]);
  assert.deepEqual(thought, { kind: "answered", text: "Back again" });
  assert.equal(server.requests().length, 2);
});

test("429 waits as long as the server asks, within a bound", async () => {
  const short = await thinkWith([
    { reply: { fault: "status", status: 429, retryAfter: "7" } },
    { reply: { text: "ok" } },
  ]);
  assert.equal(short.thought.kind, "answered");
  assert.deepEqual(short.clock.slept, [7_000]);

  const long = await thinkWith([
    { reply: { fault: "status", status: 429, retryAfter: "600" }, times: Infinity },
  ]);
  assert.ok(long.thought.kind === "failed");
  assert.equal(long.thought.failure.kind, "rate-limited");
  assert.equal(long.thought.failure.retryAfterMs, 600_000);
  assert.equal(long.server.requests().length, 1);
});

test("wrong credentials and refused requests are not tried again", async () => {
  for (
    const [reply, kind] of [
      [{ fault: "status", status: 401, type: "authentication_error" }, "auth"],
      [{ fault: "status", status: 403, type: "permission_error" }, "auth"],
      [{ fault: "status", status: 402, type: "billing_error" }, "auth"],
      [{
        fault: "status",
        status: 400,
        type: "invalid_request_error",
        message: "Your credit balance is too low to access the API",
      }, "auth"],
      [{ fault: "status", status: 404, type: "not_found_error" }, "rejected"],
      [{ fault: "status", status: 400, type: "invalid_request_error" }, "rejected"],
      [{ fault: "status", status: 413, type: "request_too_large" }, "rejected"],
      [{ fault: "page" }, "unreadable"],
      [{ fault: "garbage" }, "unreadable"],
      [{ fault: "garbage", data: '{"type":"content_block_start","index":0}' }, "unreadable"],
      [{ fault: "garbage", data: "null" }, "unreadable"],
    ] as const
  ) {
    const { thought, server } = await thinkWith([{ reply, times: Infinity }]);
    assert.ok(thought.kind === "failed");
    assert.equal(thought.failure.kind, kind, JSON.stringify(reply));
    assert.equal(server.requests().length, 1);
  }
});

test("a server that quotes the key does not bring it into a message", async () => {
  const message = "invalid x-api-key: secret-of-mine\nand sk-ant-api03-abc";
  const { thought } = await thinkWith([{ reply: { fault: "status", status: 401, message } }], {
    env: { ANTHROPIC_API_KEY: "secret-of-mine" },
  });
  assert.ok(thought.kind === "failed");
  assert.match(thought.failure.message, /invalid x-api-key: \*\*\* and \*\*\*/);
  assert.ok(!/secret-of-mine|api03|\n/.test(thought.failure.message));
});

test("a key with characters that no header may have is told without the key", async () => {
  const { thought, server } = await thinkWith([{ reply: { text: "never" } }], {
    env: { ANTHROPIC_API_KEY: "two\nlines-of-key" },
  });
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "auth");
  assert.match(thought.failure.message, /ANTHROPIC_API_KEY holds characters/);
  assert.ok(!thought.failure.message.includes("lines-of-key"));
  assert.equal(server.requests().length, 0);
});

test("a redirect is not followed with the key", async () => {
  const thief = await startModelServer([{ reply: { text: "thanks" }, times: Infinity }]);
  try {
    const { thought } = await thinkWith([{ reply: { fault: "redirect", to: thief.url } }]);
    assert.ok(thought.kind === "failed");
    assert.equal(thought.failure.kind, "rejected");
    assert.equal(thief.requests().length, 0);
  } finally {
    await thief.close();
  }
});

test("a server that takes the request and is silent is given up after the limit", async () => {
  const started = performance.now();
  const { thought, uses } = await thinkWith([{ reply: { fault: "hang" } }], {
    settings: { timeoutSeconds: 0.2 },
    clock: realClock(),
  });
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "timeout");
  assert.match(thought.failure.message, /silent for 0.2 s/);
  assert.ok(performance.now() - started < 10_000);
  assert.deepEqual(uses, []);
});

test("silence in the middle of an answer keeps what was said and counts what was used", async () => {
  const text = "I looked at all of the trials and";
  const { thought, uses } = await thinkWith([{ reply: { fault: "silence", text } }], {
    settings: { timeoutSeconds: 0.3 },
    clock: realClock(),
  });
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "timeout");
  assert.equal(thought.text, text);
  assert.equal(uses.length, 1);
  assert.equal(uses[0]?.tokens.input, 100);
  assert.equal(uses[0]?.tokens.output, Math.ceil(text.length / 4));
  assert.match(uses[0]?.purpose ?? "", /^tick \(cut off, output estimated\)$/);
});

test("keep-alives hold a call open, but not for ever", async () => {
  const { thought } = await thinkWith([{ reply: { fault: "silence", text: "Hm", pings: true } }], {
    settings: { timeoutSeconds: 0.2 },
    clock: realClock(),
  });
  assert.ok(thought.kind === "failed");
  assert.match(thought.failure.message, /not done after 1 s/);
});

test("a stream that is cut is asked for again, and every attempt is paid for", async () => {
  const { thought, uses, server } = await thinkWith([
    { reply: { fault: "cut", text: "Half of", usage: { input: 400 } } },
    { reply: { text: "The whole of it" } },
  ]);
  assert.deepEqual(thought, { kind: "answered", text: "The whole of it" });
  assert.equal(server.requests().length, 2);
  assert.equal(uses.length, 2);
  assert.equal(uses[0]?.tokens.input, 400);
  assert.ok((uses[0]?.tokens.output ?? 0) > 0);
  assert.ok((uses[0]?.usd ?? 0) > 0);
});

test("a stream that is always cut is a failure that keeps what was said", async () => {
  const { thought, uses } = await thinkWith([
    { reply: { fault: "cut", text: "Half of it" }, times: Infinity },
  ]);
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "unreachable");
  assert.match(thought.failure.message, /cut off in the middle/);
  assert.equal(thought.text, "Half of it");
  assert.equal(uses.length, 3);
  assert.equal(new Set(uses.map(({ id }) => id)).size, 3);
});

test("an error in the middle of the stream is what it says it is", async () => {
  const { thought, server } = await thinkWith([
    {
      reply: { fault: "error-event", type: "overloaded_error", message: "Overloaded" },
      times: Infinity,
    },
  ]);
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "overloaded");
  assert.equal(server.requests().length, 3);
});

test("nobody there is a failure that names the address and the cause", async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  const agent = createClaudeAgent({
    settings: AGENT_DEFAULTS,
    env: { ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` },
    clock: createImpatientClock(),
  });
  const thought = await agent.think(heardOf().request);
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "unreachable");
  assert.match(
    thought.failure.message,
    new RegExp(`^Cannot reach the model at http://127.0.0.1:${port}: .+`),
  );
});

test("a turn ends at once when it is aborted, in the middle of an answer too", async () => {
  const server = await startModelServer([{ reply: { fault: "silence", text: "I think that" } }]);
  try {
    const stop = new AbortController();
    const agent = createClaudeAgent({
      settings: AGENT_DEFAULTS,
      env: { ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: server.url },
      clock: createSystemClock(),
    });
    const { request, uses } = heardOf({
      signal: stop.signal,
      onText: (text) => {
        if (text === "I think that") stop.abort();
      },
    });
    assert.deepEqual(await agent.think(request), { kind: "aborted", text: "I think that" });
    assert.equal(uses.length, 1);
    assert.deepEqual(await agent.think(request), { kind: "aborted", text: "" });
    assert.equal(server.requests().length, 1);
  } finally {
    await server.close();
  }
});

test("without a key nothing is asked, and the advice names the variables", async () => {
  const { thought, server } = await thinkWith([{ reply: { text: "never" } }], {
    env: { ANTHROPIC_API_KEY: " " },
  });
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "auth");
  assert.match(thought.failure.message, /set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN/);
  assert.equal(server.requests().length, 0);
});

test("an address that is none is a failure, not an exception", async () => {
  const { thought } = await thinkWith([], { settings: { baseUrl: "not an address" } });
  assert.ok(thought.kind === "failed");
  assert.equal(thought.failure.kind, "rejected");
});
