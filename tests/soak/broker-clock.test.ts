import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { brokerScene } from "../support/broker-scene.ts";

test("the compiled binary tells a reminder once over kill -9, and asks by the clock from a file that changes", async (t) => {
  const scene = await brokerScene(t, {
    more: "  cron: {usercron_enabled: true, usercron_path: FOLDER/cron.yaml}",
  });
  const { discord, alice, lab } = scene;
  const first = scene.start();
  await scene.ready();
  const asked = scene.mention("hello");
  const thread = await scene.thread(asked);
  await scene.until("it is answered", () => asked.reactions.has("🆗"));
  await discord.slash(alice, thread, "remind", { when: "1m", text: "look here" });
  writeFileSync(
    scene.path("cron.yaml"),
    `jobs:
  - {schedule: "* * * * *", channel: "${lab.id}", message: what is new}
  - {schedule: "nonsense", channel: "${lab.id}", message: bad}
`,
  );
  const prompts = () =>
    discord.messages(lab).filter(({ content }) => content === "🕐 [herd-cron]: what is new");
  await scene.until("the first prompt", () => prompts().length === 1, 90_000);
  const [prompt] = prompts();
  const own = await scene.thread(prompt!);
  await scene.until("it is answered", () => /You said what is new/.test(discord.transcript(own)));
  first.child.kill("SIGKILL");
  await first.ended;
  await scene.until("it is gone", () => !discord.gateway.isConnected(discord.bot.id));
  scene.start();
  await scene.ready();
  const told = () =>
    discord.messages(thread).filter(({ content }) => content.includes("look here"));
  await scene.until("the reminder", () => told().length === 1, 90_000);
  assert.deepEqual(told()[0]!.pinged, [alice.id]);
  await scene.until("the next prompt", () => prompts().length === 2, 90_000);
  writeFileSync(scene.path("cron.yaml"), "jobs: []\n");
  await new Promise((resolve) => setTimeout(resolve, 75_000));
  assert.equal(told().length, 1);
  assert.ok(prompts().length <= 3, "one may have been due before the file was read");
  assert.deepEqual(discord.violations, []);
});
