import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { brokerScene } from "../support/broker-scene.ts";

test("G.8.5: 30,000 characters of tables and fences are few messages and a file, all fences closed, nothing twice", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  const shown: string[] = [];
  discord.fault = ({ body }) => {
    const { content } = (body ?? {}) as { content?: string };
    if (content !== undefined) shown.push(content);
    return undefined;
  };
  scene.start();
  await scene.ready();
  const asked = scene.mention("report");
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  await scene.until("the file", () => discord.transcript(thread).includes("<answer.md>"));
  const answers = scene.answers(thread);
  const texts = answers.map(({ content }) => content).filter((text) => text !== "");
  assert.ok(texts.length >= 1 && texts.length <= 4, `${texts.length} messages`);
  for (const text of shown) {
    assert.ok(text.length <= 2_000, `${text.length} characters`);
    assert.equal(text.split("```").length % 2, 1, `an open fence: ${text}`);
  }
  const rows = [...texts.join("\n").matchAll(/row \d{3}/g)].map(([row]) => row);
  assert.ok(rows.length > 0);
  assert.equal(new Set(rows).size, rows.length, "a row is shown twice");
  const files = answers.flatMap((one) => one.files);
  assert.equal(files.length, 1);
  const whole = new TextDecoder().decode(files[0]!.bytes);
  assert.ok(whole.length > 30_000, `${whole.length} characters`);
  assert.deepEqual(
    [...whole.matchAll(/row (\d{3})/g)].map(([, row]) => Number(row)),
    Array.from({ length: 120 }, (_, i) => i),
  );
  assert.deepEqual(discord.violations, []);
});

test("G.8.6: an attachment alone, of unknown type: a titled thread, the file in the workspace, the answer says so", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  scene.start();
  await scene.ready();
  const bytes = Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 256);
  const asked = scene.mention("", { files: [{ name: "weights.ckpt", bytes }] });
  const thread = await scene.thread(asked);
  assert.equal(thread.name, "weights.ckpt");
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  await scene.until(
    "people are told",
    () =>
      scene.answers(thread).some(({ content }) =>
        /`weights\.ckpt` .* is saved for the agent/.test(content)
      ),
  );
  const path = /^path: (.*)$/m.exec(scene.prompts()[0]!.bodies[0]!)?.[1];
  assert.ok(path !== undefined && existsSync(path), `no file "${path}"`);
  assert.deepEqual(new Uint8Array(readFileSync(path)), bytes);
  assert.deepEqual(discord.violations, []);
});

test("G.8.10: a silent agent is shown as stuck, with buttons to wait on and to stop; others are answered meanwhile", async (t) => {
  const scene = await brokerScene(t, { more: "  limits: {silence: 10s}" });
  const { discord, alice } = scene;
  scene.start();
  await scene.ready();
  const patient = scene.mention("hush");
  const impatient = scene.mention("hush");
  const threads = await Promise.all([patient, impatient].map(scene.thread));
  const stuck = (i: number) =>
    scene.answers(threads[i]!).find(({ content, components }) =>
      /Nothing was heard of the agent/.test(content) && components.length > 0
    );
  await scene.until("both are stuck", () => [0, 1].every((i) => stuck(i) !== undefined));
  const other = scene.mention("hello");
  await scene.until("another is answered", () => other.reactions.has("🆗"));
  assert.ok(stuck(0) !== undefined && stuck(1) !== undefined, "they are stuck still");

  await discord.click(alice, stuck(0)!, "Wait on");
  await discord.click(alice, stuck(1)!, "Stop");
  await scene.until("the one is stopped", () => impatient.reactions.has("🛑"));
  await scene.until("the other is waited on", () => stuck(0) === undefined);
  writeFileSync(scene.path("go"), "");
  await scene.until("and answered", () => /It was hard/.test(discord.transcript(threads[0]!)));
  assert.doesNotMatch(discord.transcript(threads[1]!), /It was hard/);
  assert.deepEqual(discord.violations, []);
});

test("G.8.11: what was said while the gateway was dead is answered once each, wherever it was said", async (t) => {
  const scene = await brokerScene(t, { discordMore: "    allow_dm: true" });
  const { discord, alice, lab } = scene;
  scene.start();
  await scene.ready();
  const asked = scene.mention("hello");
  const thread = await scene.thread(asked);
  const direct = discord.openDirect(alice);
  const before = discord.say(alice, direct, "a word aside");
  const foreign = discord.startThread(alice, lab, "of people");
  for (const one of [asked, before]) await scene.until("an answer", () => one.reactions.has("🆗"));

  discord.gateway.faults.refuse = true;
  discord.gateway.faults.refuseResume = true;
  discord.gateway.cut();
  const mention = `<@${discord.bot.id}>`;
  const said = [
    discord.say(alice, thread, "one, in its thread"),
    discord.say(alice, lab, `${mention} two, in the channel`),
    discord.say(alice, direct, "three, in direct messages"),
    discord.say(alice, foreign, `${mention} four, in a thread of people`),
  ];
  const withdrawn = discord.say(alice, lab, `${mention} five, deleted meanwhile`);
  discord.deleteMessage(withdrawn);
  await scene.until("it is noticed", () => !discord.gateway.isConnected(discord.bot.id));
  discord.gateway.faults.refuse = false;
  for (const one of said) {
    await scene.until(`"${one.content}" is answered`, () => one.reactions.has("🆗"), 60_000);
  }
  const all = () =>
    [...discord.channels.values()].flatMap((one) => scene.answers(one))
      .map(({ content }) => content).join("\n");
  const told = () => all().match(/(one|two|three|four|five), /g)?.sort() ?? [];
  await scene.until("all is told", () => told().length >= 4);
  assert.deepEqual(told(), ["four, ", "one, ", "three, ", "two, "]);
  assert.equal(scene.prompts().length, 6);
  assert.deepEqual(discord.violations, []);
});
