import assert from "node:assert/strict";
import { test } from "node:test";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { createFeed } from "../../../lib/discord/feed.ts";
import type { Due, Feed, FeedParts } from "../../../lib/discord/feed.ts";
import type { ChannelMemory } from "../../../lib/discord/memory.ts";
import type { Event } from "../../../lib/sweep/event.ts";
import type { Said } from "../../../lib/sweep/monitor-event.ts";
import { channel, memoryDiscord, memoryInRam, unreachable } from "../../support/discord-rest.ts";
import type { MemoryDiscord } from "../../support/discord-rest.ts";
import { createHeldTime } from "../../support/held-time.ts";

interface Scene {
  discord: MemoryDiscord;
  memory: ChannelMemory;
  feed: Feed;
  troubles: (string | undefined)[];
  say(...texts: string[]): void;
  now(): number;
}

async function withFeed(
  use: (scene: Scene) => Promise<void>,
  more: Partial<FeedParts> & { discord?: MemoryDiscord; memory?: ChannelMemory; events?: Event[] } =
    {},
): Promise<void> {
  const { discord = memoryDiscord(), memory = memoryInRam(), events = [], ...parts } = more;
  if (!discord.channels.has("5")) discord.channels.set("5", channel("5", "lr"));
  const time = createHeldTime(1_000_000);
  const listeners = new Set<(event: Event) => void>();
  const troubles: (string | undefined)[] = [];
  const { clock } = time;
  const feed = createFeed({
    desk: {
      events: (after, limit = 10_000) => events.filter(({ seq }) => seq > after).slice(0, limit),
      onEvent(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    rest: discord.rest,
    memory,
    clock,
    random: () => 0.5,
    channel: () => Promise.resolve("5"),
    onLost: () => {},
    view: ({ said }: Due) =>
      said.text.split("|").map((content, part) => ({ content, nonce: `${said.key}/${part}` })),
    digest: (dues) => [{
      content: `digest of ${dues.length}: ${dues.map(({ said }) => said.text).join(" ")}`,
      nonce: `d/${dues[0]!.seq}`,
    }],
    threadOf: () => undefined,
    takeStream: () => Promise.resolve(undefined),
    onPosted: () => {},
    onTrouble: (trouble) => void troubles.push(trouble),
    log: () => {},
    ...parts,
  });
  function say(...texts: string[]): void {
    for (const text of texts) {
      const said: Said = { key: `k/${events.length}`, kind: "agent", text };
      const what = { type: "said" as const, said };
      const event: Event = { v: 1, seq: events.length + 1, at: clock.now(), by: "monitor", what };
      events.push(event);
      for (const tell of listeners) tell(event);
    }
  }
  try {
    await use({ discord, memory, feed, troubles, say, now: clock.now });
  } finally {
    await feed[Symbol.asyncDispose]();
  }
}

const until = async (holds: () => boolean) => {
  for (let i = 0; i < 5_000; i++) {
    if (holds()) return;
    await new Promise((done) => setImmediate(done));
  }
  assert.fail("it never came to pass");
};

test("what is said is posted once and in order, also what came before the start", () =>
  withFeed(async ({ discord, feed, say, memory }) => {
    say("one", "two|and more");
    feed.start();
    await until(() => feed.waiting() === 0);
    say("three");
    await until(() => feed.waiting() === 0);
    assert.deepEqual(discord.texts("5"), ["one", "two", "and more", "three"]);
    assert.equal(memory.read().delivered, 3);
  }));

test("what is said after a thousand events that say nothing still waits", () => {
  const events = Array.from({ length: 1_500 }, (_, at): Event => ({
    v: 1,
    seq: at + 1,
    at: 0,
    by: "monitor",
    what: { type: "messages-handled", ids: [`${at}`], how: "rule" },
  }));
  return withFeed(async ({ discord, feed, say }) => {
    say("the last word");
    assert.equal(feed.waiting(), 1);
    feed.start();
    await feed.drained(5_000);
    assert.deepEqual(discord.texts("5"), ["the last word"]);
  }, { events });
});

test("G.5.31: an hour without Discord loses nothing: it is tried with back-off and told", () => {
  const discord = memoryDiscord();
  return withFeed(async ({ feed, say, now, troubles }) => {
    const back = now() + 3_600_000;
    discord.fail = (call) => {
      if (call === "send" && now() < back) throw unreachable();
    };
    say("one", "two");
    feed.start();
    await until(() => feed.waiting() === 0);
    assert.deepEqual(discord.texts("5"), ["one", "two"]);
    assert.ok(discord.calls.length < 40, `${discord.calls.length} tries in an hour`);
    assert.equal(troubles[0], "Cannot reach Discord");
    assert.equal(troubles.at(-1), undefined);
  }, { discord });
});

test("after a long outage many posts become one digest that tells of all", () => {
  const discord = memoryDiscord();
  return withFeed(async ({ feed, say }) => {
    say(...Array.from({ length: 40 }, (_, i) => `post-${i}`));
    feed.start();
    await until(() => feed.waiting() === 0);
    const texts = discord.texts("5");
    assert.equal(texts.length, 1);
    assert.match(texts[0]!, /^digest of 40: post-0 .*post-39$/);
  }, { discord });
});

test("a post that succeeded without an answer is not doubled when it is sent again", () => {
  const discord = memoryDiscord();
  let broken = 3;
  discord.after = (call) => {
    if (call === "send" && broken-- > 0) throw unreachable();
  };
  return withFeed(async ({ feed, say }) => {
    say("one|two|three");
    feed.start();
    await until(() => feed.waiting() === 0);
    assert.deepEqual(discord.texts("5"), ["one", "two", "three"]);
  }, { discord });
});

test("who dies between two parts goes on with the next one", async () => {
  const discord = memoryDiscord();
  const memory = memoryInRam();
  const events: Event[] = [];
  discord.fail = (call) => {
    if (call === "send" && discord.messages.length === 1) throw unreachable();
  };
  await withFeed(async ({ feed, say }) => {
    say("one|two");
    feed.start();
    await until(() => discord.calls.filter((one) => one === "send").length > 1);
  }, { discord, memory, events });
  assert.equal(memory.read().partly?.sent.length, 1);
  discord.fail = () => {};
  await withFeed(async ({ feed }) => {
    feed.start();
    await until(() => feed.waiting() === 0);
  }, { discord, memory, events });
  assert.deepEqual(discord.texts("5"), ["one", "two"]);
});

test("a post that Discord does not take keeps no other back", () => {
  const discord = memoryDiscord();
  let refused = 0;
  discord.fail = (call) => {
    if (call !== "send" || refused++ > 0) return;
    throw new DiscordError("Invalid Form Body", { kind: "rejected", status: 400, code: 50035 });
  };
  return withFeed(async ({ feed, say }) => {
    say("poison", "two");
    feed.start();
    await until(() => feed.waiting() === 0);
    assert.deepEqual(discord.texts("5"), ["digest of 1: poison", "two"]);
  }, { discord });
});

test("when the channel is gone it is looked for again, and the post goes to the new one", () => {
  const discord = memoryDiscord();
  let home = "6";
  return withFeed(async ({ feed, say }) => {
    say("one");
    feed.start();
    await until(() => feed.waiting() === 0);
    assert.deepEqual(discord.texts("5"), ["one"]);
  }, {
    discord,
    channel: () => Promise.resolve(home),
    onLost: () => void (home = "5"),
  });
});

test("an answer that streams becomes the post", () => {
  const discord = memoryDiscord();
  discord.channels.set("5", channel("5", "lr"));
  const open = discord.say("5", "half an ans", { author: { id: "900", bot: true } });
  const memory = memoryInRam({ streaming: open.id });
  return withFeed(async ({ feed, say }) => {
    say("a whole answer|in two parts");
    feed.start();
    await until(() => feed.waiting() === 0);
    assert.deepEqual(discord.texts("5"), ["a whole answer", "in two parts"]);
    assert.equal(memory.read().streaming, undefined);
  }, { discord, memory, takeStream: () => Promise.resolve(memory.read().streaming) });
});

test("what was asked in a thread is answered there; when that is closed, in the channel", async () => {
  const discord = memoryDiscord();
  discord.channels.set("20", channel("20", "trial 1", "", "100", "5"));
  await withFeed(async ({ feed, say }) => {
    feed.start();
    say("in the thread");
    await until(() => discord.texts("20").length === 1);
    discord.channels.delete("20");
    say("in the channel");
    await until(() => discord.texts("5").length === 1);
    assert.deepEqual([discord.texts("20"), discord.texts("5")], [["in the thread"], [
      "in the channel",
    ]]);
  }, { discord, threadOf: () => "20" });
});
