import assert from "node:assert/strict";
import { test } from "node:test";
import { createDashboard } from "../../../lib/discord/dashboard.ts";
import type { Dashboard } from "../../../lib/discord/dashboard.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import type { ChannelMemory } from "../../../lib/discord/memory.ts";
import {
  BOT,
  channel,
  memoryDiscord,
  memoryInRam,
  unreachable,
} from "../../support/discord-rest.ts";
import type { MemoryDiscord } from "../../support/discord-rest.ts";
import { createHeldTime } from "../../support/held-time.ts";

interface Options {
  discord?: MemoryDiscord;
  memory?: ChannelMemory;
  every?: number;
}

interface Scene {
  discord: MemoryDiscord;
  memory: ChannelMemory;
  dashboard: Dashboard;
  draws(): number;
  boards(): string[];
}

async function withDashboard(use: (scene: Scene) => Promise<void>, options: Options = {}) {
  const { discord = memoryDiscord(), memory = memoryInRam(), every = 60 } = options;
  discord.channels.set("5", channel("5", "lr"));
  let drawn = 0;
  const dashboard = createDashboard({
    rest: discord.rest,
    memory,
    clock: createHeldTime(0).clock,
    random: () => 0,
    channel: () => Promise.resolve("5"),
    onLost: () => {},
    me: () => BOT,
    refreshSeconds: () => every,
    view: (page) => ({ embeds: [{ title: "📊 lr", description: `${drawn++} page ${page}` }] }),
    offline: (why) => ({ embeds: [{ title: "📊 lr", description: `offline: ${why}` }] }),
    nonce: () => `n${drawn}`,
    log: () => {},
  });
  const boards = () =>
    discord.messages.filter(({ title }) => title === "📊 lr").map(({ outgoing }) =>
      outgoing.embeds![0]!.description!
    );
  try {
    await use({ discord, memory, dashboard, draws: () => drawn, boards });
  } finally {
    await dashboard[Symbol.asyncDispose]();
  }
}

const until = async (holds: () => boolean) => {
  for (let i = 0; i < 5_000; i++) {
    if (holds()) return;
    await new Promise((done) => setImmediate(done));
  }
  assert.fail("it never came to pass");
};

test("there is one message, pinned and edited in place, and it says when it goes offline", () =>
  withDashboard(async ({ discord, dashboard, boards, draws }) => {
    dashboard.start();
    await until(() => draws() > 5);
    assert.equal(boards().length, 1);
    assert.equal(discord.pinned.size, 1);
    assert.ok(discord.messages[0]!.edits >= 4);
    await dashboard.goOffline("stopped", AbortSignal.timeout(1000));
    assert.deepEqual(boards(), ["offline: stopped"]);
  }));

test("a restart goes on with the same one, and with one whose id was lost", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam();
  const live = (memory: ChannelMemory) =>
    withDashboard(async ({ dashboard, draws, boards }) => {
      dashboard.start();
      await until(() => draws() > 1);
      assert.equal(boards().length, 1);
    }, { discord, memory });
  await live(memory);
  const { dashboardId } = memory.read();
  await live(memory);
  const forgetful = memoryInRam();
  await live(forgetful);
  assert.equal(forgetful.read().dashboardId, dashboardId);
});

test("of several that were left only the newest stays", async () => {
  const discord = memoryDiscord();
  for (let i = 0; i < 3; i++) {
    await discord.rest.send(
      (discord.channels.set("5", channel("5", "lr")), "5"),
      { embeds: [{ title: "📊 lr" }] },
    );
  }
  await withDashboard(async ({ dashboard, draws, boards }) => {
    dashboard.start();
    await until(() => draws() > 1);
    assert.equal(boards().length, 1);
  }, { discord });
});

test("one that was deleted or may be edited no more is replaced, and one that is only out of reach is not", async () => {
  for (const code of [10008, 50005, 30046]) {
    const discord = memoryDiscord();
    let once = true;
    discord.fail = (call) => {
      if (call !== "edit" || !once) return;
      once = false;
      throw new DiscordError("No", { kind: code === 10008 ? "missing" : "rejected", code });
    };
    await withDashboard(async ({ dashboard, draws, boards }) => {
      dashboard.start();
      await until(() => draws() > 4);
      assert.equal(boards().length, 1, `${code}`);
    }, { discord });
  }
  const discord = memoryDiscord();
  let cuts = 3;
  discord.fail = (call) => {
    if (call === "edit" && cuts-- > 0) throw unreachable();
  };
  await withDashboard(async ({ dashboard, draws, boards }) => {
    dashboard.start();
    await until(() => draws() > 6);
    assert.equal(boards().length, 1);
    assert.equal(discord.calls.filter((one) => one === "send").length, 1);
  }, { discord });
});

test("without the right to pin it is updated all the same, and the pin is tried once", () => {
  const discord = memoryDiscord();
  discord.fail = (call) => {
    if (call === "pin") throw new DiscordError("Missing Permissions", { kind: "forbidden" });
  };
  return withDashboard(async ({ dashboard, draws, boards }) => {
    dashboard.start();
    await until(() => draws() > 3);
    assert.equal(boards().length, 1);
    assert.equal(discord.calls.filter((one) => one === "pin").length, 1);
  }, { discord });
});

test("0 seconds is no dashboard, and takes an old one away", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam();
  await withDashboard(async ({ dashboard, draws }) => {
    dashboard.start();
    await until(() => draws() > 0 && memory.read().dashboardId !== undefined);
  }, { discord, memory });
  await withDashboard(async ({ dashboard, boards, draws }) => {
    dashboard.start();
    await until(() => boards().length === 0);
    assert.equal(draws(), 0);
  }, { discord, memory, every: 0 });
});

test("a page that somebody turned to stays", () =>
  withDashboard(async ({ dashboard, boards, draws }) => {
    dashboard.start();
    await until(() => draws() > 0);
    await dashboard.show(2);
    const seen = draws();
    await until(() => draws() > seen + 1);
    assert.match(boards()[0]!, /page 2$/);
  }));
