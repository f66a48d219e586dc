import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChatScene, chatScene, inThread } from "../../support/chat-scene.ts";

const DAY = 86_400_000;

/** Said in a thread, and answered. */
async function talk(scene: ChatScene, id: string, thread = "200"): Promise<void> {
  const before = scene.prompts.length;
  scene.hear(id, id, inThread(thread));
  await scene.until(`${id} is asked`, () => scene.prompts.length === before + 1);
  scene.prompts.at(-1)!.end({ kind: "done", text: "ok" });
  await scene.until(`${id} is over`, () => scene.broker.turns().length === 0);
}

test("B.76, B.78: an agent without work for its time ends; its conversation does not, and the next word begins another", async (t) => {
  const scene = chatScene(t);
  await talk(scene, "m1");
  scene.clock.advance(DAY - 60_000);
  await scene.until("it lives", () => scene.sessions.find("200") !== undefined);
  scene.clock.advance(120_000);
  await scene.until("it ended", () => scene.agents.at(-1) === "close 200");
  assert.equal(scene.state().conversations.get("200")!.sessionId, "agent-200");
  await talk(scene, "m2");
  assert.deepEqual(scene.agents, ["open 200", "close 200", "open 200"]);
});

test("B.81: with all places taken the agent that has been idle longest gives way, one that works does not", async (t) => {
  const scene = chatScene(t, { limit: 2 });
  await talk(scene, "m1", "201");
  scene.clock.advance(1_000);
  await talk(scene, "m2", "202");
  scene.clock.advance(1_000);
  await talk(scene, "m3", "203");
  assert.deepEqual(scene.agents, ["open 201", "open 202", "close 201", "open 203"]);
  scene.hear("m4", "work", inThread("202"));
  await scene.until("it works", () => scene.prompts.length === 4);
  scene.hear("m5", "more", inThread("204"));
  await scene.until("another is asked", () => scene.prompts.length === 5);
  assert.deepEqual(scene.agents.slice(4), ["close 203", "open 204"]);
});

test("A.17.21: a reset of a conversation whose agent sleeps forgets it, and says so", async (t) => {
  const first = chatScene(t);
  await talk(first, "m1");
  const scene = chatScene(t, { journal: first.journal });
  const one = () => scene.state().conversations.get("200")!;
  assert.deepEqual([scene.agents, one().sessionId], [[], "agent-200"]);
  assert.deepEqual(await scene.broker.reset("200", "discord:7"), { done: true });
  assert.deepEqual([scene.agents, one().sessionId, one().closed], [[], undefined, "reset"]);
});

test("B.83: the agent's own id of a conversation is on disk before it has answered", async (t) => {
  const scene = chatScene(t);
  scene.hear("m1", "hello");
  await scene.until("it is asked", () => scene.prompts.length === 1);
  assert.deepEqual(scene.journal.filter(({ type }) => type === "session-known"), [
    { type: "session-known", conversation: "200", sessionId: "agent-200" },
  ]);
});

test("B.84: however much is wanted of a conversation at once, one agent is started for it", async (t) => {
  const scene = chatScene(t);
  const { signal } = new AbortController();
  const asked = [scene.hear("m1", "one"), scene.hear("m2", "two")];
  const options = [1, 2].map(() => scene.broker.options("200", signal));
  assert.deepEqual(asked, [true, true]);
  await Promise.all(options);
  await scene.until("it is asked", () => scene.prompts.length === 1);
  scene.prompts[0]!.end({ kind: "done", text: "ok" });
  await scene.until("the next is asked", () => scene.prompts.length === 2);
  assert.deepEqual(scene.agents, ["open 200"]);
});
