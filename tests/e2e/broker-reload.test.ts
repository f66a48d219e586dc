import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { brokerScene } from "../support/broker-scene.ts";
import { startDiscord } from "../support/discord/start-discord.ts";

const AGENT = new URL("../support/acp-chatter.py", import.meta.url).pathname;

test("bots, tokens, agents and rules change while it runs; a mistake leaves all as it was", async (t) => {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const [dealer, heir] = [discord.addBot("Dealer"), discord.addBot("Heir")];
  const lab = discord.makeChannel("arena");
  const alice = discord.person("alice");
  const mallory = discord.person("mallory");
  const section = (users: string, bots: string, agent = "prompts.jsonl") =>
    `broker:
  discord: {allowed_channels: ["${lab.id}"], allowed_users: [${users}]}
  agents:
    chatter: {kind: acp, command: [python3, ${AGENT}, FOLDER/${agent}]}
  workspace: {sandbox: none}
  bots:
    herd: {discord: {bot_token_env: BOT_TOKEN}}
${bots}`;
  const both = `"${alice.id}", "${mallory.id}"`;
  const second = "    dealer: {discord: {bot_token_env: DEALER}}\n";
  const scene = await brokerScene(t, { discord, yaml: section(`"${alice.id}"`, "") });
  const configure = (text: string) =>
    writeFileSync(
      scene.path(".config/herd/config.yaml"),
      text.replaceAll("FOLDER", scene.path()),
      { mode: 0o600 },
    );
  const token = (value: string) =>
    writeFileSync(scene.path(".config/herd/.env"), `DEALER=${value}\n`, { mode: 0o600 });
  const isHere = ({ person }: typeof dealer) => discord.gateway.isConnected(person.id);
  const status = async () => JSON.parse((await scene.run("broker", "--json")).stdout);
  const daemon = scene.start();
  await scene.ready();
  const asked = discord.say(alice, lab, `<@${discord.bot.id}> wait`);
  const thread = await scene.thread(asked);
  await scene.until("a turn runs", () => /Half/.test(discord.transcript(thread)));
  const refused = discord.say(mallory, lab, `<@${discord.bot.id}> let me in`);
  await scene.until("a stranger is refused", () => refused.reactions.has("🚫"));

  token(dealer.token);
  configure(section(both, second));
  await scene.until("a bot more", () => isHere(dealer));
  const welcome = discord.say(mallory, lab, `<@${discord.bot.id}> hello`);
  await scene.until("no stranger any more", () => welcome.reactions.has("🆗"));
  assert.equal(discord.transcript(thread).match(/Half/g)!.length, 1, "the turn runs on");

  configure(section(both, second).replace("allowed_users", "allowed_user"));
  await scene.until("the mistake is told", () => /Did you mean/.test(daemon.output()));
  const { mistake, bots } = await status();
  assert.match(mistake, /goes on as it was configured[^]*config\.yaml:2:\d+[^]*"allowed_user"/);
  assert.equal(bots.length, 2);
  assert.match((await scene.run("broker")).stdout, /! The broker goes on as it was configured/);

  configure(section(both, second));
  token(heir.token);
  await scene.until("the new token's bot", () => isHere(heir) && !isHere(dealer));
  assert.equal((await status()).mistake, null);
  const late = discord.say(alice, lab, `<@${heir.person.id}> who are you?`);
  await scene.until("it answers", () => late.reactions.has("🆗"));

  token(discord.token);
  await scene.until("it is closed", () => !isHere(heir));
  const twin = await status();
  assert.deepEqual(twin.missing, [{ name: "dealer", why: 'it has the same token as "herd"' }]);
  assert.deepEqual(twin.bots.map(({ name }: { name: string }) => name), ["herd"]);
  token(heir.token);
  await scene.until("its own token again", () => isHere(heir));

  writeFileSync(scene.path("go"), "");
  await scene.until("the turn has ended", () => asked.reactions.has("🆗"));
  assert.match(discord.transcript(thread), /Half and whole\./);
  const agents = new Set(scene.prompts().map(({ pid }) => pid)).size;
  configure(section(both, "", "others.jsonl"));
  await scene.until("the bot that was taken out is gone", () => !isHere(heir));
  const after = discord.say(alice, thread, "and now?");
  await scene.until("another agent answers", () => after.reactions.has("🆗"));
  assert.match(discord.transcript(thread), /The agent was started again/);
  assert.equal(new Set(scene.prompts().map(({ pid }) => pid)).size, agents, "not the old one");
  assert.equal((await status()).bots.length, 1);
  assert.equal(daemon.child.exitCode, null);
  assert.deepEqual(discord.violations, []);
});
