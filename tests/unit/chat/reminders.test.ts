import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatHappening, Reminder } from "../../../lib/chat/chat-event.ts";
import { applyToChat, emptyChat } from "../../../lib/chat/chat-state.ts";
import { createReminders } from "../../../lib/chat/create-reminders.ts";
import { makeReminder } from "../../../lib/chat/reminders.ts";
import { CHAT_FOLD } from "../../../lib/daemon/chat-fold.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import { createReminderTeller } from "../../../lib/discord/reminder-teller.ts";
import { idOfTime } from "../../../lib/discord/snowflake.ts";
import { brokenLimit } from "../../support/broken-limit.ts";
import { BOT, channel, memoryDiscord } from "../../support/discord-rest.ts";
import { createSteppedClock, type SteppedClock } from "../../support/stepped-clock.ts";

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
const WISH = { id: "1", by: "7", when: "10m", text: "look", who: "", channelId: "200" };

function made(more: Partial<typeof WISH>, others: readonly Reminder[] = []) {
  return makeReminder({ ...WISH, ...more }, others, NOW);
}

test("times are read as people write them, from a minute to thirty days", () => {
  const inMs = (when: string) => {
    const found = made({ when });
    return "reminder" in found ? found.reminder.dueAt - NOW : found.refused;
  };
  for (
    const [when, ms] of [
      ["1m", MINUTE],
      ["60s", MINUTE],
      ["in 10 minutes", 10 * MINUTE],
      ["90 min", 90 * MINUTE],
      ["2h30m", 150 * MINUTE],
      ["2 hours and 5 mins", 125 * MINUTE],
      ["1 Day", DAY],
      ["2 weeks", 14 * DAY],
      ["30d", 30 * DAY],
    ] as const
  ) assert.equal(inMs(when), ms, when);
  for (const when of ["59s", "0m", "30d1s", "31d", "5 weeks", "999999999d"]) {
    assert.match(`${inMs(when)}`, /1 minute to 30 days/, when);
  }
  for (const when of ["10", "", "soon", "-5m", "tomorrow", "1e3m", "10m10m", "1.5h"]) {
    assert.match(`${inMs(when)}`, /Cannot read/, when);
  }
});

test("at most ten people, five reminders a person, 1,800 characters", () => {
  const people = (n: number) => Array.from({ length: n }, (_, i) => `<@${i + 1}>`).join(", ");
  const ten = made({ who: `${people(10)} <@!1>` });
  assert.equal("reminder" in ten && ten.reminder.targets.length, 10);
  const refusals = [
    [made({ who: people(11) }), /for 11 people; 10 can be told/],
    [made({ who: "<@&5>" }), /Only people/],
    [made({ who: "@everyone" }), /Only people/],
    [made({ who: "bob" }), /Cannot read "bob": mention people/],
    [made({ text: "x".repeat(1_801) }), /1801 characters; 1800/],
    [made({ text: " \n" }), /of nothing/],
  ] as const;
  for (const [found, why] of refusals) assert.match("refused" in found ? found.refused : "", why);
  assert.ok("reminder" in made({ text: "x".repeat(1_800) }));
  const own = Array.from({ length: 5 }, (_, i) => ({ by: "7", id: `${i}` }) as Reminder);
  const full = made({}, own);
  assert.match("refused" in full ? full.refused : "", /You have 5 reminders/);
  assert.ok("reminder" in made({ by: "8" }, own));
});

/** Lives of one journal over one Discord. */
function world() {
  const discord = memoryDiscord();
  discord.channels.set("200", channel("200", "lab"));
  const clock = createSteppedClock(NOW);
  const state = emptyChat();
  const journal: ChatHappening[] = [];
  let seq = 0;
  const append = (whats: readonly ChatHappening[]) => {
    for (const what of whats) {
      journal.push(what);
      applyToChat(state, { v: 1, seq: ++seq, at: clock.now(), by: "t", what });
    }
  };
  const live = () =>
    createReminders({
      state: () => state,
      append,
      clock,
      tell: createReminderTeller({
        rest: discord.rest,
        mark: () => "abc123",
        me: () => BOT,
        now: clock.now,
      }),
      log() {},
    });
  return { discord, clock, state, journal, live, append };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
}

async function pass(clock: SteppedClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 15_000) {
    clock.advance(Math.min(15_000, left));
    await settle();
  }
}

test("a reminder is told once, on time, where it was asked for, and pings only those it is for", async () => {
  const { discord, clock, state, live } = world();
  await using reminders = live();
  reminders.start();
  reminders.set({ ...WISH, text: "look @everyone <@3>", who: "<@8> <@9>" });
  await pass(clock, 10 * MINUTE - 1_000);
  assert.deepEqual(discord.texts("200"), []);
  await pass(clock, 1_000);
  const [said] = discord.messages;
  assert.match(said!.content, /^⏰ <@8> <@9> · <@7> asked for this at <t:1700000000:f>\nlook @/);
  assert.ok(!said!.content.includes("@everyone") && !said!.content.includes("<@3>"));
  assert.deepEqual(said!.outgoing.pings, { users: ["8", "9"] });
  assert.deepEqual(state.reminders, {});
  await pass(clock, DAY);
  assert.equal(discord.messages.length, 1);
});

test("after a time away it is told once, as late, by the next life", async () => {
  const { discord, clock, state, live } = world();
  const first = live();
  first.start();
  first.set(WISH);
  await first[Symbol.asyncDispose]();
  await pass(clock, 3 * 60 * MINUTE);
  assert.deepEqual(discord.texts("200"), []);
  await using second = live();
  second.start();
  await settle();
  assert.match(discord.texts("200")[0]!, /look\n-# 2 h 50 min late: herd was not there$/);
  assert.deepEqual(state.reminders, {});
});

test("B.108: a reminder in thirty days is told on time by the tenth life, from journal or snapshot", async () => {
  const { discord, clock, state, live } = world();
  const first = live();
  first.start();
  const set = first.set({ ...WISH, when: "30d" });
  assert.ok("reminder" in set && set.reminder.dueAt === NOW + 30 * DAY);
  await first[Symbol.asyncDispose]();
  for (let day = 3; day < 30; day += 3) {
    clock.advance(NOW + day * DAY - clock.now());
    const snapshot = JSON.parse(JSON.stringify(CHAT_FOLD.toPlain(state)));
    assert.deepEqual(CHAT_FOLD.fromPlain(snapshot).reminders, state.reminders);
    await using next = live();
    next.start();
    await pass(clock, MINUTE);
    assert.deepEqual(next.of("7").map(({ text }) => text), ["look"]);
  }
  clock.advance(NOW + 30 * DAY - 5 * MINUTE - clock.now());
  await using last = live();
  last.start();
  await settle();
  assert.deepEqual(discord.texts("200"), []);
  await pass(clock, 5 * MINUTE);
  assert.equal(discord.texts("200").length, 1);
  assert.doesNotMatch(discord.texts("200")[0]!, /late/);
});

test("a life that ended between the message and its record tells it no second time", async () => {
  const { discord, clock, live, journal, append, state } = world();
  const first = live();
  first.start();
  first.set(WISH);
  await pass(clock, 10 * MINUTE);
  await first[Symbol.asyncDispose]();
  // As if the last line had not reached the disk; Discord has forgotten the nonce.
  const set = journal.find(({ type }) => type === "reminder-set")!;
  append([set]);
  discord.messages[0]!.nonce = undefined;
  discord.messages[0]!.id = idOfTime(NOW + 10 * MINUTE);
  await pass(clock, 60 * MINUTE);
  await using second = live();
  second.start();
  await settle();
  assert.equal(discord.messages.length, 1);
  assert.deepEqual(state.reminders, {});
});

test("Discord out of reach is waited for; a place that is gone ends it", async () => {
  const { discord, clock, state, live, journal } = world();
  await using reminders = live();
  reminders.start();
  reminders.set(WISH);
  reminders.set({ ...WISH, id: "2", channelId: "404" });
  discord.fail = (call) => {
    if (call === "send" || call === "messages") {
      throw new DiscordError("Discord is out", { kind: "unreachable" });
    }
  };
  await pass(clock, 11 * MINUTE);
  assert.equal(Object.keys(state.reminders).length, 2);
  discord.fail = () => {};
  await pass(clock, 15_000);
  assert.equal(discord.texts("200").length, 1);
  assert.deepEqual(state.reminders, {});
  const ends = journal.filter(({ type }) => type === "reminder-over");
  assert.deepEqual(ends.map((one) => "how" in one && one.how), ["told", "failed"]);
});

test("the longest text for ten people has room in one message", async () => {
  const { discord, clock, live } = world();
  await using reminders = live();
  reminders.start();
  const who = Array.from({ length: 10 }, (_, i) => `<@12345678901234567${80 + i}>`).join("");
  reminders.set({ ...WISH, text: "😀".repeat(900), who });
  await pass(clock, 10 * MINUTE);
  assert.equal(brokenLimit(discord.messages[0]!.outgoing), undefined);
  assert.equal(discord.messages[0]!.outgoing.embeds![0]!.description, "😀".repeat(900));
});

test("one that is dropped is told to nobody, and nobody drops another's", async () => {
  const { discord, clock, live } = world();
  await using reminders = live();
  reminders.start();
  reminders.set(WISH);
  assert.equal(reminders.drop("1", "8"), false);
  assert.equal(reminders.drop("1", "7"), true);
  assert.equal(reminders.drop("1", "7"), false);
  await pass(clock, 11 * MINUTE);
  assert.deepEqual(discord.texts("200"), []);
});
