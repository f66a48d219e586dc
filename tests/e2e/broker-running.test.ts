import assert from "node:assert/strict";
import { test } from "node:test";
import { brokerScene, twoBotScene } from "../support/broker-scene.ts";

test("B.86, B.89, B.108, B.114, C.15: what people said holds over kill -9, one daemon has the bot, the agent sees no secret, a spent budget stops new turns", async (t) => {
  const scene = await brokerScene(t, {
    env: { HERD_TEST_SECRET: "do not tell" },
    more: "  budget: {usd_per_day: 3}",
  });
  const { discord, alice } = scene;
  const first = scene.start();
  await scene.ready();
  const asked = scene.mention("env");
  const thread = await scene.thread(asked);
  const told = () => discord.transcript(thread);
  await scene.until("its environment", () => /env: .*HOME.*PATH/.test(told()));
  assert.doesNotMatch(told(), /BOT_TOKEN|SECRET|DISCORD/);

  discord.say(alice, thread, "ask");
  const question = () =>
    scene.answers(thread).find(({ components }) => JSON.stringify(components).includes("Always"));
  await scene.until("the question", () => question() !== undefined);
  await discord.click(alice, question()!, "Always in this conversation");
  await scene.until("it goes on", () => /answer: allow_once/.test(told()));
  await discord.slash(alice, thread, "remind", { when: "30d", text: "look again" });

  const other = scene.start();
  // The daemon that is there has the bot, and goes on with it.
  assert.equal(await other.ended, 0);
  assert.match(other.output(), /already|is open|runs/i);

  first.child.kill("SIGKILL");
  await first.ended;
  await scene.until("it is gone", () => !discord.gateway.isConnected(discord.bot.id));
  scene.start();
  await scene.until("it is there again", () => discord.gateway.isConnected(discord.bot.id));
  const again = discord.say(alice, thread, "ask");
  await scene.until("nobody is asked", () => again.reactions.has("🆗"));
  const reminders = await discord.slash(alice, thread, "remind");
  assert.match(reminders.message()!.content, /look again/);
  const grants = await discord.slash(alice, thread, "session permissions");
  assert.match(grants.message()!.content, /1\. `make clean`, allowed by <@\d+>/);
  await discord.click(alice, grants.message()!, "Ask again for 1");
  discord.say(alice, thread, "ask");
  await scene.until("a person is asked again", () => question() !== undefined);
  await discord.click(alice, question()!, "Deny");
  await scene.until("it is denied", () => /answer: reject_once/.test(told()));

  discord.say(alice, thread, "spend");
  await scene.until("it is answered with its price", () => /\$5/.test(told()));
  discord.say(alice, thread, "once more");
  const refused = /Today's budget is used up: \$5\.00 of \$3/;
  await scene.until("it is refused", () => refused.test(told()));
  assert.deepEqual(discord.violations, []);
});

test("B.49, C.4: the agent knows a role by its name; /steer stops its turn and is done instead, signs and all", async (t) => {
  const scene = await brokerScene(t);
  const { discord, alice } = scene;
  discord.guild.roles.set("4242", { id: "4242", name: "trainers", permissions: 0n });
  scene.start();
  await scene.ready();
  const asked = scene.mention("slow 60 <@&4242>");
  const thread = await scene.thread(asked);
  await scene.until("it works", () => /I begin/.test(discord.transcript(thread)));
  const [{ text } = { text: "" }] = scene.prompts();
  assert.match(text, /- "trainers" <@&4242>: a role; in messages @\(role\) stands for it/);
  assert.match(text, /slow 60 @\(role\)/);

  const steered = await discord.slash(alice, thread, "steer", { text: "hello *instead*" });
  await scene.until("the turn is stopped", () => asked.reactions.has("🛑"));
  await scene.until(
    "it is done instead",
    () => /You said hello \*instead\*/.test(discord.transcript(thread)),
  );
  const post = steered.message()!;
  assert.match(post.content, /^↪️ \*\*alice\*\*\n> hello \\\*instead\\\*\n-# The turn that runs/);
  await scene.until("its sign", () => post.reactions.has("🆗"));
  assert.deepEqual(scene.prompts().map(({ bodies }) => bodies.at(-1)), [
    "slow 60 @(role)",
    "hello *instead*",
  ]);
  assert.deepEqual(discord.violations, []);
});

test("B.92: where another bot writes an answer comes once, unless streaming is on", async (t) => {
  const scene = await twoBotScene(t, { second: "answers: {streaming: on}," });
  const { discord, alice, lab, second } = scene;
  const guest = discord.addBot("Guest").person;
  const grows = await Promise.all([discord.bot.id, second.person.id].map(async (bot) => {
    const asked = discord.say(alice, lab, `<@${bot}> hello`);
    const thread = await scene.thread(asked);
    await scene.until("it is answered", () => asked.reactions.has("🆗"));
    discord.say(guest, thread, "I am here, too");
    const slow = discord.say(alice, thread, `<@${bot}> slow 3`);
    await scene.until("it is answered", () => slow.reactions.has("🆗"));
    const find = () =>
      discord.messages(thread).find(({ content }) => content.includes("I begin. I end."));
    await scene.until("the answer", () => find() !== undefined);
    return find()!.edits > 0;
  }));
  assert.deepEqual(grows, [false, true]);
  assert.deepEqual(discord.violations, []);
});
