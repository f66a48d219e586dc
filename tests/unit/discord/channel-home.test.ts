import assert from "node:assert/strict";
import { test } from "node:test";
import { createChannelHome } from "../../../lib/discord/channel-home.ts";
import type { ChannelHome } from "../../../lib/discord/channel-home.ts";
import { channelName, channelNames } from "../../../lib/discord/channel-name.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import type { ChannelMemory } from "../../../lib/discord/memory.ts";
import type { DiscordSettings } from "../../../lib/sweep/config.ts";
import { channel, GUILD, memoryDiscord, memoryInRam } from "../../support/discord-rest.ts";
import type { MemoryDiscord } from "../../support/discord-rest.ts";
import { randomText, seeded } from "../../support/random-text.ts";

const SETTINGS: DiscordSettings = {
  guildId: GUILD,
  channelId: undefined,
  channelName: undefined,
  dashboardRefreshSeconds: 60,
  operators: undefined,
  viewers: undefined,
};

function home(
  discord: MemoryDiscord,
  memory: ChannelMemory,
  { taken = [], ...more }: Partial<DiscordSettings> & { taken?: string[] } = {},
): ChannelHome {
  return createChannelHome({
    sweep: "lr sweep",
    mark: memory.read().mark,
    guildId: GUILD,
    settings: () => ({ ...SETTINGS, ...more }),
    rest: discord.rest,
    memory,
    isTaken: (id) => taken.includes(id),
    onFound: () => {},
  });
}

const find = (one: ChannelHome) => one.find(AbortSignal.timeout(5_000));
const names = (discord: MemoryDiscord) => [...discord.channels.values()].map(({ name }) => name);

test("it is made when it is missing, once, and found again by id, by mark and by name", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam();
  const first = home(discord, memory);
  const [id, same] = await Promise.all([find(first), find(first)]);
  assert.equal(id, same);
  assert.deepEqual(names(discord), ["lr-sweep"]);
  assert.match(discord.channels.get(id)!.topic, /\[herd:abc123\]$/);
  assert.equal(await find(home(discord, memory)), id);
  discord.channels.set(id, { ...discord.channels.get(id)!, name: "renamed-by-people" });
  assert.equal(await find(home(discord, memory)), id, "by its id");
  assert.equal(await find(home(discord, memoryInRam())), id, "by its mark");
  assert.equal(discord.calls.filter((one) => one === "createChannel").length, 1);
});

test("E.6: two sweeps of one name never share a channel", async () => {
  const discord = memoryDiscord();
  const one = await find(home(discord, memoryInRam()));
  const other = await find(home(discord, memoryInRam({ mark: "other1" })));
  assert.notEqual(one, other);
  assert.deepEqual(names(discord), ["lr-sweep", "lr-sweep-2"]);
});

test("one that people made beforehand is taken, and keeps its topic", async () => {
  const discord = memoryDiscord();
  discord.channels.set("7", channel("7", "lr-sweep", "our experiment"));
  const before = discord.say("7", "hello");
  const memory = memoryInRam();
  assert.equal(await find(home(discord, memory)), "7");
  assert.equal(discord.channels.get("7")!.topic, "our experiment [herd:abc123]");
  assert.equal(memory.read().seen, before.id, "what was said before was said to nobody");
});

test("without the right to mark it, it is used unmarked; without the right to make one, the remedy is named", async () => {
  const discord = memoryDiscord();
  discord.channels.set("7", channel("7", "lr-sweep"));
  discord.fail = (call) => {
    if (call === "editChannel" || call === "createChannel") {
      throw new DiscordError("Missing Permissions", { kind: "forbidden", code: 50013 });
    }
  };
  assert.equal(await find(home(discord, memoryInRam())), "7");
  discord.channels.clear();
  await assert.rejects(
    find(home(discord, memoryInRam())),
    /Cannot create the channel "lr-sweep".*Manage Channels.*discord\.channel_id/,
  );
});

test("channel_id is that channel or none", async () => {
  const discord = memoryDiscord();
  discord.channels.set("7", channel("7", "elsewhere", "", "999"));
  discord.channels.set("8", { ...channel("8", "voice"), type: 2 });
  discord.channels.set("9", channel("9", "good"));
  const at = (channelId: string, taken: string[] = []) =>
    find(home(discord, memoryInRam(), { channelId, taken }));
  await assert.rejects(at("7"), /is not in the server/);
  await assert.rejects(at("8"), /is no text channel/);
  await assert.rejects(at("9", ["9"]), /another sweep of this daemon is in it/);
  await assert.rejects(at("6"), /Unknown Channel/);
  assert.equal(await at("9"), "9");
});

test("a channel that was deleted is made anew, and what was known of the old one is forgotten", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam();
  const one = home(discord, memory);
  const id = await find(one);
  memory.write({ dashboardId: "55", threads: { 3: "66" } });
  discord.channels.delete(id);
  one.lose();
  const again = await find(one);
  assert.notEqual(again, id);
  assert.deepEqual([memory.read().dashboardId, memory.read().threads], [undefined, {}]);
});

test("a name is what Discord keeps of it, and never empty", () => {
  assert.equal(channelName("MNIST Sweep_v2"), "mnist-sweep_v2");
  assert.equal(channelName("!!!"), "herd");
  assert.equal(channelName("Größe 10%"), "größe-10");
  for (let seed = 0; seed < 300; seed++) {
    for (const name of [...channelNames(randomText(seeded(seed), 6))].slice(0, 3)) {
      assert.ok(name.length >= 1 && name.length <= 100, name);
      assert.doesNotMatch(name, /[\s@#:`A-Z]/);
      assert.ok(name.isWellFormed());
    }
  }
});
