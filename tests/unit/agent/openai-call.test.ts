import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageParam } from "@anthropic-ai/sdk/resources/messages";
import { type AskParts, retryWait } from "../../../lib/agent/ask.ts";
import { effortOf } from "../../../lib/agent/effort.ts";
import type { ModelCall, ModelOutcome } from "../../../lib/agent/model-call.ts";
import { failure } from "../../../lib/agent/model-failure.ts";
import { createOpenAiAgent, type OpenAiParts } from "../../../lib/agent/openai.ts";
import { createOpenAiCall } from "../../../lib/agent/openai-call.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { AGENT_DEFAULTS } from "../../../lib/sweep/read-monitor.ts";
import { createImpatientClock, createTool, heardOf } from "../../support/agent-scene.ts";
import { type ChatServer, type ChatStep, delta, startChatServer } from "../backends/chat-server.ts";

const KEY = "key-of-tests";
const user: MessageParam = { role: "user", content: [{ type: "text", text: "Hello" }] };

function partsOf(url: string, more: Partial<OpenAiParts> = {}): OpenAiParts {
  return {
    url,
    apiKey: KEY,
    headers: {},
    model: "some/model",
    dialect: "openai",
    thinking: "medium",
    settings: AGENT_DEFAULTS,
    clock: createSystemClock(),
    random: () => 0.5,
    ...more,
  };
}

async function callWith(
  steps: readonly ChatStep[],
  more: Partial<OpenAiParts> & { call?: Partial<ModelCall> } = {},
): Promise<{ outcome: ModelOutcome; requests: ChatServer["requests"]; texts: string[] }> {
  await using server = await startChatServer(steps);
  const texts: string[] = [];
  const outcome = await createOpenAiCall(partsOf(server.url, more))({
    system: "You are a worker.",
    messages: [user],
    tools: [],
    maxTokens: 500,
    signal: new AbortController().signal,
    onText: (text) => void texts.push(text),
    ...more.call,
  });
  return { outcome, requests: server.requests, texts };
}

async function failedWith(step: ChatStep, more: Partial<OpenAiParts> = {}) {
  const { outcome } = await callWith([step], more);
  assert.ok(!outcome.ok);
  assert.doesNotMatch(outcome.failure.message, new RegExp(KEY));
  return { ...outcome.failure, text: outcome.text, used: outcome.used };
}

const USAGE = {
  choices: [],
  usage: {
    prompt_tokens: 100,
    completion_tokens: 30,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 15 },
    cost: 0.0125,
  },
};

test("an answer streams in and is asked for as the specification wants it", async () => {
  const { outcome, requests, texts } = await callWith([{ text: "All is well." }]);
  assert.ok(outcome.ok);
  assert.equal(outcome.reply.text, "All is well.");
  assert.equal(texts.at(-1), "All is well.");
  assert.deepEqual(requests[0]?.body, {
    model: "some/model",
    messages: [
      { role: "system", content: "You are a worker." },
      { role: "user", content: "Hello" },
    ],
    max_tokens: 500,
    stream: true,
    reasoning_effort: "medium",
    stream_options: { include_usage: true },
  });
  assert.equal(requests[0]?.headers.authorization, `Bearer ${KEY}`);
});

test("usage counts cached tokens apart, and takes what the server says that it cost", async () => {
  const { outcome } = await callWith([{ events: [delta({ content: "ok" }, "stop"), USAGE] }]);
  assert.deepEqual(outcome.used, {
    tokens: { input: 25, output: 30, cacheRead: 60, cacheWrite: 15 },
    estimated: false,
    usd: 0.0125,
  });
  const byok = {
    ...USAGE,
    usage: { ...USAGE.usage, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } },
  };
  const own = await callWith([{ events: [delta({ content: "ok" }, "stop"), byok] }]);
  assert.equal(own.outcome.used?.usd?.toFixed(6), "0.212500");
  const silly = { prompt_tokens: 5, prompt_tokens_details: { cached_tokens: 50 } };
  const odd = await callWith([{ events: [delta({ content: "ok" }, "stop"), { usage: silly }] }]);
  assert.deepEqual(odd.outcome.used?.tokens, { input: 0, output: 0, cacheRead: 5, cacheWrite: 0 });
});

test("OpenRouter is asked in its own words, and thinking can be switched off there", async () => {
  const step = { events: [delta({ content: "ok" }, "stop")] };
  const on = await callWith([step], { dialect: "openrouter", thinking: "high" });
  assert.deepEqual(on.requests[0]?.body.reasoning, { effort: "high" });
  assert.deepEqual(on.requests[0]?.body.usage, { include: true });
  assert.equal(on.requests[0]?.body.reasoning_effort, undefined);
  const off = await callWith([step], { dialect: "openrouter", thinking: "off" });
  assert.deepEqual(off.requests[0]?.body.reasoning, { enabled: false });
  const plain = await callWith([step], { thinking: "off" });
  assert.equal("reasoning_effort" in (plain.requests[0]?.body ?? {}), false);
});

test("calls of tools, their results and the reasoning before them go back as they came", async () => {
  const details = [
    { type: "reasoning.text", text: "Let me", index: 0, signature: null },
    { type: "reasoning.text", text: " see", index: 0, signature: "sig" },
    { type: "reasoning.encrypted", data: "abc", index: 1 },
  ];
  const events = [
    delta({ reasoning_details: [details[0]] }),
    delta({ reasoning_details: [details[1], details[2]] }),
    delta({ content: "Looking." }),
    delta({ tool_calls: [{ index: 0, id: "c1", function: { name: "look", arguments: '{"a"' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }),
    delta({ tool_calls: [{ index: 1, id: "c2", function: { name: "look", arguments: "" } }] }),
    delta({}, "tool_calls"),
  ];
  await using server = await startChatServer([{ events }, { text: "Seen." }]);
  const look = createTool("look");
  const heard = heardOf({ tools: [look] });
  const thought = await createOpenAiAgent(partsOf(server.url)).think(heard.request);
  assert.deepEqual(thought, { kind: "answered", text: "Seen." });
  assert.deepEqual(look.calls, [{ a: 1 }, {}]);
  const call = (id: string, json: string) => ({
    id,
    type: "function",
    function: { name: "look", arguments: json },
  });
  assert.deepEqual(server.requests[1]?.body.messages.slice(2), [
    {
      role: "assistant",
      content: "Looking.",
      tool_calls: [call("c1", '{"a":1}'), call("c2", "{}")],
      reasoning_details: [
        { type: "reasoning.text", text: "Let me see", index: 0, signature: "sig" },
        details[2],
      ],
    },
    { role: "tool", tool_call_id: "c1", content: "look answered" },
    { role: "tool", tool_call_id: "c2", content: "look answered" },
  ]);
});

test("servers that number, name or write calls in their own ways are understood", async () => {
  const events = [
    // Every call has number 0; the second has none; the third sends an object, the fourth no id.
    delta({ tool_calls: [{ index: 0, id: "a", function: { name: "x", arguments: "{}" } }] }),
    delta({ tool_calls: [{ index: 0, id: "b", function: { name: "y", arguments: "{}" } }] }),
    delta({ tool_calls: [{ id: "c", function: { name: "z", arguments: { q: 1 } } }] }),
    delta({ tool_calls: [{ index: 7, function: { name: "w", arguments: "{}" } }] }, "stop"),
  ];
  const { outcome } = await callWith([{ events }]);
  assert.ok(outcome.ok);
  assert.deepEqual(outcome.reply.calls.map(({ name, input }) => [name, input]), [
    ["x", {}],
    ["y", {}],
    ["z", { q: 1 }],
    ["w", {}],
  ]);
  assert.equal(new Set(outcome.reply.calls.map(({ id }) => id)).size, 4);
});

test("malformed input of a tool is the model's mistake, told to it; a call cut in half is not run", async () => {
  const call = (json: string) => ({
    tool_calls: [{ index: 0, id: "c", function: { name: "look", arguments: json } }],
  });
  const broken = await callWith([{ events: [delta(call("{broken"), "tool_calls")] }]);
  assert.ok(broken.outcome.ok);
  assert.match(broken.outcome.reply.calls[0]?.problem ?? "", /not valid JSON/);
  const half = await callWith([{ events: [delta(call("{}"), "length")] }]);
  assert.ok(half.outcome.ok);
  assert.deepEqual([half.outcome.reply.calls, half.outcome.reply.halfCall], [[], "look"]);
  assert.equal(half.outcome.reply.stop, "length");
});

test("a server that answers in one piece is understood as well", async () => {
  const json = {
    choices: [{ message: { content: "Whole." }, finish_reason: "stop" }],
    usage: { prompt_tokens: 4, completion_tokens: 2 },
  };
  const { outcome } = await callWith([{ json }]);
  assert.ok(outcome.ok);
  assert.equal(outcome.reply.text, "Whole.");
  assert.deepEqual(outcome.used.tokens, { input: 4, output: 2, cacheRead: 0, cacheWrite: 0 });
});

test("a filtered answer and one that declines are refusals", async () => {
  const filtered = await callWith([{ events: [delta({ content: "I" }, "content_filter")] }]);
  assert.equal(filtered.outcome.ok && filtered.outcome.reply.stop, "refused");
  const declined = await callWith([{ events: [delta({ refusal: "No." }, "stop")] }]);
  assert.ok(declined.outcome.ok);
  assert.deepEqual([declined.outcome.reply.stop, declined.outcome.reply.text], ["refused", "No."]);
});

test("a parameter that the server refuses by name is left out, or said in another way, from then on", async () => {
  const refuse = (param: string): ChatStep => ({
    status: 400,
    error: { message: `Unsupported parameter: ${param}`, type: "invalid_request_error", param },
  });
  const steps = [refuse("reasoning_effort"), refuse("max_tokens"), { text: "ok" }];
  await using server = await startChatServer([...steps, { text: "again" }]);
  const call = createOpenAiCall(partsOf(server.url));
  const once = () =>
    call({
      system: "",
      messages: [user],
      tools: [],
      maxTokens: 9,
      signal: new AbortController().signal,
      onText: () => {},
    });
  assert.equal((await once()).ok, true);
  assert.equal((await once()).ok, true);
  assert.equal(server.requests.length, 4);
  for (const { body } of server.requests.slice(2)) {
    assert.deepEqual([body.max_tokens, body.max_completion_tokens], [undefined, 9]);
    assert.equal("reasoning_effort" in body, false);
  }
  assert.equal((await failedWith(refuse("messages"))).kind, "rejected");
});

test("each refusal has its kind, its status and the server's words without the key", async () => {
  const kind = async (status: number, error: Record<string, unknown> = {}) =>
    (await failedWith({ status, error: { message: `Bad key ${KEY}`, ...error } })).kind;
  assert.equal(await kind(401), "auth");
  assert.equal(await kind(402), "auth");
  assert.equal(await kind(429), "rate-limited");
  assert.equal(await kind(429, { code: "insufficient_quota" }), "auth");
  assert.equal(await kind(404), "rejected");
  assert.equal(await kind(400, { code: "context_length_exceeded" }), "rejected");
  assert.equal(await kind(500), "overloaded");
  assert.equal(await kind(503), "overloaded");
  assert.equal(await kind(504), "timeout");
  const limited = await failedWith({ status: 429, error: { message: "slow" }, retryAfter: "7" });
  assert.deepEqual([limited.status, limited.retryAfterMs], [429, 7_000]);
  const refused = await failedWith({ status: 403, error: { message: `No, ${KEY}.` } });
  assert.match(refused.message, /\(status 403\): "No, \*\*\*"$/);
});

test("an error in the middle of a stream keeps what was said and what it cost", async () => {
  const error = { error: { code: 429, message: "Upstream is busy" }, usage: USAGE.usage };
  const limited = await failedWith({ events: [delta({ content: "Half" }), error] });
  assert.deepEqual([limited.kind, limited.text, limited.used?.usd], [
    "rate-limited",
    "Half",
    0.0125,
  ]);
  const words = await failedWith({ events: [{ error: { message: "broken" } }] });
  assert.deepEqual([words.kind, words.used], ["overloaded", undefined]);
});

test("a stream that is cut is unreachable, with an estimate of what it cost; after the last word nothing is lost", async () => {
  for (const end of ["break", "close"] as const) {
    const cut = await failedWith({ events: [delta({ content: "x".repeat(400) })], end });
    assert.equal(cut.kind, "unreachable");
    assert.equal(cut.used?.estimated, true);
    assert.equal(cut.used?.tokens.output, 100);
    assert.ok((cut.used?.tokens.input ?? 0) > 10);
    const late = await callWith([{ events: [delta({ content: "Done" }, "stop")], end }]);
    assert.equal(late.outcome.ok, true);
  }
});

test("what is no stream of chat completions is unreadable, a redirect is not followed", async () => {
  assert.equal((await failedWith({ page: "<html>Please log in</html>" })).kind, "unreadable");
  assert.equal((await failedWith({ events: ["{broken"] })).kind, "unreadable");
  assert.equal((await failedWith({ events: ['"text"'] })).kind, "unreadable");
  assert.equal((await failedWith({ events: [] })).kind, "unreadable");
  const away = await failedWith({ redirect: "http://127.0.0.1:1/steal" });
  assert.deepEqual([away.kind, away.status], ["rejected", 307]);
});

test("a server that is not there is unreachable; a header that none may have is told by its name", async () => {
  const call = (more: Partial<OpenAiParts>) =>
    createOpenAiCall(partsOf("http://127.0.0.1:1/v1", more))({
      system: "",
      messages: [user],
      tools: [],
      maxTokens: 9,
      signal: new AbortController().signal,
      onText: () => {},
    });
  const gone = await call({});
  assert.equal(!gone.ok && gone.failure.kind, "unreachable");
  const bad = await call({ headers: { "x-team": "hush\nhush" } });
  assert.ok(!bad.ok);
  assert.deepEqual([bad.failure.kind, /hush/.test(bad.failure.message)], ["auth", false]);
});

test("silence ends a call, and so does an abort", async () => {
  const clock = createImpatientClock(1_000_000);
  const silent = await failedWith({ hang: true }, { clock });
  assert.deepEqual([silent.kind, silent.message], ["timeout", "The model was silent for 120 s"]);
  await using server = await startChatServer([{ events: [delta({ content: "Hm" })], end: "hang" }]);
  const stop = new AbortController();
  const outcome = await createOpenAiCall(partsOf(server.url))({
    system: "",
    messages: [user],
    tools: [],
    maxTokens: 9,
    signal: stop.signal,
    onText: () => stop.abort(),
  });
  assert.ok(!outcome.ok);
  assert.equal(outcome.text, "Hm");
  assert.equal(outcome.used?.estimated, true);
});

test("patience decides how often and how long a call is tried again; the daemon's is as before", () => {
  const busy = failure("overloaded", "busy");
  const patience: AskParts["patience"] = { tries: 8, longestMs: 120_000 };
  const half = () => 0.5;
  const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((tries) => retryWait(busy, tries, half, patience));
  assert.deepEqual(waits, [1e3, 4e3, 16e3, 64e3, 12e4, 12e4, 12e4, undefined]);
  assert.deepEqual([1, 2, 3].map((tries) => retryWait(busy, tries, half)), [1e3, 4e3, undefined]);
  const asked = { ...busy, retryAfterMs: 90_000 };
  assert.equal(retryWait(asked, 1, half), undefined);
  assert.equal(retryWait(asked, 1, half, patience), 90_000);
});

test("effort is named to models that take it, and to no others", () => {
  assert.equal(effortOf("claude-sonnet-5-5", "high"), "high");
  assert.equal(effortOf("claude-opus-5-20260101", "off"), "low");
  assert.equal(effortOf("claude-haiku-4-5", "high"), undefined);
  assert.equal(effortOf("somebody/else", "high"), undefined);
});
