import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatHappening } from "../../../lib/chat/chat-event.ts";
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

test("what is said during a turn is the next turn, all of it, in order", async (t) => {
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

test("messages that wait can be changed and withdrawn; what a turn has cannot", async (t) => {
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

test("A.17.5: a turn that an end of herd interrupted is carried out by its next life, once", async (t) => {
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
  assert.deepEqual(scene.state().conversations.get("200")!.untold.map(({ id }) => id), ["200-2"]);
});

test("a turn in which herd died three times is given up with a word", async (t) => {
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

test("an orderly end of herd in mid-turn leaves the turn for its next life", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "one");
  await scene.until("the agent is asked", () => scene.prompts.length === 1);
  await scene.broker[Symbol.asyncDispose]();
  const one = scene.state().conversations.get("200")!;
  assert.equal(one.waiting.length, 1);
  assert.deepEqual(one.untold, []);
});

test("A.17.8: with all places taken a conversation waits its turn and is told how many are before it", async (t) => {
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

test("A.17.8: a silent agent is shown as stuck, keeps nobody waiting, and may go on", async (t) => {
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

test("a tool that runs may be silent for longer, and text counts as life", async (t) => {
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
