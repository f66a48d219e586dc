import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { FakeMessage } from "./discord/world.ts";
import { poolDiscordScene } from "./pool-discord-scene.ts";

interface Test {
  after(act: () => unknown): void;
  diagnostic(message: string): void;
}

/** Workers with homes of their own on a Discord with its limits: each task done once and told once. */
export async function runCampaign(
  t: Test,
  { workers, tasks, idleMs }: { workers: number; tasks: number; idleMs: number },
): Promise<void> {
  const scene = await poolDiscordScene(t);
  const { discord, pool, alice } = scene;
  discord.haste = 1;
  await scene.daemon();
  for (let i = 1; i <= workers; i++) await pool.elsewhere(`w${i}`, "--slots", "2");
  await scene.until("all workers are there", async () => {
    const { stdout } = await pool.run("pool", "status", "--json");
    return (stdout.match(/"READY"|"IDLE"/g) ?? []).length >= workers;
  }, 120_000);
  const patience = 120_000 + tasks * 4_000;
  const before = discord.calls.length;
  const begun = Date.now();
  const said: FakeMessage[] = [];
  for (let i = 0; i < tasks; i++) {
    said.push(scene.say(alice, `count to ${i}`));
    await new Promise((next) => setTimeout(next, Math.min(120, 60_000 / tasks)));
  }
  const saidMs = Date.now() - begun;
  const done = () => pool.events().filter(({ what }) => what.type === "task-ended").length;
  await scene.until("all are done", () => done() === tasks, patience);
  const doneMs = Date.now() - begun;
  await scene.until("all are told", () => {
    const text = scene.results().map(({ content }) => content).join("\n");
    return said.every(({ id }) => text.includes(`discord-${id}`));
  }, patience);
  await scene.until(
    "all bear their sign",
    () => said.every((one) => one.reactions.has("✅")),
    patience,
  );
  const spent = discord.calls.length - before;

  const ends = pool.events().flatMap(({ what }) =>
    what.type === "attempt-ended" && what.report.end === "done" ? [what.task] : []
  );
  assert.deepEqual([...ends].sort(), said.map(({ id }) => `discord-${id}`).sort(), "each once");
  const runs = readFileSync(pool.path("runs"), "utf8").trim().split("\n")
    .map((name) => name.split(":")[0]!);
  assert.deepEqual([...runs].sort(), [...ends].sort(), "each ran once");
  const assigned = pool.events().flatMap(({ what }) =>
    what.type === "task-assigned" && what.epoch === 1 ? [what.task] : []
  );
  assert.deepEqual(assigned, said.map(({ id }) => `discord-${id}`), "the oldest go first");
  const at = scene.results().map((one) => one.at);
  const busiest = Math.max(
    ...at.map((one) => at.filter((other) => other >= one && other < one + 5_000).length),
  );
  assert.ok(busiest <= 6, `${busiest} messages in #results within five seconds`);
  const nonces = scene.results().flatMap(({ nonce }) => nonce ?? []);
  assert.equal(new Set(nonces).size, nonces.length);
  const by = new Set(
    pool.events().flatMap(({ what }) => what.type === "task-assigned" ? [what.worker] : []),
  );
  const limited = discord.calls.filter(({ status }) => status === 429).length;

  // Until the last board is drawn, whatever is left to say is said.
  await new Promise((next) => setTimeout(next, Math.min(65_000, idleMs)));
  const quiet = discord.calls.length;
  await new Promise((next) => setTimeout(next, idleMs));
  const idle = discord.calls.length - quiet;
  const perHour = Math.round(idle * 3_600_000 / idleMs);
  t.diagnostic(
    `${tasks} tasks by ${by.size} workers, said in ${Math.round(saidMs / 1000)} s, done after ` +
      `${Math.round(doneMs / 1000)} s; ${spent} requests: ${
        (spent / tasks).toFixed(1)
      } per task, ` +
      `${limited} answered 429; ${idle} requests in ${
        idleMs / 1000
      } idle s, by that ${perHour} an hour`,
  );
  assert.ok(spent / tasks <= 20, "requests per task");
  if (idleMs >= 60_000) assert.ok(perHour <= 60, "requests per idle hour");
  assert.deepEqual(discord.violations, []);
}
