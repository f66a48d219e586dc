import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { brokerScene } from "../support/broker-scene.ts";

test("a daemon of bots restarts in its process: they are back, and nobody waits in vain", async (t) => {
  const scene = await brokerScene(t);
  const { discord } = scene;
  const daemon = scene.start();
  await scene.ready();
  const first = scene.mention("hello");
  await scene.until("it answers", () => first.reactions.has("🆗"));
  const waiting = scene.mention("wait");
  const thread = await scene.thread(waiting);
  await scene.until("a turn runs", () => /Half/.test(discord.transcript(thread)));

  const restarting = scene.run("monitor", "--restart", "--json");
  await scene.until("the bot is gone", () => !discord.gateway.isConnected(discord.bot.id));
  const meanwhile = scene.mention("said in between");
  const { code, stdout, stderr } = await restarting;
  assert.equal(code, 0, stderr);
  const { restarted, pid } = JSON.parse(stdout);
  assert.deepEqual([restarted, pid], [true, daemon.child.pid]);
  await scene.ready();
  writeFileSync(scene.path("go"), "");
  await scene.until("what was said meanwhile is answered", () => meanwhile.reactions.has("🆗"));
  await scene.until("the turn that was cut began anew", () => waiting.reactions.has("🆗"));
  await scene.until("its answer", () => /Half and whole\./.test(discord.transcript(thread)));
  const said = scene.answers(thread).map(({ content }) => content).filter((one) =>
    /Half/.test(one)
  );
  assert.equal(said.length, 1, `its answer is there once: ${discord.transcript(thread)}`);
  const { bots } = JSON.parse((await scene.run("broker", "--json")).stdout);
  assert.deepEqual(
    bots.map(({ name, waiting }: { name: string; waiting: number }) => [name, waiting]),
    [
      ["herd", 0],
    ],
  );
});
