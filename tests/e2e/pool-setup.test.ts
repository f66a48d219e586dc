import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { atTerminal } from "../support/at-terminal.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import type { FakeDiscord } from "../support/discord/start-discord.ts";
import { HERD } from "../support/herd.ts";
import { livePool } from "../support/live-pool.ts";

const ECHO = { "echo.sh": "#!/bin/bash\nprintf 'did: %s' \"$(cat)\"\n" };
const CONFIG = ".config/herd/config.yaml";

async function discordOf(t: { after(act: () => unknown): void }): Promise<FakeDiscord> {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  return discord;
}

test("the walk-through: set-up by options, a daemon, a worker, a message becomes a result", async (t) => {
  const discord = await discordOf(t);
  const alice = discord.person("alice");
  const mallory = discord.person("mallory", { manages: true });
  const pool = livePool(t, {
    env: { DISCORD_API_URL: discord.url, MY_TOKEN: discord.token, OPENROUTER_API_KEY: "" },
    programs: ECHO,
  });
  const options = [
    ...["--token-env", "MY_TOKEN", "--author", alice.id, "--operator", "1", "--budget", "2.5"],
    ...["--backend", "command", "--program", pool.path("echo.sh"), "--sandbox", "none"],
    ...["--queue", "#Our Tasks", "--private"],
  ];
  const without = await pool.run("pool", "start");
  assert.equal(without.code, 2);
  assert.match(without.stderr, /there is no ".*config\.yaml"[^]*herd pool setup/);

  const invite = await pool.run("pool", "invite", "--bot", "123456789012345678", "--json");
  const { workers } = JSON.parse(invite.stdout);
  assert.match(workers[0].url, /client_id=123456789012345678&permissions=\d+&scope=bot$/);
  assert.equal(
    BigInt(new URL(workers[0].url).searchParams.get("permissions")!),
    (1n << 10n) | (1n << 38n) | (1n << 16n) | (1n << 15n),
  );

  const dry = await pool.run("pool", "setup", ...options, "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stdout,
    /^pool:\n {2}discord:\n {4}guild_id: "\d+" # lab\n {4}token_env: MY_TOKEN/,
  );
  assert.match(dry.stderr, /#our-tasks would be made/);
  assert.ok(!existsSync(pool.path(CONFIG)));
  assert.equal(discord.channels.size, 0);

  writeFileSync(pool.path(CONFIG), "# mine\nbroker: {enabled: false} # kept\n", { mode: 0o644 });
  const made = await pool.run("pool", "setup", ...options);
  assert.equal(made.code, 0, made.stderr);
  assert.match(
    made.stdout,
    /Next:\n {2}herd pool start --detach .*\n {2}herd worker .*\n {2}herd task /,
  );
  const file = readFileSync(pool.path(CONFIG), "utf8");
  assert.ok(file.startsWith("# mine\nbroker: {enabled: false} # kept\n\npool:\n"), file);
  assert.match(file, /queue: "\d+" # #our-tasks/);
  assert.match(file, /usd_per_day: 2\.5/);
  assert.equal(statSync(pool.path(CONFIG)).mode & 0o777, 0o600);
  const queue = discord.channel("our-tasks")!;
  assert.deepEqual(
    queue.overwrites.map(({ id, type }) => [id, type]),
    [[discord.guild.id, 0], [discord.bot.id, 1], [alice.id, 1], ["1", 1]],
  );

  const checked = await pool.run("pool", "check");
  assert.equal(checked.code, 0, checked.stdout);
  assert.match(checked.stdout, /✓ Channel "#our-tasks" is there/);
  assert.match(checked.stdout, /✓ Backend "program" has what it needs here/);
  assert.match(checked.stdout, /✓ MESSAGE CONTENT INTENT is on/);

  await pool.daemon();
  pool.worker("--slots", "3");
  const results = discord.channel("results")!;
  await discord.until(
    "a worker is seen",
    () => /READY/.test(discord.transcript(discord.channel("worker-pool")!)),
  );
  const said = discord.say(alice, queue, "Calculate 5 × 5 [thinking:low]");
  await discord.until("its result", () => /did: Calculate 5 × 5/.test(discord.transcript(results)));
  await discord.until("its sign", () => said.reactions.has("✅"));
  const foreign = discord.say(mallory, queue, "mine bitcoin");
  await discord.until("nobody else gives tasks", () => foreign.reactions.has("🚫"));
  const submitted = await pool.run("task", "submit", "by hand", "--wait");
  assert.match(submitted.stdout, /did: by hand/);

  const arguments_ = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  });
  assert.ok(arguments_.some((line) => line.includes("worker")));
  assert.ok(
    !arguments_.some((line) => line.includes(discord.token)),
    "D.11.30: no argument has it",
  );

  const again = await pool.run("pool", "setup", ...options);
  assert.equal(again.code, 3);
  assert.match(again.stderr, /has a section "pool" already[^]*--force/);
  const forced = await pool.run("pool", "setup", ...options, "--force", "--store-keys");
  assert.equal(forced.code, 0, forced.stderr);
  const texts = [...discord.channels.values()].filter(({ type }) => type === 0);
  assert.equal(texts.length, 3, "what was made is found again");
  assert.equal(readFileSync(pool.path(`${CONFIG}.before-setup`), "utf8"), file);
  assert.ok(readFileSync(pool.path(CONFIG), "utf8").includes(`token: "${discord.token}"`));
  for (const { stdout, stderr } of [dry, made, checked, again, forced]) {
    assert.ok(!`${stdout}${stderr}`.includes(discord.token), "the token is never shown");
  }
  assert.deepEqual(readdirSync(pool.path(".config/herd")).sort(), [
    "config.yaml",
    "config.yaml.before-setup",
  ]);
  assert.deepEqual(discord.violations, []);
});

test("a person at a terminal is asked for everything, and may leave before anything is changed", async (t) => {
  const discord = await discordOf(t);
  const pool = livePool(t, {
    env: { DISCORD_API_URL: discord.url, TERM: "xterm", ANTHROPIC_API_KEY: "sk-ant-secret" },
    programs: ECHO,
  });
  discord.makeChannel("results");
  discord.messageContent(false);
  const person = atTerminal([HERD, "pool", "setup"], pool.home.env);
  t.after(() => person.end());
  await person.answer(/Shall the pool be on Discord\? \[Y\/n\]/, "");
  await person.answer(/Paste the token here/, "no-token-at-all");
  await person.answer(/Paste the token here/, discord.token);
  await person.answer(/Enter when it is on/, "", () => discord.messageContent(true));
  await person.answer(/1\. lab \(\d+\)[^]*Number/, "1");
  await person.answer(/tasks \[task-queue\]/, "todo");
  await person.answer(/results \[results\]/, "");
  await person.answer(/workers \[worker-pool\]/, "");
  await person.answer(/may submit:/, "alice");
  await person.answer(/may submit:/, "<@1>");
  await person.answer(/may stop, drain and retry:/, "");
  await person.answer(/seen by these people only\? \[y\/N\]/, "");
  await person.answer(/1\. anthropic: .*ANTHROPIC_API_KEY is set[^]*Number:/, "nothing");
  await person.answer(/is none of them[^]*Number:/, "5");
  await person.answer(/The program and its arguments:/, pool.path("echo.sh"));
  await person.answer(/What may agents reach[^]*Number \[\d\]:/, "2");
  await person.answer(/US dollars\? "none" is no limit \[5\]:/, "none");
  await person.answer(/token: "\(not shown\)"[^]*and make #todo, #worker-pool\? \[Y\/n\]/, "n");
  assert.equal(await person.ended, 1, person.shown());
  assert.match(person.shown(), /Nothing was changed/);
  assert.ok(!existsSync(pool.path(CONFIG)));
  assert.equal(discord.channels.size, 1);

  const second = atTerminal(
    [HERD, "pool", "setup", "--backend", "anthropic", "--store-keys", "--budget", "1"],
    { ...pool.home.env, DISCORD_BOT_TOKEN: discord.token },
  );
  t.after(() => second.end());
  await second.answer(/1\. lab \(\d+\)[^]*Number/, "1");
  for (
    const question of [/tasks \[/, /results \[/, /workers \[/, /may submit/, /may stop/, /only/]
  ) {
    await second.answer(question, "");
  }
  await second.answer(/What may agents reach[^]*Number \[\d\]:/, "1");
  await second.answer(/make #task-queue, #worker-pool\? \[Y\/n\]/, "y");
  assert.equal(await second.ended, 0, second.shown());
  const file = readFileSync(pool.path(CONFIG), "utf8");
  assert.match(file, /api_key: sk-ant-secret/);
  assert.match(file, /research:\n +backend: anthropic\n +model: claude-opus/);
  for (const shown of [person.shown(), second.shown()]) {
    assert.ok(!shown.includes(discord.token) && !shown.includes("sk-ant-secret"), shown);
  }
  const checked = await pool.run("pool", "check", "--json");
  assert.equal(checked.code, 0, checked.stdout);
  assert.equal(JSON.parse(checked.stdout).ok, true);
});

test("coming from discord-orchestration: its two files become a pool, keys stay out of sight", async (t) => {
  const discord = await discordOf(t);
  const ids = ["task-queue", "results", "worker-pool"].map((name) => discord.makeChannel(name).id);
  const pool = livePool(t, { env: { DISCORD_API_URL: discord.url } });
  writeFileSync(
    pool.path("discord-config.env"),
    `# Bot Tokens (KEEP SECRET!)
CHIP_TOKEN="${discord.token}"
WORKER1_TOKEN="MTA.abcdefghijklmnopqrstuvwxyz"
TASK_QUEUE_CHANNEL="${ids[0]}"
RESULTS_CHANNEL="${ids[1]}"
WORKER_POOL_CHANNEL="${ids[2]}"
GUILD_ID="${discord.guild.id}"
POLL_INTERVAL="5"
`,
    { mode: 0o600 },
  );
  writeFileSync(
    pool.path("openclaw.json"),
    JSON.stringify({
      env: { OPENROUTER_API_KEY: "sk-or-secret" },
      models: {
        providers: {
          openrouter: {
            baseUrl: "https://openrouter.ai/api/v1",
            api: "openai-completions",
            models: [{ id: "moonshotai/kimi-k2.5", cost: { input: 0.00045, output: 0.00225 } }],
          },
        },
      },
      agents: { defaults: { model: { primary: "openrouter/moonshotai/kimi-k2.5" } } },
    }),
  );
  const shown = await pool.run("pool", "import", pool.path("discord-config.env"));
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /token_env: CHIP_TOKEN/);
  assert.match(shown.stderr, /WORKER1_TOKEN[^]*POLL_INTERVAL: nothing is polled/);
  const files = ["--import", "discord-config.env", "--import", "openclaw.json"];
  const made = await pool.run(
    "pool",
    "setup",
    ...files.map((one) => one.startsWith("-") ? one : pool.path(one)),
  );
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /OPENROUTER_API_KEY is not set here/);
  const file = readFileSync(pool.path(CONFIG), "utf8");
  assert.ok(file.includes(`token: "${discord.token}"`));
  ids.forEach((id) => assert.ok(file.includes(`"${id}"`)));
  assert.match(file, /primary:\n +backend: openrouter[^]*\{input: 0\.45, output: 2\.25\}/);
  assert.ok(!file.includes("sk-or-secret"));
  for (const { stdout, stderr } of [shown, made]) {
    assert.ok(!`${stdout}${stderr}`.includes(discord.token));
    assert.ok(!`${stdout}${stderr}`.includes("sk-or-secret"));
  }
  assert.equal(discord.channels.size, 3);
});

test("everything that is missing is named at once, and what Discord says is wrong too", async (t) => {
  const discord = await discordOf(t);
  const pool = livePool(t, { env: { DISCORD_API_URL: discord.url } });
  const nothing = await pool.run("pool", "setup");
  assert.equal(nothing.code, 2);
  for (const word of [/--backend anthropic/, /DISCORD_BOT_TOKEN is not set/, /--guild ID/]) {
    assert.match(nothing.stderr, word);
  }
  const wrong = await pool.run(
    ...["pool", "setup", "--backend", "openai", "--author", "bob", "--token-env", discord.token],
  );
  for (const word of [/--base-url/, /--model ID/, /--author "bob"/, /expected the name of a var/]) {
    assert.match(wrong.stderr, word);
  }
  assert.ok(!wrong.stderr.includes(discord.token), "a token in the wrong place is not shown");

  pool.home.env["DISCORD_BOT_TOKEN"] = discord.token;
  pool.home.env["ANTHROPIC_API_KEY"] = "x";
  discord.permit("MANAGE_CHANNELS", false);
  discord.permit("READ_MESSAGE_HISTORY", false);
  discord.makeChannel("task-queue", "Sweep other [herd:abcdef]");
  const rights = await pool.run("pool", "setup");
  assert.equal(rights.code, 2);
  assert.match(rights.stderr, /"#task-queue" \(queue\): its topic says[^]*Manage Channels/);
  discord.revokeToken();
  const refused = await pool.run("pool", "setup");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /Reset the token/);
  assert.ok(!existsSync(pool.path(CONFIG)));
  const offline = await pool.run("pool", "setup", "--no-discord");
  assert.equal(offline.code, 0, offline.stderr);
  assert.doesNotMatch(readFileSync(pool.path(CONFIG), "utf8"), /discord:/);
});
