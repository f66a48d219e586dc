import assert from "node:assert/strict";
import { test } from "node:test";
import { noticesOf, read, refuses, REST } from "../../support/reading.ts";

test("successive halving is read with its defaults", () => {
  const halving = (text: string) => read(`successive_halving: ${text}${REST}`).halving;
  assert.deepEqual(halving("{metric: loss, direction: min, min_steps: 2, budget: 16}"), {
    metric: "loss",
    direction: "min",
    minSteps: 2,
    budget: 16,
    eta: 2,
    mode: "sync",
  });
  assert.equal(
    halving("{metric: val/acc, direction: max, min_steps: 4, budget: 4, eta: 3, mode: asha}")?.eta,
    3,
  );
});

test("a mistake in successive halving is told with what is allowed", () => {
  const text = (rest: string) => `successive_halving: {metric: loss, ${rest}}`;
  refuses([
    [
      text("direction: min, min_steps: 9, budget: 3"),
      "1:63 Cannot read successive_halving.min_step",
    ],
    [
      text("direction: up, min_steps: 1, budget: 3"),
      "1:47 Cannot read successive_halving.direction",
    ],
    [
      text("direction: min, min_steps: 1, budget: 3, eta: 1"),
      "1:82 Cannot read successive_halving",
    ],
    [
      text("direction: min, min_steps: 0, budget: 3"),
      "1:63 Cannot read successive_halving.min_step",
    ],
    [
      text("mode: hyperband, min_steps: 1"),
      '1:1 Missing key "direction" in successive_halving: expected "min" or "max"',
      '1:1 Missing key "budget"',
      "1:42 Cannot read successive_halving.mode",
    ],
    ["successive_halving: on", "1:21 Cannot read successive_halving: found on, expected a mapping"],
  ]);
});

test("operators and viewers are ids of users and roles, as text, and a mention is understood", () => {
  const text = `discord:
  guild_id: "1234567890123456789"
  operators: ["11", "<@!22>", "<@&33>", 44, "11"]
  viewers: []
${REST}`;
  const { operators, viewers } = read(text).discord;
  assert.deepEqual(operators, ["11", "22", "33", "44"]);
  assert.deepEqual(viewers, []);
  assert.equal(noticesOf(text).length, 3, noticesOf(text).join("\n"));
  assert.match(noticesOf(text).join("\n"), /operators\[3\] as text: write "44" in quotes/);
  assert.match(noticesOf(text).join("\n"), /"11" is there twice/);
  assert.match(noticesOf(text).join("\n"), /viewers is empty: nobody/);
  refuses([
    [
      'discord: {guild_id: "1", operators: [alice]}',
      '1:38 Cannot read discord.operators[0]: found "alice"',
    ],
    ['discord: {guild_id: "1", operators: "12"}', '1:37 Cannot read discord.operators: found "12"'],
  ]);
});

test("Discord's ids keep every digit, quoted or not", () => {
  const text = `discord:
  guild_id: 1234567890123456789
  channel_id: "9876543210987654321"
  channel_name: my-experiment
  dashboard_refresh_seconds: 0
${REST}`;
  assert.deepEqual(read(text).discord, {
    guildId: "1234567890123456789",
    channelId: "9876543210987654321",
    channelName: "my-experiment",
    dashboardRefreshSeconds: 0,
    operators: undefined,
    viewers: undefined,
  });
  assert.deepEqual(noticesOf(text), [
    '2:13 Read discord.guild_id as text: write "1234567890123456789" in quotes',
  ]);
  assert.equal(read(`discord: {guild_id: ""}${REST}`).discord.guildId, undefined);
  refuses([
    ["discord: {guild_id: 1.5e18}", "1:21 Cannot read discord.guild_id: found 1.5e18"],
    ["discord: {guild_id: 123_456}", "1:21 Cannot read discord.guild_id: found 123_456"],
    ["discord: {guild_id: my-server}", '1:21 Cannot read discord.guild_id: found "my-server"'],
    ["discord: {token: x}", '1:11 Unknown key "token" in discord, allowed are guild_id'],
    ["discord: {dashboard_refresh_seconds: -1}", "1:38 Cannot read discord.dashboard_refresh_sec"],
    [`discord: {channel_name: ${"a".repeat(101)}}`, "1:25 Cannot read discord.channel_name"],
  ]);
});
