import assert from "node:assert/strict";
import test from "node:test";
import { BOT_TURN_LIMITS } from "../../../lib/chat/broker-defaults.ts";
import { BROKER_RIGHTS } from "../../../lib/discord/broker-rights.ts";
import { BROKER_COMMANDS } from "../../../lib/discord/broker-commands.ts";
import { doc, section, tables } from "../../support/documented-keys.ts";

const PAGE = doc("broker.md");

/** The headings of OpenAB's Discord guide, in its order. */
const GUIDE = [
  "Create a Discord Application",
  "Enable Gateway Intents",
  "Get the Bot Token",
  "Set Bot Permissions",
  "Invite the Bot to Your Server",
  "Get the Channel ID",
  "Get Your User ID",
  "allowed_channels",
  "allowed_users",
  "allow_bot_messages",
  "allow_user_messages",
  "trusted_bot_ids",
  "allowed_role_ids",
  "@Mention Behavior",
  "User mention UIDs",
  "Thread Behavior",
  "Attachment Handling",
  "Video attachments",
  "Streaming",
  "Multi-Bot Setup",
  "Known limitations",
  "Bot-to-bot communication",
  "Bot turn limits",
  "Ice-breaking",
  "Helm Values",
  "Bot doesn't respond",
  "Bot stops receiving messages after restart",
  "Failed to create thread",
  "Sent invalid authentication",
  "Failed to start agent",
];

/** What the guide's sentences name beside its headings. */
const NAMED = [
  "Message Content",
  "Server Members",
  "Manage Messages",
  "Developer Mode",
  "session_ttl_hours",
  "max_bot_turns",
  "multibot-mentions",
  "<@UID>",
  "@(role)",
  "@AllBots",
  "--set-string",
  "🚫",
  "1.5 s",
];

test("docs/broker.md names every part of OpenAB's Discord guide, in its order, and says what it is here", () => {
  const part = section(PAGE, "### OpenAB's Discord guide, part by part");
  const [rows] = tables(part, ["In the guide", "Here"]);
  const told = rows!.flatMap(([left]) =>
    left!.replaceAll(/[`"]/g, "").split(", ").map((one) => one.trim())
  );
  assert.deepEqual(told, GUIDE);
  for (const [left, right] of rows!) assert.ok(right!.length >= 8, left);
  for (const word of NAMED) assert.ok(PAGE.includes(word), word);
  for (const number of [BOT_TURN_LIMITS.soft, BOT_TURN_LIMITS.hard]) {
    assert.ok(part.includes(`${number}`), `${number}`);
  }
});

test("B.1, B.5, B.7: docs/broker.md leads from the portal to a bot, with exactly the rights that it needs, to the ids", () => {
  const steps = section(PAGE, "## Quick start").replaceAll(/\s+/g, " ");
  const wanted = [
    "discord.com/developers/applications",
    "New Application",
    "Bot → Reset Token → Copy",
    "Message Content Intent",
    "`bot` and `applications.commands`",
    "choose your server",
    "Developer Mode",
    "Copy ID",
    "herd broker check",
    "herd broker start",
  ];
  let at = 0;
  for (const word of wanted) {
    const next = steps.indexOf(word, at);
    assert.ok(next >= 0, `"${word}" is not there, or not in its place`);
    at = next;
  }
  const [, rights] = /→ rights: ([^.]*)\./.exec(steps)!;
  assert.deepEqual(
    rights!.split(", ").sort(),
    BROKER_RIGHTS.map(({ label }) => label).sort(),
  );
});

test("docs/broker.md lists every command of a bot, and no other", () => {
  const [rows] = tables(section(PAGE, "## Commands and buttons"), ["Command", "What it does"]);
  const told = new Set(rows!.map(([left]) => left!.replaceAll("`", "").slice(1).split(" ")[0]));
  assert.deepEqual([...told].sort(), [...BROKER_COMMANDS].sort());
});

test("docs/broker.md: each step stands there once, the contents are links alone, and 🎤 and 🆗 are explained", () => {
  const numbers = section(PAGE, "## Quick start").match(/^\d(?=\. \*\*)/gm);
  assert.deepEqual(numbers, ["1", "2", "3", "4", "5", "6"]);
  const contents = PAGE.slice(PAGE.indexOf("[Quick start]"), PAGE.indexOf("## Quick start")).trim();
  for (const line of contents.split("\n")) assert.match(line, /^(\[[^\]]+\]\(#[\w-]+\)( · ?)?)+$/);
  assert.equal(PAGE.split("`herd broker setup` asks for all of this").length, 2);
  const signs = section(PAGE, "## Signs");
  assert.match(signs, /^\| 🎤 \| .*transcribes/m);
  assert.match(signs, /^\| 🆗 \| .*the last one bears it/m);
  assert.match(section(PAGE, "## Troubleshooting"), /Intent was off and is on now \| restart herd/);
});
