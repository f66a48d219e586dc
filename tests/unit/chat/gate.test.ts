import assert from "node:assert/strict";
import test from "node:test";
import type { Arrival } from "../../../lib/chat/arrival.ts";
import type { BotMode, BotRules, UserMode } from "../../../lib/chat/broker-config.ts";
import { type GateFacts, isHeard, judge } from "../../../lib/chat/gate.ts";
import { importOpenab } from "../../../lib/chat/import-openab.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";
import { ADA, arrival, CHANNEL, ME, OTHER_BOT, rules, THREAD } from "./arrivals.ts";

const FACTS: GateFacts = {
  me: ME,
  tookPart: false,
  hasOtherBots: false,
  calledByRole: false,
  botsStopped: false,
};
const CALL = `<@${ME}> hello`;

function said(one: Arrival, by: BotRules, facts: Partial<GateFacts> = {}): string {
  const judgement = judge(one, by, { ...FACTS, ...facts });
  return judgement.kind === "deny" ? "🚫" : `${judgement.kind}: ${judgement.because}`;
}

function isAnswered(one: Arrival, by: BotRules, facts: Partial<GateFacts> = {}): boolean {
  return judge(one, by, { ...FACTS, ...facts }).kind === "answer";
}

/** The guide's first table: empty lists there mean everybody, which an import writes out. */
const CHANNELS_AND_USERS: readonly [channels: string[], users: string[], cells: string][] = [
  // our channel + our user, our channel + another user, another channel + our user, another + another
  [[], [], "✓ ✓ ✓ ✓"],
  [[CHANNEL], [], "✓ ✓ – –"],
  [[], [ADA], "✓ 🚫 ✓ 🚫"],
  [[CHANNEL], [ADA], "✓ 🚫 – –"],
];
for (const [channels, users, cells] of CHANNELS_AND_USERS) {
  test(`B.16, B.17: guide, allowed_channels ${channels.length} × allowed_users ${users.length}: ${cells}`, () => {
    const toml =
      `[discord]\nbot_token = "\${T}"\nallowed_channels = ${JSON.stringify(channels)}\n` +
      `allowed_users = ${JSON.stringify(users)}\n[agent]\ncommand = "kiro-cli"\n`;
    const { yaml } = importOpenab([{ name: "config.toml", text: toml }]);
    const { broker } = readHerdConfig(yaml, "x", { T: "a-token-of-more-than-20-letters" });
    const imported = broker!.bots[0]!.rules;
    const seen = [[CHANNEL, ADA], [CHANNEL, "101"], ["501", ADA], ["501", "101"]].map(
      ([channelId, id]) => {
        const one = arrival({
          content: CALL,
          place: { channelId: channelId! },
          author: { id: id! },
        });
        const { kind } = judge(one, imported, FACTS);
        return { answer: "✓", deny: "🚫", drop: "–" }[kind];
      },
    );
    assert.equal(seen.join(" "), cells);
  });
}

test("B.16, B.17: without an import, empty lists let nobody in", () => {
  const closed = rules({ channels: [], users: [] });
  assert.equal(said(arrival({ content: CALL }), closed), "drop: channel is not allowed");
  assert.equal(said(arrival({ content: CALL }), { ...closed, channels: "all" }), "🚫");
});

/** The guide's second table. A bot speaks in a thread in which ours took part. */
const BOT_MODES: readonly [mode: BotMode, unmentioned: boolean, mentioned: boolean][] = [
  ["off", false, false],
  ["mentions", false, true],
  ["all", true, true],
];
for (const [mode, unmentioned, mentioned] of BOT_MODES) {
  test(`B.34: guide, allow_bot_messages "${mode}": without mention ${unmentioned}, with ${mentioned}`, () => {
    const by = rules({ botMessages: mode, userMessages: "involved", trustedBots: [OTHER_BOT] });
    const inThread = {
      place: { threadId: THREAD, threadOwner: ME },
      author: { id: OTHER_BOT, isBot: true },
    };
    assert.equal(isAnswered(arrival(inThread), by, { hasOtherBots: true }), unmentioned);
    const called = arrival({ ...inThread, content: CALL });
    assert.equal(isAnswered(called, by, { hasOtherBots: true }), mentioned);
  });
  test(`B.24: guide, allow_bot_messages "${mode}": the bot's own messages are always ignored`, () => {
    const mine = arrival({ content: CALL, author: { id: ME, isBot: true } });
    const by = rules({ botMessages: mode, trustedBots: [ME, OTHER_BOT] });
    assert.equal(said(mine, by), "drop: own message");
  });
}

/** The guide's third table, "Comparison": involved, mentions, multibot-mentions. */
const COMPARISON = `
Main channel (no @mention)          ❌ ❌ ❌
Main channel (with @mention)        ✅ ✅ ✅
Single-bot thread (no @mention)     ✅ ❌ ✅
Single-bot thread (with @mention)   ✅ ✅ ✅
Multi-bot thread (no @mention)      ✅ ❌ ❌
Multi-bot thread (with @mention)    ✅ ✅ ✅
`.trim().split("\n").map((row) => {
  const [, scenario, cells] = /^(.*?)\s{2,}(.*)$/.exec(row)!;
  return [scenario!, cells!.split(" ").map((cell) => cell === "✅")] as const;
});
const USER_MODES: readonly UserMode[] = ["involved", "mentions", "multibot-mentions"];
for (const [scenario, cells] of COMPARISON) {
  for (const [i, mode] of USER_MODES.entries()) {
    const wanted = cells[i]!;
    test(`B.28, B.29, B.30, B.31: guide, ${scenario}, ${mode}: ${wanted ? "answered" : "not answered"}`, () => {
      const content = /with @mention/.test(scenario) ? CALL : "hello";
      const hasOtherBots = /^Multi/.test(scenario);
      const place = /thread/.test(scenario) ? { threadId: THREAD } : {};
      const by = rules({ userMessages: mode });
      for (
        const [threadOwner, tookPart] of [[ME, false], [ADA, true], [OTHER_BOT, true]] as const
      ) {
        const one = arrival({ content, place: { ...place, threadOwner } });
        assert.equal(isAnswered(one, by, { tookPart, hasOtherBots }), wanted);
      }
    });
  }
}

for (const mode of USER_MODES) {
  test(`B.32: in a thread of somebody else, without a mention, nothing is answered in mode ${mode}`, () => {
    const one = arrival({ place: { threadId: THREAD, threadOwner: OTHER_BOT } });
    assert.equal(isAnswered(one, rules({ userMessages: mode })), false);
  });
}

/** The guide's "allowed_role_ids" and "@Mention Behavior". */
const ROLE = { id: "300", name: "AllBots" };
const ROLE_ROWS: readonly [what: string, listed: boolean, answered: boolean][] = [
  ["a listed role", true, true],
  ["a role that is not listed", false, false],
];
for (const [what, listed, answered] of ROLE_ROWS) {
  test(`B.26, B.27: guide, a mention of ${what} in a channel is ${answered ? "" : "not "}answered`, () => {
    const one = arrival({
      content: `<@&300> review this`,
      mentions: { users: [], roles: [ROLE], everyone: false },
    });
    assert.equal(isAnswered(one, rules({ triggerRoles: listed ? ["300"] : [] })), answered);
  });
}

/** The guide's last table, "Interaction with multibot-mentions mode". */
const AMONG_BOTS: readonly [action: string, content: string, owner: boolean, others: boolean][] = [
  ["@Role review this in a channel", "<@&300> review this", true, true],
  ["Follow-up in the thread without @mention", "and now?", true, false],
  ["@Role follow up in the thread", "<@&300> follow up", true, true],
];
for (const [action, content, owner, others] of AMONG_BOTS) {
  for (
    const [who, threadOwner, wanted] of [["owner", ME, owner], [
      "others",
      OTHER_BOT,
      others,
    ]] as const
  ) {
    test(`B.33: guide, ${action}: ${who} ${wanted ? "respond" : "do not respond"}`, () => {
      const inThread = !action.includes("channel");
      const one = arrival({
        content,
        ...(inThread ? { place: { threadId: THREAD, threadOwner } } : {}),
        mentions: { users: [], roles: content.startsWith("<@&") ? [ROLE] : [], everyone: false },
      });
      const by = rules({ triggerRoles: ["300"], userMessages: "multibot-mentions" });
      const facts = { hasOtherBots: inThread, tookPart: inThread, calledByRole: inThread };
      assert.equal(isAnswered(one, by, facts), wanted);
    });
  }
}

test("everybody being mentioned calls nobody in particular", () => {
  const one = arrival({
    content: "@everyone lunch",
    mentions: { users: [], roles: [], everyone: true },
  });
  assert.equal(said(one, rules()), "drop: a channel needs a mention");
});

test("B.25: both spellings of a mention call, and so does the surface's list alone", () => {
  for (const content of [`<@${ME}> hi`, `<@!${ME}> hi`]) {
    assert.equal(said(arrival({ content }), rules()), "answer: user-mention");
  }
  const listed = arrival({
    mentions: { users: [{ id: ME, name: "x" }], roles: [], everyone: false },
  });
  assert.equal(said(listed, rules()), "answer: user-mention");
  assert.equal(isAnswered(arrival({ content: `<@${ME}1> hi <@&${ME}>` }), rules()), false);
});

test("B.19: a thread is allowed by its own id or its parent's", () => {
  const one = (channelId: string) =>
    arrival({ content: CALL, place: { channelId, threadId: THREAD } });
  assert.equal(isAnswered(one(CHANNEL), rules({ channels: [CHANNEL] })), true);
  assert.equal(isAnswered(one("501"), rules({ channels: [THREAD] })), true);
  assert.equal(isAnswered(one("501"), rules({ channels: [CHANNEL] })), false);
});

test("B.21: outside of allowed channels a denied person gets no sign", () => {
  const one = arrival({ content: CALL });
  assert.equal(said(one, rules({ channels: [], users: [] })), "drop: channel is not allowed");
});

test("a denied person who called nobody gets no sign", () => {
  assert.equal(said(arrival(), rules({ users: [] })), "drop: a channel needs a mention");
});

test("a person is let in by a role, where roles are listed", () => {
  const by = rules({ users: [], userRoles: ["301"] });
  assert.equal(
    said(arrival({ content: CALL, author: { roles: ["301"] } }), by),
    "answer: user-mention",
  );
  assert.equal(said(arrival({ content: CALL, author: { roles: ["302"] } }), by), "🚫");
});

test("bots are not looked up among the allowed people", () => {
  const bot = arrival({ content: CALL, author: { id: OTHER_BOT, isBot: true } });
  assert.equal(said(bot, rules({ users: [], botMessages: "mentions" })), "answer: user-mention");
});

test("B.35: only trusted bots pass where some are named; in mode all they have to be", () => {
  const bot = arrival({
    content: CALL,
    place: { threadId: THREAD, threadOwner: ME },
    author: { id: OTHER_BOT, isBot: true },
  });
  const by = (botMessages: BotMode, trustedBots: string[]) => rules({ botMessages, trustedBots });
  assert.equal(said(bot, by("mentions", ["902"])), "drop: bot is not trusted");
  assert.equal(said(bot, by("mentions", [])), "answer: user-mention");
  assert.equal(said(bot, by("all", ["902"])), "drop: bot is not trusted");
  assert.equal(said(bot, by("all", [])), "drop: bot is not trusted");
  assert.equal(said(bot, by("all", [OTHER_BOT])), "answer: user-mention");
});

test("bots are not answered once they have talked long enough; people are", () => {
  const by = rules({ botMessages: "mentions" });
  const bot = arrival({ content: CALL, author: { id: OTHER_BOT, isBot: true } });
  assert.equal(said(bot, by, { botsStopped: true }), "drop: bots have talked long enough");
  assert.equal(said(arrival({ content: CALL }), by, { botsStopped: true }), "answer: user-mention");
});

test("B.22: a direct message is answered only where they are on, without a mention, by the list of people", () => {
  const direct = arrival({ place: { isDirect: true, channelId: "510", guildId: undefined } });
  assert.equal(said(direct, rules()), "drop: direct messages are off");
  const on = rules({ directMessages: true, channels: [CHANNEL], users: [ADA] });
  assert.equal(said(direct, on), "answer: direct");
  assert.equal(said(direct, { ...on, users: ["101"] }), "🚫");
});

test("a message without words is dropped only when it brings nothing along", () => {
  const bare = { content: `<@${ME}>` };
  const file = { id: "1", name: "a.bin", url: "", bytes: 1, contentType: "" };
  assert.equal(said(arrival(bare), rules()), "drop: nothing was said");
  assert.equal(isAnswered(arrival({ ...bare, attachments: [file] }), rules()), true);
  assert.equal(
    isAnswered(arrival({ ...bare, extras: [{ kind: "sticker", text: "wave" }] }), rules()),
    true,
  );
  const quoted = { id: "1", author: undefined, text: "it broke" };
  assert.equal(isAnswered(arrival({ ...bare, quoted }), rules()), true);
});

test("what the surface says itself is not answered", () => {
  const pinned = arrival({ content: CALL, kind: "system" });
  assert.equal(said(pinned, rules()), "drop: the surface's own words");
});

test("A.17.27, B.40: who is denied, and who speaks where the bot is not, is not heard", () => {
  const by = rules({ channels: [CHANNEL], users: [ADA] });
  assert.equal(isHeard(arrival(), by), true);
  assert.equal(isHeard(arrival({ author: { id: "101" } }), by), false);
  assert.equal(isHeard(arrival({ place: { channelId: "501" } }), by), false);
  assert.equal(isHeard(arrival({ kind: "system" }), by), false);
  assert.equal(isHeard(arrival({ author: { isBot: true } }), by), false);
  assert.equal(isHeard(arrival({ place: { isDirect: true } }), by), false);
});
