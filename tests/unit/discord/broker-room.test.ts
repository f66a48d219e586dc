import assert from "node:assert/strict";
import { test } from "node:test";
import type { Arrival } from "../../../lib/chat/arrival.ts";
import type { BotRules } from "../../../lib/chat/broker-config.ts";
import { RULE_DEFAULTS } from "../../../lib/chat/broker-defaults.ts";
import { createBrokerRoom } from "../../../lib/discord/broker-room.ts";
import { brokerMemoryInRam } from "../../support/broker-memory-in-ram.ts";
import { arrival } from "../../support/chat-scene.ts";

const ME = "900";
const AT = 1_700_000_000_000;

function scene(
  { memory = brokerMemoryInRam(), ...rules }: Partial<BotRules> & {
    memory?: ReturnType<typeof brokerMemoryInRam>;
  } = {},
) {
  const owed: [string, number][] = [];
  const room = createBrokerRoom({
    memory,
    rules: () => ({
      ...RULE_DEFAULTS,
      channels: ["100"],
      users: ["7"],
      botMessages: "mentions",
      botTurns: { soft: 3, hard: 5, window: 50, windowMs: 60_000 },
      ...rules,
    }),
    calledByRole: (conversation) => conversation === "role",
    onOwed: (conversation, at) => owed.push([conversation, at]),
  });
  const bot = (id: string, content = "beep") => room.note(spoken(id, content, true), ME);
  return {
    room,
    memory,
    owed,
    bot,
    person: (id: string) => room.note(spoken(id, "hi", false), ME),
  };
}

let next = 1;
function spoken(by: string, content: string, isBot: boolean, more: Partial<Arrival> = {}): Arrival {
  const author = { id: by, name: by, displayName: by, isBot, roles: [] };
  return arrival(`${next++}`, content, { at: AT, author, ...more });
}

test("who has spoken is known after a restart, and a thread of the bot's own counts as spoken in", () => {
  const { room, memory, bot } = scene();
  const facts = (place: Partial<Arrival["place"]> = {}) => {
    const one = spoken("7", "hi", false);
    return room.facts({ ...one, place: { ...one.place, ...place } }, ME);
  };
  assert.deepEqual([facts().tookPart, facts().hasOtherBots], [false, false]);
  bot(ME);
  bot("800");
  assert.deepEqual([facts().tookPart, facts().hasOtherBots], [true, true]);
  const later = scene({ memory }).room;
  assert.ok(later.hasOthers("200", ME));
  assert.ok(!later.hasOthers("201", ME), "another thread");
  const own = spoken("7", "hi", false);
  const place = { ...own.place, threadId: "300", threadOwner: ME };
  later.note({ ...own, place }, ME);
  assert.ok(later.facts({ ...own, place }, ME).tookPart);
});

test("bots that talk without a person are warned of once, and not answered until one speaks", () => {
  const { room, bot, person } = scene();
  bot(ME);
  assert.equal(bot("950"), undefined);
  assert.equal(bot("950"), "soft");
  assert.ok(room.areStopped("200", AT));
  assert.equal(bot("950"), undefined, "said once");
  person("8");
  assert.ok(room.areStopped("200", AT), "an outsider keeps no bots talking");
  person("7");
  assert.ok(!room.areStopped("200", AT));
  assert.ok(!room.facts(spoken("7", "hi", false), ME).botsStopped);
});

test("the count outlives a restart; an empty message and one of Discord's own are no turn", () => {
  const { memory, bot, room } = scene();
  bot(ME);
  bot("950");
  assert.equal(room.note(spoken("950", "joined", true, { kind: "system" }), ME), undefined);
  room.note(spoken("7", "  ", false), ME);
  assert.equal(scene({ memory }).bot("950"), "soft");
});

test("the bot with the smaller id warns first; what it leaves out is said at its time", () => {
  const { owed, bot, room } = scene();
  bot("800");
  bot(ME);
  assert.equal(bot("950"), undefined, "the other one's to say");
  const [[conversation, at] = assert.fail("nothing is owed")] = owed;
  assert.equal(room.settle(conversation, at - 1), undefined);
  assert.equal(room.settle(conversation, at), "soft");
  assert.equal(room.settle(conversation, at), undefined, "said once");
});

test("a bot that took no part, may not be there or answers no bots warns of nothing", () => {
  const warned = ({ bot }: ReturnType<typeof scene>) => [1, 2, 3].map(() => bot("950"));
  assert.deepEqual(warned(scene()), [undefined, undefined, undefined]);
  for (const rules of [{ botMessages: "off" }, { channels: ["5"] }] as const) {
    const one = scene(rules);
    one.bot(ME);
    assert.deepEqual(warned(one), [undefined, undefined, undefined]);
  }
});

test("a thousand conversations are counted, the oldest are let go", () => {
  const { room, memory } = scene();
  for (let n = 1; n <= 1_001; n++) {
    const one = spoken("950", "beep", true);
    room.note({ ...one, place: { ...one.place, threadId: `${n}` } }, ME);
  }
  const counted = Object.keys(memory.read().turns);
  assert.deepEqual([counted.length, counted.includes("1")], [1_000, false]);
});
