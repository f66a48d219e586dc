import assert from "node:assert/strict";
import { test } from "node:test";
import { createFaults } from "../support/discord/faults.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import { type BrokerScene, brokerScene } from "../support/broker-scene.ts";
import type { Person } from "../support/discord/world.ts";
import type { FakeBot } from "../support/discord/start-discord.ts";

interface Pair extends BrokerScene {
  bob: Person;
  dealer: FakeBot;
}

/** Two bots of one daemon; only the first one takes direct messages. */
async function pair(t: Parameters<typeof brokerScene>[0]): Promise<Pair> {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const dealer = discord.addBot("Dealer");
  const [alice, bob] = ["alice", "bob"].map((name) => discord.person(name)) as [Person, Person];
  const agent = new URL("../support/acp-chatter.py", import.meta.url).pathname;
  const scene = await brokerScene(t, {
    discord,
    env: { SECOND_TOKEN: dealer.token },
    yaml: `broker:
  agents:
    one: {kind: acp, command: [python3, ${agent}, FOLDER/prompts.jsonl]}
    two: {kind: acp, command: [python3, ${agent}, FOLDER/second.jsonl]}
  discord: {allow_all_channels: true, allowed_users: ["${alice.id}", "${bob.id}"]}
  workspace: {sandbox: none}
  bots:
    herd: {agent: one, discord: {bot_token_env: BOT_TOKEN, allow_dm: true}}
    dealer: {agent: two, discord: {bot_token_env: SECOND_TOKEN}}
`,
  });
  scene.start();
  await scene.ready();
  await scene.until("both are there", () => discord.gateway.isConnected(dealer.person.id));
  return { ...scene, alice, bob, dealer };
}

test("160004: of two bots that one message calls the second joins the first one's thread; a person's thread is joined, too", async (t) => {
  const scene = await pair(t);
  const { discord, alice, lab, dealer } = scene;
  const answered = (bot: string, text: string) =>
    [...discord.channels.values()].flatMap((one) => discord.messages(one)).filter((one) =>
      one.author.id === bot && one.content.startsWith(text)
    );
  const both = [discord.bot.id, dealer.person.id];
  const asked = discord.say(alice, lab, `${both.map((id) => `<@${id}>`).join(" ")} hello`);
  const thread = await scene.thread(asked);
  for (const id of both) {
    await scene.until("it answers", () => answered(id, "You said").length === 1);
    assert.equal(answered(id, "You said")[0]!.channelId, thread.id);
  }
  assert.equal([...discord.channels.values()].filter(({ type }) => type === 11).length, 1);

  // Among bots a mention is needed, and means the one that it names.
  const nobody = discord.say(alice, thread, "is this for anybody?");
  const one = discord.say(alice, thread, `<@${dealer.person.id}> for you`);
  await scene.until("it answers", () => one.reactions.has("🆗"));
  assert.equal(nobody.reactions.size, 0);
  assert.equal(one.reactions.get("🆗")!.join(), dealer.person.id);

  // Somebody makes the thread between the mention and the bot's own try.
  discord.fault = ({ method, path }) => {
    const under = /\/messages\/(\d+)\/threads$/.exec(path)?.[1];
    const from = discord.messages(lab).find(({ id }) => id === under);
    if (method === "POST" && from !== undefined && from.thread === undefined) {
      discord.startThread(alice, lab, "a person's own", from);
    }
    return undefined;
  };
  const later = scene.mention("and here?", { by: alice });
  const theirs = await scene.thread(later);
  assert.equal(theirs.name, "a person's own");
  await scene.until("it answers", () => /You said and here\?/.test(discord.transcript(theirs)));
  const more = discord.say(alice, theirs, "without a mention");
  await scene.until("it goes on", () => more.reactions.has("🆗"));
  assert.deepEqual(discord.violations, []);
});

test("direct messages: a session for each person, no thread, no mention; off, or from a stranger, they are not answered", async (t) => {
  const scene = await pair(t);
  const { discord, alice, bob, mallory, dealer } = scene;
  const stranger = discord.say(mallory, discord.openDirect(mallory), "let me in");
  const off = discord.say(alice, discord.openDirect(alice, dealer.person), "are you there?");
  const hers = discord.openDirect(alice);
  const his = discord.openDirect(bob);
  const first = discord.say(alice, hers, "hello");
  const other = discord.say(bob, his, "hello from bob");
  for (const one of [first, other]) {
    await scene.until("it is answered", () => one.reactions.has("🆗"));
  }
  discord.say(alice, hers, "and again");
  await scene.until(
    "it is answered",
    () => /You said hello[^]*You said and again/.test(discord.transcript(hers)),
  );
  assert.doesNotMatch(discord.transcript(hers), /bob/);
  const pids = scene.prompts().map(({ pid, bodies }) => [bodies.join(), pid] as const);
  const pidOf = Object.fromEntries(pids);
  assert.equal(pidOf["hello"], pidOf["and again"], "one session for a person");
  assert.notEqual(pidOf["hello"], pidOf["hello from bob"]);
  assert.deepEqual([...stranger.reactions.keys()], ["🚫"]);
  assert.equal(discord.messages(stranger.channelId).length, 1, "no words for a stranger");
  assert.deepEqual([off.reactions.size, discord.messages(off.channelId).length], [0, 1]);
  assert.equal([...discord.channels.values()].some(({ type }) => type === 11), false);
  assert.deepEqual(discord.violations, []);
});

test("a thread that Discord allows in four minutes only: that is said, nothing is lost, and it comes when it may", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  const faults = createFaults(discord, 1);
  const first = scene.start();
  await scene.ready();
  const free = faults.call({
    what: { kind: "limit", seconds: 240, scope: "shared" },
    route: /POST .*\/threads$/,
  });
  const asked = scene.mention("hello");
  const told = () => scene.answers(scene.lab);
  await scene.until("it is said", () => told().length === 1);
  assert.match(told()[0]!.content, /no new thread for 4 min/);
  assert.equal(told()[0]!.replyTo, asked.id);
  assert.ok(asked.reactions.has("👀"));
  free();
  // A fresh start knows of no limit.
  first.child.kill("SIGTERM");
  await first.ended;
  scene.start();
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => /You said hello/.test(discord.transcript(thread)));
  assert.equal(told().length, 1);
  assert.deepEqual(discord.violations, []);
});

test("what the gateway tells twice, or in another order, is answered once", async (t) => {
  const scene = await brokerScene(t);
  const { discord, alice } = scene;
  const faults = createFaults(discord, 7);
  faults.event({ fate: "twice", name: /^MESSAGE_/ });
  scene.start();
  await scene.ready();
  const asked = scene.mention("hello");
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  const said = ["one", "two", "three"].map((text) => discord.say(alice, thread, text));
  for (const one of said) await scene.until("it is taken", () => one.reactions.size > 0);
  await scene.until("the last is answered", () => said.at(-1)!.reactions.has("🆗"));
  assert.deepEqual(scene.prompts().flatMap(({ bodies }) => bodies), [
    "hello",
    "one",
    "two",
    "three",
  ]);
  const told = () =>
    scene.answers(thread).flatMap(({ content }) => content.match(/hello|one|two|three/g) ?? []);
  await scene.until("all is told", () => told().length >= 4);
  assert.deepEqual(told(), ["hello", "one", "two", "three"]);
  assert.deepEqual(discord.violations, []);
});
