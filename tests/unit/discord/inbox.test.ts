import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ruling } from "../../../lib/discord/access.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { createInbox } from "../../../lib/discord/inbox.ts";
import type { Inbox } from "../../../lib/discord/inbox.ts";
import type { ChannelMemory } from "../../../lib/discord/memory.ts";
import { memoryDiscord, memoryInRam, unreachable } from "../../support/discord-rest.ts";
import type { Kept, MemoryDiscord } from "../../support/discord-rest.ts";
import { createHeldTime } from "../../support/held-time.ts";

interface Scene {
  discord: MemoryDiscord;
  memory: ChannelMemory;
  inbox: Inbox;
  heard: { id: string; text: string; from: string }[];
  audit: string[];
}

interface Options {
  discord?: MemoryDiscord;
  memory?: ChannelMemory;
  ruling?: Ruling | (() => Ruling);
  store?(id: string): void;
  private?: boolean;
}

async function withInbox(use: (scene: Scene) => Promise<void>, options: Options = {}) {
  const { discord = memoryDiscord(), memory = memoryInRam({ seen: "0" }) } = options;
  const heard: Scene["heard"] = [];
  const audit: string[] = [];
  const inbox = createInbox({
    desk: {
      receive({ id, text, from }) {
        options.store?.(id);
        if (heard.some((one) => one.id === id)) return Promise.resolve(false);
        heard.push({ id, text, from });
        return Promise.resolve(true);
      },
    },
    rest: discord.rest,
    memory,
    access: {
      rule: () => {
        const { ruling = { may: true } as const } = options;
        return Promise.resolve(typeof ruling === "function" ? ruling() : ruling);
      },
    },
    clock: createHeldTime(0).clock,
    random: () => 0,
    channelId: () => "5",
    threads: () => Object.values(memory.read().threads),
    guildId: "100",
    addressed: ({ content }) =>
      content.startsWith("herd ") ? { text: content.slice(5) } : undefined,
    tellPrivately: () => Promise.resolve(options.private ?? false),
    audit: (event) => void audit.push(event),
    log: () => {},
  });
  try {
    await use({ discord, memory, inbox, heard, audit });
  } finally {
    await inbox[Symbol.asyncDispose]();
  }
}

test("a message is stored before it gets its 👀, and what is not addressed gets neither", () => {
  const discord = memoryDiscord();
  const order: string[] = [];
  discord.fail = (call) => void order.push(call);
  return withInbox(async ({ inbox, heard }) => {
    const one = discord.say("5", "herd how is it going");
    inbox.hear(one);
    inbox.hear(discord.say("5", "lunch?"));
    await inbox.settled();
    assert.deepEqual(heard.map(({ text, from }) => [text, from]), [
      ["how is it going", "discord:1"],
    ]);
    assert.deepEqual(order, ["member", "stored", "react"]);
    assert.deepEqual((one as Kept).reactions, ["👀"]);
  }, { discord, store: () => void order.push("stored") });
});

test("G.3.22: bots and webhooks are never heard", () =>
  withInbox(async ({ discord, inbox, heard }) => {
    inbox.hear(discord.say("5", "herd stop", { author: { id: "7", bot: true } }));
    inbox.hear(discord.say("5", "herd stop", { author: { id: "8", webhook: true } }));
    await inbox.settled();
    assert.deepEqual(heard, []);
  }));

test("G.3.22: who may not act is refused, in private where that is possible, and it is audited", async () => {
  for (const isPrivate of [true, false]) {
    await withInbox(async ({ discord, inbox, heard, audit }) => {
      const said = discord.say("5", "herd stop everything");
      inbox.hear(said);
      await inbox.settled();
      assert.deepEqual(heard, []);
      assert.deepEqual((said as Kept).reactions, isPrivate ? [] : ["🚫"]);
      assert.deepEqual(audit, ["refused"]);
    }, { ruling: { may: false, why: "Only operators may" }, private: isPrivate });
  }
});

test("what was said while herd was away is read from the last message that was heard, in order and once", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam({ seen: "0" });
  await withInbox(async ({ inbox, heard }) => {
    for (let i = 0; i < 250; i++) discord.say("5", i % 2 === 0 ? `herd ${i}` : "chatter");
    inbox.catchUp();
    // One that the gateway tells as well, before the gap is filled.
    inbox.hear(discord.messages[248]!);
    await inbox.settled();
    assert.deepEqual(
      heard.map(({ text }) => Number(text)),
      Array.from({ length: 125 }, (_, i) => 2 * i),
    );
  }, { discord, memory });
  assert.equal(memory.read().seen, discord.messages.at(-1)!.id);
  await withInbox(async ({ inbox, heard }) => {
    inbox.catchUp();
    await inbox.settled();
    assert.deepEqual(heard, [], "a second life hears nothing twice");
  }, { discord, memory });
});

test("a first life begins at its own time: what was said before was said to nobody", () => {
  const discord = memoryDiscord();
  discord.say("5", "herd old");
  const memory = memoryInRam();
  return withInbox(async ({ inbox, heard }) => {
    inbox.catchUp();
    inbox.hear(discord.say("5", "herd new"));
    await inbox.settled();
    assert.deepEqual(heard.map(({ text }) => text), ["new"]);
  }, { discord, memory });
});

test("a message that cannot be stored is not marked as heard, and is heard when it can", () => {
  let broken = true;
  return withInbox(async ({ discord, inbox, heard, memory }) => {
    inbox.hear(discord.say("5", "herd one"));
    await inbox.settled();
    assert.deepEqual([heard.length, memory.read().seen], [0, "0"]);
    assert.deepEqual((discord.messages[0] as Kept).reactions, []);
    broken = false;
    inbox.hear(discord.say("5", "herd two"));
    await inbox.settled();
    assert.deepEqual(heard.map(({ text }) => text), ["one", "two"]);
  }, {
    store: () => {
      if (broken) throw new Error("ENOSPC");
    },
  });
});

test("an outage during the reading is waited for, and without the right to react all is heard", () => {
  const discord = memoryDiscord();
  let out = 5;
  discord.fail = (call) => {
    if (call === "messages" && out-- > 0) throw unreachable();
    if (call === "react") throw new DiscordError("Missing Permissions", { kind: "forbidden" });
  };
  return withInbox(async ({ inbox, heard }) => {
    discord.say("5", "herd one");
    inbox.catchUp();
    await inbox.settled();
    assert.deepEqual(heard.map(({ text }) => text), ["one"]);
  }, { discord });
});

test("files are named to the agent", () =>
  withInbox(async ({ discord, inbox, heard }) => {
    const file = { id: "1", name: "a.png", url: "", bytes: 1, contentType: "image/png" };
    inbox.hear(discord.say("5", "herd look", { attachments: [file] }));
    await inbox.settled();
    assert.match(heard[0]!.text, /^look\n\(attached and not read: "a\.png"\)$/);
  }));

test("a message that the gateway lost is read within the minute, and none is heard twice", () =>
  withInbox(async ({ discord, inbox, heard, memory }) => {
    discord.say("5", "herd lost");
    inbox.hear(discord.say("5", "herd told"));
    for (let i = 0; i < 1_000 && heard.length < 2; i++) {
      await new Promise((done) => setImmediate(done));
    }
    assert.deepEqual(heard.map(({ text }) => text).sort(), ["lost", "told"]);
    await inbox.settled();
    assert.equal(memory.read().seen, discord.messages.at(-1)!.id);
  }));

test("threads are read after a gap too, each from where it was read; a deleted one keeps back nothing", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam({ seen: "0", threads: { 1: "20", 2: "30", 3: "40" } });
  const first = discord.say("20", "herd one");
  discord.say("40", "herd three");
  discord.fail = (call) => {
    if (call === "messages" && discord.calls.filter((one) => one === call).length === 3) {
      throw new DiscordError("Unknown Channel", { kind: "missing", status: 404, code: 10003 });
    }
  };
  await withInbox(async ({ inbox, heard }) => {
    inbox.catchUp();
    await inbox.settled();
    assert.deepEqual(heard.map(({ text }) => text), ["one", "three"]);
    assert.equal(memory.read().threadsSeen["20"], first.id);
    assert.equal(memory.read().asides[first.id], "20");
    inbox.catchUp();
    await inbox.settled();
    assert.equal(heard.length, 2);
  }, { discord, memory });
});

test("of messages in threads only the newest hundred are remembered with their thread", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam({ seen: "0" });
  await withInbox(async ({ inbox }) => {
    const all = Array.from({ length: 130 }, (_, i) => discord.say("20", `herd ${i}`));
    for (const one of all) inbox.hear(one);
    await inbox.settled();
    const kept = Object.keys(memory.read().asides);
    assert.deepEqual(kept, all.slice(-100).map(({ id }) => id));
  }, { discord, memory });
});

test("when Discord does not say who may speak, the word waits and is heard when it does", async () => {
  let knows = false;
  const ruling = (): Ruling =>
    knows ? { may: true } : { may: false, why: "Discord does not say", unsure: true };
  await withInbox(async ({ discord, inbox, heard, audit }) => {
    const said = discord.say("5", "herd status");
    inbox.hear(said);
    await inbox.settled();
    assert.deepEqual([heard, audit], [[], []]);
    knows = true;
    inbox.catchUp();
    await inbox.settled();
    assert.deepEqual(heard.map(({ text }) => text), ["status"]);
    assert.deepEqual((said as Kept).reactions, ["👀"]);
  }, { ruling });
});
