import assert from "node:assert/strict";
import { test } from "node:test";
import { startDiscord } from "../support/discord/start-discord.ts";
import { livePool } from "../support/live-pool.ts";

test("the pool on Discord: a message is a task, its result and its worker are seen, also after an outage", async (t) => {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const alice = discord.person("alice", { manages: true });
  const mallory = discord.person("mallory");
  const pool = livePool(t, {
    env: { DISCORD_API_URL: discord.url, POOL_TOKEN: discord.token },
    programs: {
      "echo.sh": `#!/bin/bash
text=$(cat)
case "$text" in *long*) for i in $(seq 400); do echo "line $i of a long answer"; done ;; *) printf 'did: %s' "$text" ;; esac
`,
    },
    yaml: `pool:
  discord: {guild_id: "${discord.guild.id}", token_env: POOL_TOKEN}
  defaults: {model: echo, sandbox: none}
  backends:
    echo: {kind: command, command: [FOLDER/echo.sh], input: stdin, result: stdout}
  models:
    echo: {backend: echo, usd_per_million_tokens: {input: 0, output: 0}}
`,
  });
  await pool.daemon();
  const channel = (name: string) => discord.channel(name)!;
  await discord.until(
    "the three channels are there",
    () =>
      ["task-queue", "results", "worker-pool"].every((name) => discord.channel(name) !== undefined),
    30_000,
  );
  pool.worker("--slots", "2");
  const text = (name: string) => discord.transcript(channel(name));
  await discord.until(
    "the worker is seen",
    () => /worker-1/.test(text("worker-pool")) && /READY/.test(text("worker-pool")),
    30_000,
  );

  const said = discord.say(alice, channel("task-queue"), "say hello @everyone [thinking:low]");
  await discord.until("it is stored", () => said.reactions.has("👀"), 30_000);
  await discord.until("its result", () => /did: say hello/.test(text("results")), 30_000);
  assert.match(text("results"), /\[SUCCESS\]/);
  assert.match(text("results"), new RegExp(`discord-${said.id}`));
  await discord.until("its sign", () => said.reactions.has("✅"), 30_000);

  const forbidden = discord.say(mallory, channel("task-queue"), "mine bitcoin");
  await discord.until(
    "mallory is refused",
    () =>
      forbidden.reactions.has("🚫") ||
      discord.calls.some(({ path }) => path === "/users/@me/channels"),
    30_000,
  );
  const wrong = discord.say(alice, channel("task-queue"), "x [model:nothing]");
  await discord.until("a wrong tag is refused", () => wrong.reactions.has("❌"), 30_000);
  await discord.until("it is said why", () => /nothing.*echo/s.test(text("task-queue")), 30_000);
  discord.say(alice, channel("task-queue"), "a long one");
  await discord.until(
    "a long result is a file",
    () =>
      discord.messages(channel("results")).some(({ files }) =>
        files.some(({ name }) => name === "RESULT.md")
      ),
    30_000,
  );

  discord.fault = () => ({ kind: "status", status: 503, when: "before" });
  const ids: string[] = [];
  for (let i = 0; i < 15; i++) {
    const { stdout } = await pool.run("task", "submit", `meanwhile ${i}`);
    ids.push(stdout.trim().split(/\s/)[0]!);
  }
  await pool.until(
    "all are done without Discord",
    async () => (await pool.tasks()).filter(({ status }) => status === "succeeded").length === 17,
  );
  discord.fault = () => undefined;
  await discord.until(
    "all are told afterwards",
    () => ids.every((id) => text("results").includes(id)),
    90_000,
  );
  const nonces = discord.messages(channel("results")).flatMap(({ nonce }) => nonce ?? []);
  assert.equal(new Set(nonces).size, nonces.length, "nothing is told twice");
  assert.deepEqual(discord.messages(channel("results")).flatMap(({ pinged }) => pinged), []);
  assert.deepEqual(discord.violations, []);
});
