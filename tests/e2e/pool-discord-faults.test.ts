import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { createFaults } from "../support/discord/faults.ts";
import type { FakeMessage } from "../support/discord/world.ts";
import { runCampaign } from "../support/pool-discord-campaign.ts";
import { poolDiscordScene } from "../support/pool-discord-scene.ts";

test("G.8.1: five tasks outlive a kill -9 of the daemon, end once each and are told once", async (t) => {
  const scene = await poolDiscordScene(t);
  const { discord, pool, alice } = scene;
  const daemon = await scene.daemon();
  pool.worker("--slots", "2");
  const said = ["quick one", "wait two", "wait three", "queued four"].map((text) =>
    scene.say(alice, text)
  );
  await scene.until("one is done and two run", async () => {
    const all = (await pool.tasks()).map(({ status }) => status).sort();
    return all.filter((one) => one === "running").length === 2 && all.includes("succeeded");
  });
  daemon.child.kill("SIGKILL");
  await daemon.ended;
  said.push(scene.say(alice, "five, while it is dead"));
  await scene.daemon();
  writeFileSync(pool.path("go"), "");
  await scene.until("all five are told", () => {
    const text = scene.results().map(({ content }) => content).join("\n");
    return said.every(({ id }) => text.includes(`discord-${id}`));
  });
  for (const { id } of said) {
    const ends = pool.events().filter(({ what }) =>
      what.type === "task-ended" && what.task === `discord-${id}`
    );
    assert.deepEqual(ends.map(({ what }) => "status" in what && what.status), ["succeeded"]);
    const posts = scene.results().filter(({ content }) => content.includes(`\`discord-${id}\``));
    assert.equal(posts.length, 1, `${id} is told ${posts.length} times`);
  }
  const runs = readFileSync(pool.path("runs"), "utf8").trim().split("\n");
  assert.equal(runs.length, 5, "each ran once: the agents outlived the daemon");
  assert.deepEqual(discord.violations, []);
});

test("G.8.5: 30,000 characters of tables and fences are few messages and a file, all fences closed", async (t) => {
  const scene = await poolDiscordScene(t);
  const { discord, pool, alice } = scene;
  await scene.daemon();
  pool.worker();
  const said = scene.say(alice, "a table");
  await scene.until(
    "it is told",
    () => scene.results().some(({ content }) => content.includes(said.id)),
  );
  await scene.until("its sign", () => said.reactions.has("✅"));
  const posts = scene.results();
  assert.ok(posts.length <= 4, `${posts.length} messages`);
  for (const { content } of posts) {
    assert.equal((content.split("```").length - 1) % 2, 0, content);
    assert.ok(content.length <= 2_000);
  }
  const [file] = posts.flatMap(({ files }) => files);
  const whole = new TextDecoder().decode(file!.bytes);
  assert.ok(whole.length > 30_000, `${whole.length}`);
  assert.equal((await pool.task(`discord-${said.id}`)).result?.slice(0, 500), whole.slice(0, 500));
  assert.deepEqual(discord.violations, []);
});

test("a Discord with every fault at once: what is said is done once and told once", async (t) => {
  const scene = await poolDiscordScene(t);
  const { discord, pool, alice } = scene;
  await scene.daemon();
  pool.worker("--slots", "4");
  const faults = createFaults(discord, 5);
  faults.call({ what: { kind: "stale", ms: 5_000 }, chance: 0.2 });
  faults.call({ what: { kind: "gone" }, chance: 0.3 });
  for (const when of ["before", "after"] as const) {
    faults.call({ what: { kind: "status", status: 503, when }, chance: 0.1 });
  }
  for (const when of ["before", "after", "middle"] as const) {
    faults.call({ what: { kind: "drop", when }, chance: 0.05 });
  }
  faults.call({ what: { kind: "limit", seconds: 1, scope: "user" }, chance: 0.1 });
  faults.call({ what: { kind: "limit", seconds: 2, scope: "global" }, chance: 0.02 });
  for (const fate of ["twice", "lost", "late"] as const) {
    faults.event({ fate, chance: 0.15, name: /^MESSAGE/ });
  }
  const said: FakeMessage[] = [];
  for (let i = 0; i < 8; i++) {
    said.push(scene.say(alice, `in the storm ${i}`));
    if (i === 2) discord.gateway.cut();
    if (i === 5) discord.gateway.cut(4_009);
    await scene.until("some time passes", () => discord.calls.length > i * 6);
  }
  const thaw = faults.freeze();
  said.push(scene.say(alice, "in the freeze"));
  await scene.until("it is frozen", () => (faults.counts["freeze"] ?? 0) > 0);
  thaw();
  discord.gateway.cut(4_009);
  await scene.until("all are done", async () => {
    const tasks = await pool.tasks();
    return said.every(({ id }) =>
      tasks.some(({ task, status }) => task === `discord-${id}` && status === "succeeded")
    );
  }, 120_000);
  faults.clear();
  await scene.until("all are told", () => {
    const text = scene.results().map(({ content }) => content).join("\n");
    return said.every(({ id }) => text.includes(`discord-${id}`));
  }, 120_000);
  for (const { id } of said) {
    const posts = scene.results().filter(({ content }) => content.includes(`\`discord-${id}\``));
    assert.equal(posts.length, 1, `${id} is told ${posts.length} times`);
  }
  t.diagnostic(Object.entries(faults.counts).map(([what, n]) => `${what}: ${n}`).join(", "));
  const runs = readFileSync(pool.path("runs"), "utf8").trim().split("\n");
  assert.equal(runs.length, said.length, "each ran once");
});

// A message a second is Discord's pace: `deno task soak` has 500 tasks.
test("workers with homes of their own do 20 tasks once each on a Discord with limits", (t) =>
  runCampaign(t, { workers: 3, tasks: 20, idleMs: 1_000 }));
