import assert from "node:assert/strict";
import { test } from "node:test";
import type { Turn } from "../../../lib/chat/turn.ts";
import { SIGN_TIMING } from "../../../lib/chat/signs.ts";
import { createBrokerSigns } from "../../../lib/discord/broker-signs.ts";
import { createPoolMarks } from "../../../lib/discord/pool-marks.ts";
import { brokerMemoryInRam } from "../../support/broker-memory-in-ram.ts";
import { chatScene } from "../../support/chat-scene.ts";
import { channel, memoryDiscord } from "../../support/discord-rest.ts";

test("a turn that is over before its first sign is set keeps only its last one", async (t) => {
  const chat = chatScene(t);
  const discord = memoryDiscord();
  discord.channels.set("200", channel("200", "thread", "", "1", "100"));
  const { id } = discord.say("200", "hello");
  chat.hear(id, "hello");
  const common = { rest: discord.rest, clock: chat.clock, log() {} };
  discord.rest.unreact = (_, message, emoji) => {
    const one = discord.messages.find((one) => one.id === message)!;
    one.reactions = one.reactions.filter((each) => each !== emoji);
    return Promise.resolve();
  };
  const { react } = discord.rest;
  discord.rest.react = async (place, message, emoji) => {
    // The first sign is long on its way.
    for (let i = 0; emoji === "👀" && i < 20; i++) await new Promise((next) => setImmediate(next));
    await react(place, message, emoji);
  };
  const marks = createPoolMarks({ ...common, random: () => 0 });
  const memory = brokerMemoryInRam();
  const timing = { ...SIGN_TIMING };
  const signs = createBrokerSigns({
    ...{ ...common, memory, isMarked: marks.leave },
    style: () => ({ enabled: true, removeAfterReply: false, emojis: {}, timing }),
    find: (one) => chat.state().conversations.get(one),
  });
  t.after(() => signs[Symbol.asyncDispose]());
  const turn = { id: "200-1", conversation: "200", messages: [id], tools: [] } as unknown as Turn;
  // As when it is stored: the turn is shown first.
  signs.show({ ...turn, state: { kind: "done" } });
  marks.set({ channelId: "200", messageId: id, emoji: "👀" });
  await chat.until("it is seen to", () => Object.keys(memory.read().signs).length === 0);
  assert.equal(marks.waiting(), 0);
  // What is on its way arrives.
  await marks[Symbol.asyncDispose]();
  assert.deepEqual(discord.messages[0]!.reactions, ["🆗"]);
});
