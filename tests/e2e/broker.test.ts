import assert from "node:assert/strict";
import { test } from "node:test";
import { brokerScene } from "../support/broker-scene.ts";

test("a mention gets 👀, a thread with a title, an answer and 🆗; a follow-up needs no mention", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  scene.start();
  await scene.ready();
  const asked = scene.mention("hello there");
  await scene.until("it is stored", () => asked.reactions.has("👀"));
  const thread = await scene.thread(asked);
  assert.equal(thread.name, "hello there");
  await scene.until("the answer", () => /You said/.test(discord.transcript(thread)));
  await scene.until("its sign", () => asked.reactions.has("🆗"));
  await scene.until("the other signs are gone", () => asked.reactions.size === 1);
  const [answer] = scene.answers(thread);
  assert.match(answer!.content, /^You said hello there/);
  assert.equal(scene.answers(thread).length, 1, "one message that grew");
  discord.say(scene.alice, thread, "and now?");
  await scene.until("the second", () => /You said and now\?/.test(discord.transcript(thread)));
  assert.equal(scene.prompts().length, 2);
  assert.equal(new Set(scene.prompts().map(({ pid }) => pid)).size, 1, "the same agent");
  assert.match(scene.prompts()[0]!.text, /<herd-sender[\s\S]*"alice"/);
  assert.deepEqual(discord.violations, []);
});
