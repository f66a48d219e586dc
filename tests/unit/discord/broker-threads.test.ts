import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conversation } from "../../../lib/chat/chat-state.ts";
import { createBrokerPlaces } from "../../../lib/discord/broker-places.ts";
import { createBrokerThreads } from "../../../lib/discord/broker-threads.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { arrival } from "../../support/chat-scene.ts";
import { BOT, channel, memoryDiscord, unreachable } from "../../support/discord-rest.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const SIGNAL = new AbortController().signal;

function scene() {
  const discord = memoryDiscord();
  discord.channels.set("100", channel("100", "lab"));
  const places = createBrokerPlaces(discord.rest);
  const clock = createSteppedClock();
  const place = createBrokerThreads({
    ...{ rest: discord.rest, places, clock, random: () => 0 },
    me: () => BOT,
    mark: () => "m",
    titleOf: () => "a title",
    log() {},
  });
  return { discord, places, clock, place };
}

function conversation(threadId: string | undefined, isDirect = false): Conversation {
  const first = arrival("5000", "hello", {
    place: { channelId: "100", threadId, isDirect, threadOwner: undefined, guildId: "1" },
  });
  return { id: "5000", place: first.place, first } as Conversation;
}

function refused(code: number): DiscordError {
  return new DiscordError("no", { kind: code === 160004 ? "rejected" : "forbidden", code });
}

test("B.54, B.58, B.59: a message becomes a thread of the bot's own; a thread and direct messages stay where they are", async () => {
  const { place, places } = scene();
  assert.deepEqual(await place(conversation(undefined), SIGNAL), {
    channelId: "5000",
    replies: false,
  });
  assert.equal((await places.of("5000")).threadOwner, BOT);
  assert.equal((await place(conversation("77"), SIGNAL)).channelId, "77");
  assert.equal((await place(conversation(undefined, true), SIGNAL)).channelId, "100");
});

test("B.56, C.13: 160004: the thread that a sibling has made is joined", async () => {
  const { place, discord } = scene();
  discord.fail = (call) => {
    if (call === "startThread") throw refused(160004);
  };
  assert.deepEqual(await place(conversation(undefined), SIGNAL), {
    channelId: "5000",
    replies: false,
  });
});

test("160004: a thread that an earlier life has made is the bot's own, and no mention is needed in it", async () => {
  const { place, places, discord } = scene();
  discord.channels.set("5000", { ...channel("5000", "t", "", "1", "100"), ownerId: BOT });
  discord.fail = (call) => {
    if (call === "startThread") throw refused(160004);
  };
  await place(conversation(undefined), SIGNAL);
  assert.equal((await places.of("5000")).threadOwner, BOT);
});

test("B.57, B.116: where no thread can be made the answers are replies", async () => {
  const { place, discord } = scene();
  discord.fail = (call) => {
    if (call === "startThread") throw refused(50013);
  };
  assert.deepEqual(await place(conversation(undefined), SIGNAL), {
    channelId: "100",
    replies: true,
  });
});

test("C.13: an outage is waited for: a conversation is not put into the channel for good", async () => {
  const { place, discord, clock } = scene();
  let tries = 0;
  discord.fail = (call) => {
    if (call === "startThread" && ++tries < 3) throw unreachable();
  };
  const placed = place(conversation(undefined), SIGNAL);
  for (const n of [1, 2]) {
    await clock.sleeping((all) => all.length === 1 && tries === n);
    clock.advance(10_000);
  }
  assert.deepEqual(await placed, { channelId: "5000", replies: false });
});

function limited(seconds: number): DiscordError {
  return new DiscordError("slow down", { kind: "limited", retryAfterMs: seconds * 1_000 });
}

test("a limit of minutes is told below the message, and what was told goes when the thread is there", async () => {
  const { place, discord, clock } = scene();
  let tries = 0;
  discord.fail = (call) => {
    if (call === "startThread" && ++tries < 3) throw limited(240);
  };
  const placed = place(conversation(undefined), SIGNAL);
  for (const n of [1, 2]) {
    await clock.sleeping((all) => all.length === 1 && tries === n);
    assert.deepEqual(discord.texts("100"), [
      "-# ⏳ Discord allows no new thread for 4 min. The answer comes then.",
    ]);
    clock.advance(240_000);
  }
  assert.deepEqual(await placed, { channelId: "5000", replies: false });
  assert.deepEqual(discord.texts("100"), []);
});

test("a limit of an hour keeps no answer back: it is a reply", async () => {
  const { place, discord } = scene();
  discord.fail = (call) => {
    if (call === "startThread") throw limited(3_600);
  };
  assert.deepEqual(await place(conversation(undefined), SIGNAL), {
    channelId: "100",
    replies: true,
  });
});
