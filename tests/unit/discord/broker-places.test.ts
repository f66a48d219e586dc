import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrokerPlaces } from "../../../lib/discord/broker-places.ts";
import { channel, memoryDiscord, unreachable } from "../../support/discord-rest.ts";

function scene() {
  const discord = memoryDiscord();
  const add = (one: ReturnType<typeof channel>) => void discord.channels.set(one.id, one);
  return { discord, add, places: createBrokerPlaces(discord.rest) };
}

test("a thread is told apart from a channel of a category, and has its parent's permission", async () => {
  const { places, add } = scene();
  const parent = channel("2", "in a category", "", "1", "9");
  add({ ...parent, type: 0 });
  for (const [id, type] of [["10", 10], ["11", 11], ["12", 12]] as const) {
    add({ ...channel(id, "thread", "", "1", "2"), type, ownerId: "5" });
  }
  assert.deepEqual(await places.of("2"), {
    channelId: "2",
    threadId: undefined,
    isDirect: false,
    threadOwner: undefined,
    guildId: "1",
  });
  for (const id of ["10", "11", "12"]) {
    const place = await places.of(id);
    assert.deepEqual([place.channelId, place.threadId, place.threadOwner], ["2", id, "5"]);
  }
});

test("direct messages, of one person and of a group, are of no server", async () => {
  const { places, add } = scene();
  for (const [id, type] of [["21", 1], ["23", 3]] as const) {
    const { guildId: _, ...direct } = channel(id, "");
    add({ ...direct, guildId: undefined, type });
    const place = await places.of(id);
    assert.deepEqual([place.isDirect, place.guildId], [true, undefined]);
  }
});

test("a place is asked for once; what the gateway tells of it needs no question", async () => {
  const { places, discord, add } = scene();
  add(channel("1", "lab"));
  await places.of("1");
  await places.of("1");
  places.hear({ type: "thread-changed", thread: channel("7", "thread", "", "1", "1") });
  places.hear({ type: "channel-changed", channel: channel("8", "other") });
  places.learn("9", "1", "5");
  assert.equal((await places.of("7")).channelId, "1");
  assert.equal((await places.of("8")).channelId, "8");
  assert.deepEqual([(await places.of("9")).threadOwner, (await places.of("9")).guildId], [
    "5",
    (await places.of("1")).guildId,
  ]);
  assert.deepEqual(discord.calls, ["channel"]);
});

test("a deleted channel is asked for again, and an outage is told and not remembered", async () => {
  const { places, discord, add } = scene();
  add(channel("1", "lab"));
  await places.of("1");
  places.hear({ type: "channel-deleted", id: "1", guildId: "1" });
  discord.fail = () => {
    throw unreachable();
  };
  await assert.rejects(places.of("1"), /Cannot reach Discord/);
  discord.fail = () => {};
  assert.equal((await places.of("1")).channelId, "1");
});

test("two thousand places are known, the oldest are let go", async () => {
  const { places, discord, add } = scene();
  add(channel("0", "first"));
  await places.of("0");
  for (let id = 1; id <= 2_000; id++) places.learn(`${id}`, "0", "9");
  await places.of("2000");
  assert.deepEqual(discord.calls, ["channel"]);
  await places.of("0");
  assert.deepEqual(discord.calls, ["channel", "channel"]);
});
