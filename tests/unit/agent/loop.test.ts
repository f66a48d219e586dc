import assert from "node:assert/strict";
import { test } from "node:test";
import { RESULT_LIMIT } from "../../../lib/agent/tool.ts";
import { createImpatientClock, createTool, thinkWith } from "../../support/agent-scene.ts";
import type { ModelStep } from "../../support/model-server.ts";

const calls = (...names: string[]) => names.map((name) => ({ name, input: {} }));

test("tools run and their results go back in the order of the calls", async () => {
  const slow = createTool("slow", {
    answer: async () => {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      return { text: "slow result", isError: false };
    },
  });
  const quick = createTool("quick", { answer: () => ({ text: "quick result", isError: false }) });
  const { thought, server, tools } = await thinkWith([
    { reply: { text: "Let me look.", calls: calls("slow", "quick") } },
    { reply: { text: "Both looked at." } },
  ], { tools: [slow, quick] });
  assert.deepEqual(thought, { kind: "answered", text: "Both looked at." });
  const results = server.requests()[1]?.results ?? [];
  assert.deepEqual(results.map(({ text }) => text), ["slow result", "quick result"]);
  assert.deepEqual(tools.map(({ name }) => name).sort(), ["quick", "slow"]);
});

test("calls that change something run one after the other, reading ones side by side", async () => {
  let running = 0;
  const most: Record<string, number> = {};
  const busy = (name: string) => async () => {
    running++;
    most[name] = Math.max(most[name] ?? 0, running);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    running--;
    return { text: "ok", isError: false };
  };
  const read = createTool("read", { answer: busy("read") });
  const act = createTool("act", { acts: true, answer: busy("act") });
  const numbered = ["read", "read", "act", "act", "read"].map((name, n) => ({
    name,
    input: { n },
  }));
  await thinkWith([{ reply: { calls: numbered } }, { reply: { text: "ok" } }], {
    tools: [read, act],
  });
  assert.deepEqual(most, { read: 2, act: 1 });
  assert.deepEqual(act.calls, [{ n: 2 }, { n: 3 }]);
});

test("malformed input of a tool is told to the model, which goes on", async () => {
  for (
    const [json, told] of [
      ['{"index": ', /Cannot run status: its input is not valid JSON.*began with "\{/],
      ["[1, 2]", /its input is an array, expected a JSON object/],
      ["null", /its input is null/],
      ['"3"', /its input is a string/],
    ] as const
  ) {
    const status = createTool("status");
    const { thought, server, tools } = await thinkWith([
      { reply: { fault: "input", name: "status", json } },
      { reply: { text: "Sorry, done." } },
    ], { tools: [status] });
    assert.deepEqual(thought, { kind: "answered", text: "Sorry, done." });
    const [result] = server.requests()[1]?.results ?? [];
    assert.ok(result?.isError);
    assert.match(result.text, told);
    assert.deepEqual(status.calls, []);
    assert.equal(tools.length, 1);
  }
});

test("an empty input is the empty object", async () => {
  const status = createTool("status");
  await thinkWith([
    { reply: { fault: "input", name: "status", json: "" } },
    { reply: { text: "ok" } },
  ], { tools: [status] });
  assert.deepEqual(status.calls, [{}]);
});

test("an unknown tool is answered with the nearest name", async () => {
  const { thought, server } = await thinkWith([
    { reply: { calls: calls("stop_al", "rm -rf /") } },
    { reply: { text: "I see." } },
  ], { tools: [createTool("stop_all", { acts: true }), createTool("status")] });
  assert.equal(thought.kind, "answered");
  const results = server.requests()[1]?.results ?? [];
  assert.ok(results.every(({ isError }) => isError));
  assert.match(results[0]?.text ?? "", /no such tool, did you mean stop_all/);
  assert.match(results[1]?.text ?? "", /no such tool, the tools are status, stop_all/);
});

test("a tool that throws is a sentence for the model", async () => {
  const broken = createTool("broken", {
    run: () => Promise.reject(new Error("the disk is full")),
  });
  const { thought, server } = await thinkWith([
    { reply: { calls: calls("broken") } },
    { reply: { text: "ok" } },
  ], { tools: [broken] });
  assert.equal(thought.kind, "answered");
  assert.deepEqual(server.requests()[1]?.results.map(({ text, isError }) => [text, isError]), [
    ["broken failed: the disk is full", true],
  ]);
});

test("a tool that takes too long is given up, and is told that it should stop", async () => {
  let told: AbortSignal | undefined;
  const stuck = createTool("stuck", {
    acts: true,
    run: (_, signal) => {
      told = signal;
      return new Promise(() => {});
    },
  });
  const { thought, server } = await thinkWith([
    { reply: { calls: calls("stuck") } },
    { reply: { text: "ok" } },
  ], { tools: [stuck], toolLimitMs: 5_000 });
  assert.equal(thought.kind, "answered");
  assert.match(
    server.requests()[1]?.results[0]?.text ?? "",
    /stuck was given up after 5 s, it may still have had its effect/,
  );
  assert.equal(told?.aborted, true);
});

test("a long result is cut with a notice, and half of a character is no trouble", async () => {
  const long = createTool("long", {
    answer: () => ({ text: "x" + "🐕".repeat(RESULT_LIMIT), isError: false }),
  });
  const { server } = await thinkWith([
    { reply: { calls: calls("long") } },
    { reply: { text: "ok" } },
  ], { tools: [long] });
  const text = server.requests()[1]?.results[0]?.text ?? "";
  assert.ok(text.length <= RESULT_LIMIT);
  assert.match(text, /\[cut: this was the beginning of 24001 characters, ask for less\]$/);
  assert.ok(text.isWellFormed());
});

test("a model that calls for ever is stopped, and is told before its last turn", async () => {
  let n = 0;
  const status = createTool("status");
  const { thought, server, uses } = await thinkWith([
    {
      reply: () => ({ text: "Once more.", calls: [{ name: "status", input: { n: n++ } }] }),
      times: Infinity,
    },
  ], { tools: [status], maxTurns: 5 });
  assert.deepEqual(thought, { kind: "out-of-turns", text: "Once more." });
  assert.equal(server.requests().length, 5);
  assert.equal(uses.length, 5);
  assert.match(server.requests()[4]?.text ?? "", /last turn/);
  assert.doesNotMatch(server.requests()[3]?.text ?? "", /last turn/);
});

test("a request may ask for fewer turns than the settings allow, never for more", async () => {
  const endless: ModelStep[] = [{ reply: { calls: calls("status") }, times: Infinity }];
  const settings = { maxTurns: 3 };
  const fewer = await thinkWith(endless, { tools: [createTool("status")], settings, maxTurns: 2 });
  assert.equal(fewer.server.requests().length, 2);
  const more = await thinkWith(endless, { tools: [createTool("status")], settings, maxTurns: 50 });
  assert.equal(more.server.requests().length, 3);
});

test("one and the same call is not run a third time until something has changed", async () => {
  const status = createTool("status");
  const act = createTool("act", { acts: true });
  const { server } = await thinkWith([
    { reply: { calls: [{ name: "status", input: { a: 1, b: 2 } }] } },
    { reply: { calls: [{ name: "status", input: { b: 2, a: 1 } }] } },
    { reply: { calls: [{ name: "status", input: { a: 1, b: 2 } }] } },
    { reply: { calls: calls("act") } },
    { reply: { calls: [{ name: "status", input: { a: 1, b: 2 } }] } },
    { reply: { text: "ok" } },
  ], { tools: [status, act] });
  assert.equal(status.calls.length, 3);
  const third = server.requests()[3]?.results[0];
  assert.ok(third?.isError);
  assert.match(third.text, /^Not run: status was called 2 times with this very input/);
  assert.equal(server.requests()[5]?.results[0]?.text, "status answered");
});

test("an act that is repeated is stopped even after other acts", async () => {
  const stop = createTool("stop", { acts: true });
  await thinkWith([
    { reply: { calls: calls("stop", "stop", "stop", "stop") } },
    { reply: { text: "ok" } },
  ], { tools: [stop] });
  assert.equal(stop.calls.length, 2);
});

test("very many calls in one answer are not all run", async () => {
  const status = createTool("status");
  const many = Array.from({ length: 40 }, (_, n) => ({ name: "status", input: { n } }));
  const { server } = await thinkWith([{ reply: { calls: many } }, { reply: { text: "ok" } }], {
    tools: [status],
  });
  assert.equal(status.calls.length, 24);
  assert.equal(server.requests()[1]?.results.length, 40);
  assert.ok(server.requests()[1]?.results.slice(24).every(({ isError }) => isError));
});

test("an answer that is cut at its limit goes on once and is put together", async () => {
  const { thought, server, texts } = await thinkWith([
    { reply: { fault: "stop", text: "The first half, ", stop: "max_tokens" } },
    { reply: { text: "the second half." } },
  ]);
  assert.deepEqual(thought, { kind: "answered", text: "The first half, the second half." });
  assert.match(server.requests()[1]?.text ?? "", /cut off at the limit of 4096 tokens/);
  assert.equal(texts.at(-1), "The first half, the second half.");

  const twice = await thinkWith([
    { reply: { fault: "stop", text: "More ", stop: "max_tokens" }, times: Infinity },
  ]);
  assert.deepEqual(twice.thought, { kind: "out-of-turns", text: "More More" });
  assert.equal(twice.server.requests().length, 2);
});

test("half a tool call is never run, also when it happens to be valid", async () => {
  const stop = createTool("stop", { acts: true });
  const { thought, server } = await thinkWith([
    {
      reply: {
        fault: "input",
        text: "Stopping",
        name: "stop",
        json: '{"indices": [1]}',
        stop: "max_tokens",
      },
    },
    { reply: { text: "Never mind." } },
  ], { tools: [stop] });
  assert.equal(thought.kind, "answered");
  assert.deepEqual(stop.calls, []);
  assert.match(server.requests()[1]?.text ?? "", /call of stop was not complete and was not run/);
  assert.deepEqual(server.requests()[1]?.results, []);
});

test("a refusal, a pause and a conversation that is too long are told apart", async () => {
  const refused = await thinkWith([{ reply: { fault: "stop", text: "I can't", stop: "refusal" } }]);
  assert.deepEqual(refused.thought, { kind: "refused", text: "I can't" });

  const paused = await thinkWith([
    { reply: { fault: "stop", text: "Wait", stop: "pause_turn" } },
    { reply: { text: "Done." } },
  ]);
  assert.deepEqual(paused.thought, { kind: "answered", text: "Done." });

  const long = await thinkWith([
    { reply: { fault: "stop", text: "", stop: "model_context_window_exceeded" } },
  ]);
  assert.ok(long.thought.kind === "failed");
  assert.equal(long.thought.failure.kind, "rejected");
});

test("an answer without words is an answer, with what was said before it", async () => {
  const { thought } = await thinkWith([
    { reply: { text: "I look.", calls: calls("status") } },
    { reply: { fault: "stop", text: "", stop: "end_turn" } },
  ], { tools: [createTool("status")] });
  assert.deepEqual(thought, { kind: "answered", text: "I look." });
});

test("G.4.27: the budget is checked before each call and holds", async () => {
  const budgetUsd = 0.05;
  let n = 0;
  const { thought, uses, server } = await thinkWith([
    {
      reply: () => ({
        text: "Looking.",
        calls: [{ name: "status", input: { n: n++ } }],
        usage: { input: 1_000, output: 1_000 },
      }),
      times: Infinity,
    },
  ], { tools: [createTool("status")], budgetUsd });
  assert.deepEqual(thought, { kind: "out-of-budget", text: "Looking." });
  const spent = uses.reduce((sum, { usd }) => sum + (usd ?? 0), 0);
  assert.ok(spent <= budgetUsd, `${spent}`);
  assert.equal(uses.length, 4);
  const lengths = server.requests().map(({ maxTokens }) => maxTokens);
  assert.equal(lengths[0], 4096);
  // The last calls may only be as long as what is left pays for.
  assert.ok((lengths.at(-1) ?? 0) < 4096);
});

test("failed attempts count against the budget as well", async () => {
  const { thought, uses } = await thinkWith([
    { reply: { fault: "cut", text: "Half", usage: { input: 20_000 } }, times: Infinity },
  ], { budgetUsd: 0.06 });
  assert.equal(thought.kind, "out-of-budget");
  assert.equal(uses.length, 1);
});

test("with a budget and a model that has no price nothing is asked", async () => {
  const settings = { model: "somebody-elses-model" };
  const { thought, server } = await thinkWith([{ reply: { text: "ok" } }], {
    settings,
    budgetUsd: 1,
  });
  assert.deepEqual(thought, { kind: "out-of-budget", text: "" });
  assert.equal(server.requests().length, 0);
  const free = await thinkWith([{ reply: { text: "ok" } }], { settings });
  assert.equal(free.thought.kind, "answered");
  assert.equal(free.uses[0]?.usd, null);
});

test("what cannot be recorded is not spent any further", async () => {
  const status = createTool("status");
  const { thought, server } = await thinkWith([
    { reply: { text: "Looking.", calls: calls("status") }, times: Infinity },
  ], { tools: [status], onUse: () => Promise.reject(new Error("no space left on device")) });
  assert.ok(thought.kind === "failed");
  assert.match(thought.failure.message, /Cannot record what the model cost: no space left/);
  assert.equal(server.requests().length, 1);
  assert.deepEqual(status.calls, []);
});

test("use is told before the tools of that call run", async () => {
  const order: string[] = [];
  const status = createTool("status", {
    answer: () => {
      order.push("tool");
      return { text: "ok", isError: false };
    },
  });
  await thinkWith([{ reply: { calls: calls("status") } }, { reply: { text: "ok" } }], {
    tools: [status],
    onUse: async () => {
      await Promise.resolve();
      order.push("use");
    },
  });
  assert.deepEqual(order, ["use", "tool", "use"]);
});

test("listeners that throw stop nothing", async () => {
  const { thought } = await thinkWith([
    { reply: { text: "Looking.", calls: calls("status") } },
    { reply: { text: "ok" } },
  ], {
    tools: [createTool("status")],
    onText: () => {
      throw new Error("no");
    },
    onTool: () => {
      throw new Error("no");
    },
  });
  assert.deepEqual(thought, { kind: "answered", text: "ok" });
});

test("an abort ends a turn while a tool that does not listen runs, and while it waits to try again", async () => {
  const stop = new AbortController();
  const deaf = createTool("deaf", {
    run: () => {
      stop.abort();
      return new Promise(() => {});
    },
  });
  const during = await thinkWith([{ reply: { text: "I try.", calls: calls("deaf", "after") } }], {
    tools: [deaf, createTool("after", { acts: true })],
    signal: stop.signal,
  });
  assert.deepEqual(during.thought, { kind: "aborted", text: "I try." });
  assert.deepEqual(during.tools.map(({ name }) => name), ["deaf"]);

  const again = new AbortController();
  const clock = createImpatientClock();
  const waiting = await thinkWith([{ reply: { fault: "status", status: 529 }, times: Infinity }], {
    signal: again.signal,
    clock: {
      ...clock,
      sleep: (ms, signal) => {
        if (ms < 60_000) again.abort();
        return clock.sleep(ms, signal);
      },
    },
  });
  assert.equal(waiting.thought.kind, "aborted");
  assert.equal(waiting.server.requests().length, 1);
});

test("an empty prompt and half characters are sent as the API wants them", async () => {
  const { server } = await thinkWith([{ reply: { text: "ok" } }], {
    prompt: " ",
    system: "a\ud83d",
  });
  assert.equal(server.requests()[0]?.text, "(nothing)");
  assert.equal(server.requests()[0]?.system, "a\ufffd");
});
