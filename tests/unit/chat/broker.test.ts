import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatHappening, Where } from "../../../lib/chat/chat-event.ts";
import type { TurnFailure } from "../../../lib/chat/turn.ts";
import { arrival, chatScene, inThread } from "../../support/chat-scene.ts";

const done = (text: string) => ({ kind: "done", text }) as const;

test("a message is stored, then becomes a turn, then an answer", async (t) => {
  const scene = chatScene(t);
  assert.equal(scene.hear("m1", "hello"), true);
  assert.equal(scene.journal[0]!.type, "message-heard");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  assert.equal(scene.prompts[0]!.text, "hello");
  scene.prompts[0]!.say("hi");
  assert.equal(scene.broker.turns()[0]!.text, "hi");
  scene.prompts[0]!.end(done("hi there"));
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const [turn] = scene.state().conversations.get("200")!.untold;
  assert.deepEqual([turn!.ending!.end, turn!.ending!.text], ["done", "hi there"]);
  assert.equal(scene.seen.at(-1)!.state.kind, "done");
  scene.broker.told("200", turn!.id);
  assert.deepEqual(scene.state().conversations.get("200")!.untold, []);
});

test("A.17.22: the same message told twice is one message", async (t) => {
  const scene = chatScene(t);
  assert.equal(scene.hear("m1", "hello"), true);
  assert.equal(scene.hear("m1", "hello"), false);
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.prompts[0]!.end(done("x"));
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.equal(scene.hear("m1", "hello"), false);
  assert.equal(scene.prompts.length, 1);
});

test("B.70: what is said during a turn is the next turn, all of it, in order", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  for (const n of [2, 3, 4]) scene.hear(`m${n}`, `word ${n}`);
  scene.prompts[0]!.end(done("x"));
  await scene.until("it is asked again", () => scene.prompts.length === 2);
  assert.equal(scene.prompts[1]!.text, "word 2\nword 3\nword 4");
  assert.deepEqual(scene.broker.turns()[0]!.messages, ["m2", "m3", "m4"]);
});

test("A.17.19: a message whose attachment takes long is not overtaken", async (t) => {
  const slow = Promise.withResolvers<void>();
  const scene = chatScene(t, {
    batch: () => ({ mode: "per-message", messages: 10, tokens: 24_000 }),
    async blocks(_, [message]) {
      if (message!.id === "m1") await slow.promise;
      return [{ type: "text", text: message!.content }];
    },
  });
  scene.hear("m1", "with a film");
  scene.hear("m2", "quick");
  await scene.until("the first has begun", () => scene.broker.turns().length === 1);
  assert.equal(scene.prompts.length, 0);
  slow.resolve();
  await scene.until("the first is asked", () => scene.prompts.length === 1);
  assert.equal(scene.prompts[0]!.text, "with a film");
});

test("B.53: what was withdrawn while herd was away is not answered by its next life", async (t) => {
  const scene = chatScene(t, {
    journal: [
      { type: "message-heard", conversation: "200", arrival: arrival("m1", "one") },
      { type: "message-heard", conversation: "200", arrival: arrival("m2", "two") },
    ],
  });
  const looked = Promise.withResolvers<void>();
  scene.broker.start(looked.promise);
  scene.hear("m3", "three");
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(scene.prompts.length, 0, "nobody knows yet what was withdrawn");
  scene.broker.withdraw("m1", "discord");
  scene.broker.revise("m2", "TWO");
  looked.resolve();
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  assert.equal(scene.prompts[0]!.text, "TWO\nthree");
});

test("B.53: messages that wait can be changed and withdrawn; what a turn has cannot", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.hear("m2", "two");
  scene.hear("m3", "three");
  scene.broker.revise("m2", "TWO");
  scene.broker.withdraw("m3", "7");
  scene.broker.revise("m1", "ONE");
  scene.broker.withdraw("m1", "7");
  scene.prompts[0]!.end(done("x"));
  await scene.until("it is asked again", () => scene.prompts.length === 2);
  assert.equal(scene.prompts[1]!.text, "TWO");
});

test("A.17.20: a cancelled turn ends as cancelled, with what was said, and the next goes on", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.prompts[0]!.say("half an ans");
  scene.hear("m2", "two");
  assert.deepEqual(scene.broker.cancel("200", "discord:7"), { done: true });
  await scene.until("the next is asked", () => scene.prompts.length === 2);
  const [turn] = scene.state().conversations.get("200")!.untold;
  assert.deepEqual([turn!.ending!.end, turn!.ending!.text], ["cancelled", "half an ans"]);
  const told = scene.seen.find(({ state }) => state.kind === "cancelled")!;
  assert.deepEqual(told.state, { kind: "cancelled", by: "discord:7" });
  assert.deepEqual(scene.broker.cancelAll("200", "discord:7"), { done: true });
  await scene.until("all is over", () => scene.broker.turns().length === 0);
  assert.deepEqual(scene.broker.cancel("200", "discord:7"), {
    done: false,
    reason: "Nothing runs here",
  });
});

test("A.17.5, B.75, C.1: a turn that an end of herd interrupted is carried out by its next life, once", async (t) => {
  const before: ChatHappening[] = [
    { type: "message-heard", conversation: "200", arrival: arrival("m1", "one") },
    {
      type: "conversation-placed",
      conversation: "200",
      where: { channelId: "200", replies: false },
    },
    { type: "turn-begun", turn: "200-1", conversation: "200", messages: ["m1"] },
    { type: "session-known", conversation: "200", sessionId: "kept" },
    { type: "message-heard", conversation: "200", arrival: arrival("m2", "two") },
  ];
  const scene = chatScene(t, { journal: before });
  assert.equal(scene.hear("m1", "one"), false);
  scene.broker.start();
  await scene.until("it is asked", () => scene.prompts.length === 1);
  assert.equal(scene.prompts[0]!.text, "one\ntwo");
  scene.prompts[0]!.end(done("both"));
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.deepEqual(scene.state().conversations.get("200")!.untold.map(({ id }) => id), ["200-1"]);
});

test("B.74: a turn in which herd died three times is given up with a word", async (t) => {
  const life: ChatHappening[] = [1, 2, 3].flatMap((n) => [
    { type: "turn-begun", turn: `200-${n}`, conversation: "200", messages: ["m1"] } as const,
    {
      type: "turn-ended",
      turn: `200-${n}`,
      conversation: "200",
      end: "interrupted",
      text: "",
      tookMs: 0,
    } as const,
  ]);
  const scene = chatScene(t, {
    journal: [
      { type: "message-heard", conversation: "200", arrival: arrival("m1", "deadly") },
      ...life,
    ],
  });
  scene.broker.start();
  await scene.until(
    "it is over",
    () => scene.state().conversations.get("200")!.untold.length === 1,
  );
  assert.equal(scene.prompts.length, 0);
  assert.equal(scene.state().conversations.get("200")!.untold[0]!.ending!.failure!.kind, "lost");
});

test("ends of herd that somebody wanted are no reason to give a turn up", async (t) => {
  const life: ChatHappening[] = Array.from({ length: 5 }, () => [
    { type: "turn-begun", turn: "200-1", conversation: "200", messages: ["m1"] } as const,
    {
      ...{ type: "turn-ended", turn: "200-1", conversation: "200" } as const,
      ...{ end: "interrupted", text: "", tookMs: 0, orderly: true } as const,
    },
  ]).flat();
  const scene = chatScene(t, {
    journal: [
      { type: "message-heard", conversation: "200", arrival: arrival("m1", "long work") },
      ...life,
    ],
  });
  scene.broker.start();
  await scene.until("it is asked", () => scene.prompts.length === 1);
});

test("a turn that was killed has its number again, unless its first message is withdrawn", (t) => {
  const heard = (id: string): ChatHappening => ({
    ...{ type: "message-heard", conversation: "200", arrival: arrival(id, id) },
  });
  const killed: ChatHappening[] = [
    heard("m1"),
    heard("m2"),
    { type: "turn-begun", turn: "200-1", conversation: "200", messages: ["m1", "m2"] },
    {
      ...{ type: "turn-ended", turn: "200-1", conversation: "200" } as const,
      ...{ end: "interrupted", text: "", tookMs: 0 } as const,
    },
  ];
  const next = (more: ChatHappening[]) => {
    const one = chatScene(t, { journal: [...killed, ...more] }).state().conversations.get("200")!;
    return [one.turns + 1, one.cut];
  };
  const withdrawn = (message: string): ChatHappening => ({
    ...{ type: "message-withdrawn", conversation: "200", message },
  });
  assert.deepEqual(next([]), [1, "m1"]);
  assert.deepEqual(next([withdrawn("m2")]), [1, "m1"]);
  assert.deepEqual(next([withdrawn("m1")]), [2, undefined]);
});

test("an orderly end of herd while an agent starts leaves the turn for its next life, too", async (t) => {
  const started = Promise.withResolvers<{ failed: TurnFailure }>();
  const scene = chatScene(t, { opening: () => started.promise });
  scene.hear("m1", "one");
  await scene.until("it starts", () => scene.agents.length === 1);
  const ended = scene.broker[Symbol.asyncDispose]();
  const failure = { kind: "gone", message: "It was stopped", code: undefined } as const;
  started.resolve({ failed: { ...failure, stderr: "", hint: undefined } });
  await ended;
  const last = scene.journal.at(-1)!;
  assert.ok(last.type === "turn-ended" && last.end === "interrupted", JSON.stringify(last));
});

test("B.90: an orderly end of herd in mid-turn leaves the turn for its next life", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  await scene.broker[Symbol.asyncDispose]();
  const one = scene.state().conversations.get("200")!;
  assert.equal(one.waiting.length, 1);
  assert.deepEqual(one.untold, []);
});

const GONE: { failed: TurnFailure } = {
  failed: { kind: "gone", message: "no", code: undefined, stderr: "", hint: undefined },
};

test("an end of herd, or a stop, while the agent starts is no failure of the agent", async (t) => {
  for (const stops of ["herd", "somebody"]) {
    const start = Promise.withResolvers<void>();
    const opening = () => start.promise.then(() => GONE);
    const { broker, hear, journal, agents, until } = chatScene(t, { opening });
    hear("1", "hello");
    await until("it starts", () => agents.length === 1);
    const over = stops === "herd"
      ? broker[Symbol.asyncDispose]()
      : broker.cancel("200", "discord:7") && Promise.resolve();
    start.resolve();
    await over;
    const end = () => journal.find(({ type }) => type === "turn-ended");
    await until("it has ended", () => end() !== undefined);
    assert.equal((end() as { end?: string }).end, stops === "herd" ? "interrupted" : "cancelled");
  }
});

test("an agent that fails before the conversation has a place: that is said when there is one", async (t) => {
  const place = Promise.withResolvers<Where>();
  const { hear, journal, seen, until } = chatScene(t, {
    opening: () => Promise.resolve(GONE),
    place: () => place.promise,
  });
  hear("1", "hello");
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(journal.map(({ type }) => type), ["message-heard", "turn-begun"]);
  place.resolve({ channelId: "200", replies: false });
  await until("it is told", () => seen.at(-1)?.state.kind === "failed");
  const types = journal.map(({ type }) => type);
  assert.deepEqual(types.slice(2), ["conversation-placed", "turn-ended"]);
});

test("A.17.8, B.77, B.82: with all places taken a conversation waits its turn and is told how many are before it", async (t) => {
  const scene = chatScene(t, { limit: 1 });
  scene.hear("a", "first", inThread("201"));
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.hear("b", "second", inThread("202"));
  scene.hear("c", "third", inThread("203"));
  const ahead = (conversation: string) => {
    const turn = scene.broker.turns().find((one) => one.conversation === conversation);
    return turn?.state.kind === "queued" ? turn.state.ahead : undefined;
  };
  await scene.until("both wait", () => ahead("202") === 0 && ahead("203") === 1);
  assert.deepEqual(scene.agents, ["open 201"]);
  scene.prompts[0]!.end(done("x"));
  await scene.until("the second is asked", () => scene.prompts.length === 2);
  assert.deepEqual(scene.agents, ["open 201", "close 201", "open 202"]);
  assert.equal(ahead("203"), 0);
});

test("A.17.8, B.88, C.2: a silent agent is shown as stuck, keeps nobody waiting, and may go on", async (t) => {
  const scene = chatScene(t, { limit: 1 });
  scene.hear("a", "first", inThread("201"));
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.hear("b", "second", inThread("202"));
  await scene.until("both are turns", () => scene.broker.turns().length === 2);
  const state = () => scene.broker.turns()[0]!.state.kind;
  scene.clock.advance(599_000);
  assert.equal(state(), "running");
  scene.clock.advance(2_000);
  await scene.until("it is stuck", () => state() === "stuck");
  await scene.until("the other is asked", () => scene.prompts.length === 2);
  scene.prompts[0]!.say("still here");
  assert.equal(state(), "running");
  scene.prompts[0]!.end(done("at last"));
  await scene.until("it is over", () => scene.broker.turns().length === 1);
});

test("a stuck turn that nobody helps is ended with a word, the conversation goes on", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.clock.advance(721_000);
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const { failure } = scene.state().conversations.get("200")!.untold[0]!.ending!;
  assert.equal(failure!.kind, "timeout");
  scene.hear("m2", "two");
  await scene.until("it is asked again", () => scene.prompts.length === 2);
});

test("A.17.11, C.2: a tool that runs may be silent for longer, and text counts as life", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.prompts[0]!.hooks.onTool({ id: "t1", title: "make", kind: "execute", status: "running" });
  scene.clock.advance(800_000);
  assert.equal(scene.broker.turns()[0]!.state.kind, "running");
  scene.prompts[0]!.hooks.onTool({ id: "t1", status: "completed" });
  scene.clock.advance(599_000);
  scene.prompts[0]!.say("a word");
  scene.clock.advance(599_000);
  assert.equal(scene.broker.turns()[0]!.state.kind, "running");
});

test("A.17.21: a reset says what it did, and the next message begins anew", async (t) => {
  const scene = chatScene(t);
  assert.deepEqual(await scene.broker.reset("200", "7"), {
    done: false,
    reason: "There is no conversation here",
  });
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  assert.deepEqual(await scene.broker.reset("200", "7"), { done: true });
  assert.equal(scene.state().conversations.get("200")!.sessionId, undefined);
  assert.deepEqual(scene.agents, ["open 200", "close 200"]);
  scene.hear("m2", "two");
  await scene.until("it is asked again", () => scene.prompts.length === 2);
  assert.equal(scene.prompts[1]!.text, "two");
});

test("a disk that is full at the end of a turn: the turn is over when that is written, and overtaken by none", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.hear("m2", "two");
  scene.disk.isFull = true;
  scene.prompts[0]!.end(done("the first answer"));
  await scene.clock.sleeping((all) => all.includes(5_000));
  assert.equal(scene.prompts.length, 1);
  assert.ok(
    scene.seen.every(({ state }) => state.kind !== "done"),
    "nobody is told what is not kept",
  );
  scene.disk.isFull = false;
  scene.clock.advance(5_000);
  await scene.until("the next is asked", () => scene.prompts.length === 2);
  const { untold } = scene.state().conversations.get("200")!;
  assert.deepEqual(untold.map(({ ending }) => ending!.text), ["the first answer"]);
  assert.equal(scene.prompts[1]!.text, "two");
});

test("a disk that is full when a turn is to begin: it begins when there is room, without another message", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  scene.hear("m2", "two");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.hear("m3", "three");
  scene.prompts[0]!.end(done("x"));
  scene.disk.isFull = true;
  await scene.clock.sleeping((all) => all.includes(5_000));
  scene.disk.isFull = false;
  scene.clock.advance(5_000);
  await scene.until("the next is asked", () => scene.prompts.length === 2);
});

test("an agent that was opened for a place that was given up is ended", async (t) => {
  const opened = Promise.withResolvers<void>();
  const scene = chatScene(t, { opening: () => opened.promise });
  const taking = scene.sessions.take("200", { signal: AbortSignal.timeout(60_000), onAhead() {} });
  await scene.sessions.close("200");
  opened.resolve();
  assert.deepEqual(await taking, { aborted: true });
  assert.deepEqual(scene.agents, ["open 200", "close 200"]);
  const other = Promise.withResolvers<void>();
  const second = chatScene(t, { opening: () => other.promise });
  const late = second.sessions.take("200", { signal: AbortSignal.timeout(60_000), onAhead() {} });
  const ended = second.sessions[Symbol.asyncDispose]();
  other.resolve();
  await Promise.all([ended, late]);
  assert.deepEqual(second.agents, ["open 200", "close 200"]);
});

test("a turn without a word is a failure that says so", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.prompts[0]!.end(done("  "));
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const { ending } = scene.state().conversations.get("200")!.untold[0]!;
  assert.deepEqual([ending!.end, ending!.failure!.kind], ["failed", "nothing-said"]);
});

test("an agent that stops by itself is said to have done so, and leaves no tool running", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "make it");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.prompts[0]!.hooks.onTool({ id: "a", title: "make", status: "running" });
  scene.prompts[0]!.end({ kind: "cancelled", text: "" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const { state, tools } = scene.seen.at(-1)!;
  assert.deepEqual(state, { kind: "cancelled", by: "the agent itself" });
  assert.deepEqual(tools.map(({ status }) => status), ["failed"]);
});

test("a turn that ends without a word because somebody said no is no failure", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "make it");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  scene.broker.asking("200", undefined, { what: "make", answer: "deny", by: "discord:7" });
  scene.prompts[0]!.end(done(""));
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.equal(scene.seen.at(-1)!.state.kind, "cancelled");
  scene.hear("m2", "and now?");
  await scene.until("it is asked again", () => scene.prompts.length === 2);
  scene.prompts[1]!.end(done(""));
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.equal(scene.seen.at(-1)!.state.kind, "failed");
});
