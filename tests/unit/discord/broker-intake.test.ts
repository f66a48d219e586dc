import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { BotRules } from "../../../lib/chat/broker-config.ts";
import { RULE_DEFAULTS } from "../../../lib/chat/broker-defaults.ts";
import { createBrokerIntake } from "../../../lib/discord/broker-intake.ts";
import { createBrokerPlaces } from "../../../lib/discord/broker-places.ts";
import { createBrokerRoom } from "../../../lib/discord/broker-room.ts";
import { idOfTime } from "../../../lib/discord/snowflake.ts";
import type { Message } from "../../../lib/discord/message.ts";
import { brokerMemoryInRam } from "../../support/broker-memory-in-ram.ts";
import { chatScene } from "../../support/chat-scene.ts";
import { BOT, channel, memoryDiscord, unreachable } from "../../support/discord-rest.ts";

/** Channels, and threads with their parents; 300 is a sweep's. */
const THREADS = [["100"], ["300"], ["200", "100"], ["310", "300"]] as const;

function scene(
  t: TestContext,
  rules: Partial<BotRules> = {},
  memory = brokerMemoryInRam(),
) {
  const chat = chatScene(t);
  const discord = memoryDiscord();
  for (const [id, parent] of THREADS) {
    discord.channels.set(id, { ...channel(id, "lab", "", "1", parent), ownerId: BOT });
  }
  const all: BotRules = { ...RULE_DEFAULTS, channels: ["100"], users: ["1"], ...rules };
  const places = createBrokerPlaces(discord.rest);
  const room = createBrokerRoom({
    memory,
    rules: () => all,
    calledByRole: () => false,
    onOwed() {},
  });
  const marks: string[] = [];
  const intake = createBrokerIntake({
    broker: chat.broker,
    rules: () => all,
    emojis: () => ({ queued: "👀", denied: "🚫" }),
    rest: discord.rest,
    places,
    room,
    memory,
    reactions: { add: ({ messageId }, emoji) => void marks.push(`${emoji} ${messageId}`) },
    clock: chat.clock,
    random: () => 0,
    me: () => BOT,
    isSweeps: (id) => id === "300",
    hasConversation: (id) => chat.state().conversations.has(id),
    guilds: () => ["1"],
    threads: () => [{ id: "200", since: "1" }],
    queued: () =>
      [...chat.state().conversations.values()].flatMap(({ waiting }) =>
        waiting.map(({ arrival }) => arrival)
      ),
    audit() {},
    log() {},
  });
  t.after(() => intake[Symbol.asyncDispose]());
  const mentions = { users: [BOT], roles: [], everyone: false };
  const say = (place: string, content: string, more: Partial<Message> = {}) =>
    discord.say(place, content, { mentions, ...more });
  const heard = () =>
    chat.journal.flatMap((one) => one.type === "message-heard" ? [one.arrival.content] : []);
  return { ...chat, discord, intake, marks, memory, say, heard, places };
}

test("A.17.18: a message is acknowledged when it is stored, before anything of it is fetched", async (t) => {
  const { intake, say, marks, heard, discord } = scene(t);
  const message = say("100", "hello");
  intake.hear(message);
  await intake.settled();
  assert.deepEqual(heard(), ["hello"]);
  assert.deepEqual(marks, [`👀 ${message.id}`]);
  assert.ok(!discord.calls.includes("message"));
});

test("a disk that is full acknowledges nothing; the message is taken when there is room", async (t) => {
  const chat = scene(t);
  const { broker, intake, say, marks, heard, clock, until } = chat;
  const { accept } = broker;
  let isFull = true;
  broker.accept = (...given) => {
    if (isFull) throw new Error("no space");
    return accept(...given);
  };
  intake.hear(say("100", "hello"));
  await intake.settled();
  intake.hear(say("100", "hello again"));
  await intake.settled();
  assert.deepEqual([heard(), marks], [[], []]);
  const told = () => chat.discord.texts("100").filter((text) => /cannot store/.test(text)).length;
  assert.equal(told(), 1, "it is said, and once");
  // What is heard and need not be stored hides nothing that could not be.
  intake.hear(say("100", "I cannot store", {
    author: { id: BOT, name: "herd", bot: true, webhook: false },
  }));
  await intake.settled();
  isFull = false;
  await clock.sleeping((all) => all.some((ms) => ms <= 2_000));
  clock.advance(2_000);
  await until("both are taken", () => heard().length === 2);
  assert.equal(marks.length, 2);
});

test("messages of bots that are read again after a restart are not counted again", async (t) => {
  const bots = { botMessages: "all", trustedBots: ["55"] } as const;
  const memory = brokerMemoryInRam();
  const { intake, say } = scene(t, bots, memory);
  const author = { id: "55", name: "other", bot: true, webhook: false };
  for (let i = 0; i < 5; i++) intake.hear(say("200", "more", { author }));
  await intake.settled();
  assert.equal(memory.read().turns["200"]!.count, 5);
  const next = scene(t, bots, memory);
  // The same ids: another world of the same messages.
  for (let i = 0; i < 5; i++) next.intake.hear(next.say("200", "more", { author }));
  await next.intake.settled();
  assert.equal(memory.read().turns["200"]!.count, 5);
  next.intake.hear(next.say("200", "new", { author, id: "99999" }));
  await next.intake.settled();
  assert.equal(memory.read().turns["200"]!.count, 6);
});

test("what was said in a thread before it was known, as its maker was killed, is heard", async (t) => {
  const { intake, say, heard } = scene(t);
  intake.catchUp();
  await intake.settled();
  const more = say("200", "into the fresh thread");
  // The gateway told of it to a life that has ended.
  intake.placed("200");
  await intake.settled();
  assert.deepEqual(heard(), ["into the fresh thread"]);
  intake.hear(more);
  await intake.settled();
  assert.equal(heard().length, 1);
});

test("the bot's own message in a thread hides nothing that was said there while it was away", async (t) => {
  const { intake, say, heard } = scene(t);
  say("200", "while it was away");
  intake.catchUp();
  // Before the thread was read.
  intake.hear(say("200", "…", { author: { id: BOT, name: "herd", bot: true, webhook: false } }));
  await intake.settled();
  assert.deepEqual(heard(), ["while it was away"]);
});

test("A.17.22, C.14: told twice, or by the gateway and by reading, a message is one", async (t) => {
  const { intake, say, heard } = scene(t);
  const message = say("100", "hello");
  intake.hear(message);
  intake.hear(message);
  intake.catchUp();
  await intake.settled();
  assert.deepEqual(heard(), ["hello"]);
});

test("after a gap it is found where it was called for the first time, in a thread of people", async (t) => {
  const { intake, say, heard, discord } = scene(t);
  discord.channels.set("250", channel("250", "of people", "", "1", "100"));
  discord.channels.set("350", channel("350", "elsewhere", "", "1", "900"));
  say("250", "before it came");
  intake.hear(say("100", "first"));
  await intake.settled();
  say("250", "come here");
  say("350", "and here");
  intake.catchUp();
  await intake.settled();
  assert.deepEqual(heard(), ["first", "come here"]);
  intake.catchUp();
  await intake.settled();
  assert.deepEqual(heard(), ["first", "come here"]);
});

test("C.14: after a gap the channel and its threads are read, in order, each message once", async (t) => {
  const { intake, say, heard } = scene(t);
  intake.hear(say("100", "first"));
  await intake.settled();
  say("100", "missed one");
  say("100", "missed two");
  say("200", "in the thread");
  intake.catchUp();
  await intake.settled();
  assert.deepEqual(heard(), ["first", "missed one", "missed two", "in the thread"]);
  intake.catchUp();
  await intake.settled();
  assert.equal(heard().length, 4);
});

test("what was said before the bot came is answered by nobody", async (t) => {
  const { intake, say, heard } = scene(t);
  say("100", "old words");
  intake.catchUp();
  await intake.settled();
  assert.deepEqual(heard(), []);
  say("100", "new words");
  intake.catchUp();
  await intake.settled();
  assert.deepEqual(heard(), ["new words"]);
});

test("what is said while the bot comes for the first time is found again by its next life", async (t) => {
  const { intake, say, heard, discord, memory, clock } = scene(t);
  const now = idOfTime(clock.now() + 5);
  intake.catchUp();
  const message = say("100", "just now", { id: now });
  discord.fail = (call) => {
    // This life ends before it can take anything.
    if (call === "channel") throw unreachable();
  };
  await intake.settled();
  assert.deepEqual(heard(), []);
  assert.ok(BigInt(memory.read().seen["100"]!) < BigInt(message.id));
});

test("a channel that is named is read however many threads there are", async (t) => {
  const { intake, memory, say, heard } = scene(t);
  const old = Array.from({ length: 150 }, (_, i) => [`${5_000 + i}`, "1"]);
  memory.write({ seen: { "100": "1", ...Object.fromEntries(old) } });
  say("100", "while it was away");
  intake.catchUp();
  await intake.settled();
  assert.deepEqual(heard(), ["while it was away"]);
});

test("while Discord does not say where something was said nothing is lost", async (t) => {
  const { intake, say, heard, discord, clock, until } = scene(t);
  discord.fail = (call) => {
    if (call === "channel" || call === "messages") throw unreachable();
  };
  intake.hear(say("100", "hello"));
  await intake.settled();
  assert.deepEqual(heard(), []);
  discord.fail = () => {};
  await clock.sleeping((all) => all.some((ms) => ms <= 2_000));
  clock.advance(2_000);
  await until("it is heard", () => heard().length === 1);
});

test("A.17.28: what the gateway told of a channel is not asked for", async (t) => {
  const { intake, say, heard, discord, places } = scene(t);
  places.hear({ type: "channel-changed", channel: channel("100", "lab") });
  for (const n of [1, 2, 3]) intake.hear(say("100", `word ${n}`));
  await intake.settled();
  assert.equal(heard().length, 3);
  assert.ok(!discord.calls.includes("channel"));
});

test("B.20, B.21: the denied get 🚫 and nothing else; a sweep's channel is the sweep's", async (t) => {
  const { intake, say, heard, marks } = scene(t);
  const eve = say("100", "let me in", { author: { id: "66" } } as never);
  intake.hear(eve);
  intake.hear(say("300", "status"));
  await intake.settled();
  assert.deepEqual(heard(), []);
  assert.deepEqual(marks, [`🚫 ${eve.id}`]);
});

test("B.22, B.59: direct messages are one conversation, where the rules allow them", async (t) => {
  const { intake, say, state, discord } = scene(t, { directMessages: true });
  discord.channels.set("700", { ...channel("700", ""), guildId: undefined, type: 1 });
  const none = { mentions: { users: [], roles: [], everyone: false } };
  intake.hear(say("700", "one", { guildId: undefined, ...none }));
  intake.hear(say("700", "two", { guildId: undefined, ...none }));
  await intake.settled();
  assert.deepEqual([...state().conversations.keys()], ["700"]);
  assert.equal(state().conversations.get("700")!.place.isDirect, true);
});

test("what was deleted before it could be taken is not taken", async (t) => {
  const { intake, say, heard } = scene(t);
  const message = say("100", "never mind");
  intake.deleted(message.id);
  intake.hear(message);
  await intake.settled();
  assert.deepEqual(heard(), []);
});

test("what waits is looked at after a gap: it may have been changed or deleted meanwhile", async (t) => {
  const { intake, say, state, until, prompts, discord } = scene(t);
  const in200 = (text: string) => say("200", text);
  intake.hear(in200("first"));
  await until("a turn runs", () => prompts.length === 1);
  const [two, three] = [in200("two"), in200("three")];
  intake.hear(two);
  intake.hear(three);
  await intake.settled();
  discord.messages.find(({ id }) => id === two.id)!.content = "two, mended";
  discord.messages.splice(discord.messages.findIndex(({ id }) => id === three.id), 1);
  intake.catchUp();
  await intake.settled();
  const { waiting } = state().conversations.get("200")!;
  assert.deepEqual(waiting.map(({ arrival }) => arrival.content), ["two, mended"]);
});

test("a sweep's channel is the sweep's; a thread below it becomes a conversation by a mention", async (t) => {
  const { intake, say, heard } = scene(t, { channels: ["300"] });
  const unasked = { mentions: { users: [], roles: [], everyone: false } };
  intake.hear(say("300", "status"));
  // herd itself made this thread and has written in it.
  intake.hear(
    say("310", "the log", {
      author: { id: BOT, bot: true, name: "herd", webhook: false },
      ...unasked,
    }),
  );
  intake.hear(say("310", "people talk", unasked));
  await intake.settled();
  assert.deepEqual(heard(), []);
  intake.hear(say("310", "look at this"));
  await intake.settled();
  intake.hear(say("310", "and at that", unasked));
  await intake.settled();
  assert.deepEqual(heard(), ["look at this", "and at that"]);
});

test("a word that is heard before a gap is looked into hides nothing that was said there before it", async (t) => {
  const { intake, say, heard, discord } = scene(t);
  discord.channels.set("250", channel("250", "of people", "", "1", "100"));
  intake.hear(say("100", "first"));
  await intake.settled();
  say("250", "come here");
  const live = say("250", "are you there?");
  intake.catchUp();
  intake.hear(live);
  await intake.settled();
  assert.deepEqual(heard().toSorted(), ["are you there?", "come here", "first"]);
});
