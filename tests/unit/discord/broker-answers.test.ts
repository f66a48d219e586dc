import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { AnswerStyle } from "../../../lib/chat/answer.ts";
import {
  type BrokerAnswersParts,
  createBrokerAnswers,
} from "../../../lib/discord/broker-answers.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { brokerMemoryInRam } from "../../support/broker-memory-in-ram.ts";
import { arrival, chatScene } from "../../support/chat-scene.ts";
import { BOT, channel, memoryDiscord, unreachable } from "../../support/discord-rest.ts";

const STYLE: AnswerStyle = { tools: "none", tables: "off", footer: [] };

function scene(t: TestContext, more: Partial<BrokerAnswersParts> = {}) {
  const chat = chatScene(t);
  const discord = memoryDiscord();
  discord.channels.set("200", channel("200", "thread", "", "1", "100"));
  const parts: BrokerAnswersParts = {
    broker: chat.broker,
    state: chat.state,
    rest: discord.rest,
    memory: brokerMemoryInRam(),
    clock: chat.clock,
    random: () => 0,
    me: () => BOT,
    style: () => STYLE,
    streams: () => true,
    siblings: () => [],
    log() {},
    ...more,
  };
  const answers = createBrokerAnswers(parts);
  chat.broker.onTurn(answers.show);
  t.after(() => answers[Symbol.asyncDispose]());
  const asked = async (id = "1", n = 1) => {
    chat.hear(id, "hello");
    await chat.until("the agent is asked", () => chat.prompts.length === n);
    return chat.prompts.at(-1)!;
  };
  return { ...chat, discord, parts, answers, asked, texts: () => discord.texts("200") };
}

test("B.91, C.8: an answer grows in one message, first words soon, then at most one edit in 1.5 s, and ends whole", async (t) => {
  const { clock, until, asked, texts, discord } = scene(t);
  const edits = () => discord.calls.filter((call) => call === "edit").length;
  const prompt = await asked();
  await until("a placeholder", () => texts().length === 1);
  prompt.say("first");
  await clock.sleeping((all) => all.includes(250));
  clock.advance(250);
  await until("first words", () => texts()[0]!.startsWith("first"));
  assert.equal(edits(), 1);
  for (let i = 1; i <= 50; i++) prompt.say("word ".repeat(i));
  await clock.sleeping((all) => all.includes(1_500));
  assert.equal(edits(), 1);
  clock.advance(1_500);
  await until("it has grown", () => texts()[0]!.includes("word word"));
  assert.equal(edits(), 2);
  prompt.end({ kind: "done", text: "all of it" });
  await until("the end, without waiting", () => texts()[0] === "all of it");
  assert.equal(texts().length, 1);
});

test("A.17.13: an edit that is under way never comes after the end", async (t) => {
  const { clock, until, asked, texts, discord } = scene(t);
  const { edit } = discord.rest;
  const slow = Promise.withResolvers<void>();
  const order: string[] = [];
  discord.rest.edit = async (place, id, message) => {
    if (order.length === 0) {
      order.push("begun");
      await slow.promise;
    }
    order.push(message.content ?? "");
    return await edit(place, id, message);
  };
  const prompt = await asked();
  await until("a placeholder", () => texts().length === 1);
  prompt.say("half");
  await clock.sleeping((all) => all.includes(250));
  clock.advance(250);
  await until("an edit is under way", () => order.length === 1);
  prompt.end({ kind: "done", text: "the whole" });
  slow.resolve();
  await until("the end", () => order.length === 3);
  assert.deepEqual(order, ["begun", "half", "the whole"]);
  assert.deepEqual(texts(), ["the whole"]);
});

test("a turn that ends while the one before it is being told comes before the one after it", async (t) => {
  const { until, asked, texts, discord } = scene(t);
  const { edit } = discord.rest;
  const slow = Promise.withResolvers<void>();
  let isUnderWay = false;
  discord.rest.edit = async (...given) => {
    isUnderWay = true;
    await slow.promise;
    return await edit(...given);
  };
  const first = await asked("1", 1);
  await until("a placeholder", () => texts().length === 1);
  first.end({ kind: "done", text: "one" });
  await until("it is being told", () => isUnderWay);
  (await asked("2", 2)).end({ kind: "done", text: "two" });
  await asked("3", 3);
  slow.resolve();
  await until("the third is begun", () => texts().length === 3);
  assert.deepEqual(texts(), ["one", "two", "…"]);
});

test("A.17.14, C.8: an end that cannot be shown is shown later, all of it, once", async (t) => {
  const { clock, until, asked, texts, discord, state } = scene(t);
  const prompt = await asked();
  await until("a placeholder", () => texts().length === 1);
  discord.fail = (call) => {
    if (call === "edit" || call === "send") throw unreachable();
  };
  prompt.end({ kind: "done", text: "x".repeat(3_000) });
  await until("it was tried", () => discord.calls.includes("edit"));
  assert.equal(state().conversations.get("200")!.untold.length, 1);
  discord.fail = () => {};
  await clock.sleeping((all) => all.some((ms) => ms > 0 && ms <= 2_000));
  clock.advance(2_000);
  await until("it is told", () => state().conversations.get("200")!.untold.length === 0);
  assert.equal(texts().join("").replaceAll(/[^x]/g, "").length, 3_000);
  assert.equal(texts().length, 2);
});

test("what was being sent when herd was killed is found again, after hours too, and becomes the answer", async (t) => {
  const memory = brokerMemoryInRam();
  const first = scene(t, { memory, streams: () => false });
  const { discord } = first;
  discord.after = (call) => {
    // Discord has it, and this life never hears of it.
    if (call === "send") throw unreachable();
  };
  const prompt = await first.asked();
  prompt.end({ kind: "done", text: "the answer" });
  await first.until("it was sent", () => first.texts().length === 1);
  await first.answers[Symbol.asyncDispose]();
  discord.after = () => {};
  // A nonce is forgotten by then.
  for (const message of discord.messages) delete message.outgoing.nonce;
  const second = createBrokerAnswers({ ...first.parts, memory });
  t.after(() => second[Symbol.asyncDispose]());
  second.start();
  await first.until(
    "it is told",
    () => first.state().conversations.get("200")!.untold.length === 0,
  );
  assert.deepEqual(first.texts(), ["the answer"]);
  assert.deepEqual(memory.read().shown, {});
});

test("what was shown of a killed turn goes when its messages are withdrawn; what was answered stays", async (t) => {
  const shown = (id: string, isWhole?: boolean) => ({ channelId: "200", ids: [id], isWhole });
  const memory = brokerMemoryInRam({ shown: { "200-7": shown("91", true), "200-8": shown("92") } });
  const { discord, hear, until, answers } = scene(t, { memory });
  discord.say("200", "the whole answer", { id: "91", author: { id: BOT } });
  discord.say("200", "half of it", { id: "92", author: { id: BOT } });
  hear("1", "and now");
  answers.start();
  await until("it is gone", () => !discord.texts("200").includes("half of it"));
  await until("both are let go", () => memory.read().shown["200-7"] === undefined);
  assert.ok(discord.texts("200").includes("the whole answer"));
});

test("A.17.23: a message too old for edits gives way to a new one", async (t) => {
  const { until, asked, texts, discord } = scene(t);
  const prompt = await asked();
  await until("a placeholder", () => texts().length === 1);
  discord.fail = (call) => {
    if (call !== "edit") return;
    throw new DiscordError("Too many edits of old messages", {
      kind: "rejected",
      status: 400,
      code: 30046,
    });
  };
  prompt.end({ kind: "done", text: "late but here" });
  await until("a new one", () => texts().includes("late but here"));
  assert.deepEqual(texts(), ["late but here"]);
});

test("a place that is closed keeps back neither the next turn nor another conversation", async (t) => {
  const { until, asked, discord, state, journal } = scene(t);
  const prompt = await asked();
  discord.channels.delete("200");
  prompt.end({ kind: "done", text: "to nobody" });
  await until("it is given up", () => journal.some(({ type }) => type === "turn-told"));
  assert.deepEqual(state().conversations.get("200")!.untold, []);
});

for (const [asked, above] of [[undefined, true], ["200", false]] as const) {
  const whose = above ? "its own thread is given above it" : "a thread of people never leaves it";
  test(`B.57: an answer that may not be written in ${whose}`, async (t) => {
    const { until, broker, prompts, discord, journal } = scene(t);
    discord.channels.set("100", channel("100", "lab"));
    const place = { ...arrival("1", "").place, threadId: asked };
    broker.accept(arrival("1", "hello", { place }), "200");
    await until("the agent is asked", () => prompts.length === 1);
    const { send, edit } = discord.rest;
    const closed = new DiscordError("Missing Permissions", { kind: "forbidden", code: 50013 });
    discord.rest.send = (id, ...rest) => id === "200" ? Promise.reject(closed) : send(id, ...rest);
    discord.rest.edit = (id, ...rest) => id === "200" ? Promise.reject(closed) : edit(id, ...rest);
    prompts[0]!.end({ kind: "done", text: "for somebody" });
    await until("it is over", () => journal.some(({ type }) => type === "turn-told"));
    const [why, answer] = discord.texts("100");
    assert.equal(answer, above ? "for somebody" : undefined);
    assert.equal(/cannot write in <#200>.*Send Messages in Threads/.test(why ?? ""), above);
  });
}

test("B.92: sent once: nothing is seen before the end, and no placeholder is left", async (t) => {
  const { until, asked, texts } = scene(t, { streams: () => false });
  const prompt = await asked();
  prompt.say("half");
  prompt.end({ kind: "done", text: "the whole" });
  await until("the answer", () => texts().length === 1);
  assert.deepEqual(texts(), ["the whole"]);
});

test("A.17.4, B.45, B.98: nobody is pinged but people of the conversation and bots of this herd", async (t) => {
  const { until, asked, discord } = scene(t, { siblings: () => ["55"], streams: () => false });
  const prompt = await asked();
  prompt.end({ kind: "done", text: "@everyone @here <@&1> <@7> <@55> <@666>" });
  await until("the answer", () => discord.messages.length === 1);
  assert.deepEqual(discord.messages[0]!.outgoing.pings, { users: ["7", "55"] });
});

test("B.118, C.9: an answer that calls another bot of this herd comes as a new message: bots hear of no edits", async (t) => {
  const { until, asked, texts, discord } = scene(t, { siblings: () => ["55"] });
  const prompt = await asked();
  await until("a placeholder", () => texts().length === 1);
  const grown = discord.messages[0]!.id;
  prompt.end({ kind: "done", text: "<@55> your turn" });
  await until("the answer", () => texts().includes("<@55> your turn"));
  assert.deepEqual(texts(), ["<@55> your turn"]);
  assert.notEqual(discord.messages[0]!.id, grown);
});
