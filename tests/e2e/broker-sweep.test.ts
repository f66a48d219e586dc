import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { discordScene } from "../support/discord-scene.ts";

test("B.7: a bot that a sweep and the broker share: each answers in its own channels, their commands are one set", async (t) => {
  const scene = await discordScene(t);
  const { discord, alice, home } = scene;
  const lab = discord.makeChannel("lab");
  const agent = new URL("../support/acp-chatter.py", import.meta.url).pathname;
  const folder = join(home.env["HOME"]!, ".config/herd");
  mkdirSync(folder, { recursive: true });
  home.env["HERD_CONFIG"] = join(folder, "config.yaml");
  const yaml = `broker:
  discord: {allow_all_channels: true, allow_all_users: true}
  agent: {kind: acp, command: [python3, ${agent}, ${folder}/prompts.jsonl]}
  workspace: {sandbox: none}
`;
  writeFileSync(home.env["HERD_CONFIG"], yaml, { mode: 0o600 });
  scene.start();
  const channel = await scene.channel();
  const names = () => JSON.stringify(discord.commands.get(discord.guild.id) ?? []);
  await scene.until(
    "both parts' commands are there",
    () => /"prune"/.test(names()) && /"reset"/.test(names()),
  );
  const asked = discord.say(alice, lab, `<@${discord.bot.id}> hello`);
  await scene.until("its thread", () => discord.channels.has(asked.id));
  const thread = discord.channels.get(asked.id)!;
  await scene.until("the broker answers", () => /You said hello/.test(discord.transcript(thread)));

  const status = discord.say(alice, channel, `<@${discord.bot.id}> status`);
  await scene.until(
    "the sweep answers",
    () => scene.posts().some(({ replyTo }) => replyTo === status.id),
  );
  assert.ok(!discord.channels.has(status.id), "no thread of the broker's");
  const connections = discord.gateway.counts.identified;
  assert.equal(connections, 1, "one connection");
  const inThread = await discord.slash(alice, thread, "cancel-all");
  assert.match(inThread.message()!.content, /Nothing runs in this conversation/);
  for (const place of [thread, channel]) {
    const where = await discord.slash(alice, place, "whereami");
    assert.ok(where.ephemeral);
    assert.ok(where.message()!.content.includes(`You: \`${alice.id}\``), "the broker's everywhere");
  }
  assert.deepEqual(discord.violations, []);
});
