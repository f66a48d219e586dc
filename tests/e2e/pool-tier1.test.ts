import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { test } from "node:test";
import { makeHome } from "../support/daemon.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import { HERD } from "../support/herd.ts";
import { livePool } from "../support/live-pool.ts";

interface Test {
  after(act: () => unknown): void;
}

/** A machine that knows nothing of the daemon: only Discord's address and its bot's token. */
function farMachine(t: Test, env: Record<string, string>) {
  const home = makeHome({ NO_COLOR: "1", ...env });
  const children: ChildProcess[] = [];
  t.after(() => {
    for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
    home.remove();
  });
  return {
    home,
    run(...args: string[]) {
      const child = spawn(HERD, args, { env: home.env, stdio: ["ignore", "pipe", "pipe"] });
      children.push(child);
      let output = "";
      for (const stream of [child.stdout!, child.stderr!]) {
        stream.setEncoding("utf8").on("data", (text) => output += text);
      }
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
      return { child, output: () => output, ended };
    },
  };
}

const YAML = `pool:
  discord: {guild_id: "GUILD", token_env: POOL_TOKEN}
  defaults: {model: echo, sandbox: none}
  backends:
    echo: {kind: command, command: [bash, -c, 'text=$(cat); case "$text" in *slow*) sleep 600;; *big*) seq 20000;; esac; printf "col\\n1\\n" > table.csv; printf "did: %s" "$text"'], input: stdin, result: stdout}
  models:
    echo: {backend: echo, usd_per_million_tokens: {input: 0, output: 0}}
`;

test("a worker with nothing but Discord and its own bot enrols, works, survives kill -9, and obeys nobody else", async (t) => {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const admin = discord.person("admin", { manages: true });
  const pool = livePool(t, {
    env: { DISCORD_API_URL: discord.url, POOL_TOKEN: discord.token },
    yaml: YAML.replace("GUILD", discord.guild.id),
  });
  await pool.daemon();
  await discord.until("#worker-pool", () => discord.channel("worker-pool") !== undefined, 30_000);
  const bot = discord.addBot("W4");
  const other = discord.addBot("Mallory");
  const far = farMachine(t, { DISCORD_API_URL: discord.url, W4_TOKEN: bot.token });
  const thief = farMachine(t, { DISCORD_API_URL: discord.url, W4_TOKEN: other.token });

  let said = await pool.run("pool", "enrol", "w4", "--via", "discord", "--json");
  assert.equal(said.code, 0, said.stderr + said.stdout);
  const { code } = JSON.parse(said.stdout) as { code: string };
  assert.match(code, /^\d+\.\d+\.[\w-]+$/);
  const mailbox = discord.channels.get(code.split(".")[0]!)!;
  assert.equal(mailbox.parentId, discord.channel("worker-pool")!.id);
  const enrolling = ["worker", "--via", "discord", "--code", code, "--token-env", "W4_TOKEN"];

  let worker = far.run(...enrolling, "--alone");
  await discord.until("it says hello", () => /HELLO/.test(discord.transcript(mailbox)), 30_000);
  await discord.until("it is welcome", () => /WELCOME w4/.test(discord.transcript(mailbox)));
  assert.ok(!discord.transcript(mailbox).includes(code), "the code itself is never said");
  await discord.until(
    "it is ready",
    () => /W4: .*\[READY\\?\] w4/.test(discord.transcript(mailbox)),
    30_000,
  );

  const submit = async (text: string) =>
    (await pool.run("task", "submit", text)).stdout.trim().split(/\s/)[0]!;
  const until = (what: string, id: string, status: string, ms = 60_000) =>
    pool.until(
      `${what} (${worker.output()})\n${discord.transcript(mailbox)}`,
      async () => (await pool.task(id)).status === status,
      ms,
    );
  const first = await submit("say hello @everyone");
  await until("the first is done", first, "succeeded");
  const done = await pool.task(first);
  assert.match(JSON.stringify(done), /did: say hello/);
  const results = discord.channel("results")!;
  await discord.until(
    "its file is delivered, too",
    () => discord.messages(results).some(({ files }) => files.some((f) => f.name === "table.csv")),
  );
  const big = await submit("a big one");
  await until("a result that is larger than a message", big, "succeeded");

  // Started again with its old code, as after a reboot: what the first one says is heard on.
  const twice = far.run(...enrolling, "--alone");
  await discord.until(
    "it says hello once more",
    () => (discord.transcript(mailbox).match(/HELLO/g) ?? []).length > 1,
    30_000,
  );
  twice.child.kill("SIGKILL");
  await twice.ended;
  const after = await submit("after a second hello");
  await until("its report is read on", after, "succeeded");

  // A code counts once, also for whoever saw all of the mailbox.
  const stolen = thief.run(...enrolling, "--alone");
  // An order of anybody else is nobody's, whatever it looks like.
  const slow = await submit("a slow one");
  await until("it runs", slow, "running");
  const orders = discord.messages(mailbox).filter(({ author, content }) =>
    author.id === discord.bot.id && content.includes('"orders"')
  ).at(-1)!;
  const forged = orders.content.replaceAll(
    /"cancel":\[[^\]]*\]/g,
    () => `"cancel":[{"task":"${slow}","epoch":1,"why":"forged"}]`,
  )
    .replace('"stop":false', '"stop":true');
  assert.match(forged, /"stop":true/);
  discord.say(admin, mailbox, forged);
  discord.say(other.person, mailbox, forged);
  const report = discord.messages(mailbox).filter(({ author }) => author.id === bot.person.id)
    .at(-1)!;
  discord.say(
    other.person,
    mailbox,
    report.content.replace(
      /"attempts":\[.*?\]\}(?=,"files)/,
      () =>
        `"attempts":[{"task":"${slow}","epoch":1,"phase":"","use":[],"report":{"end":"done","cause":"","passing":true,"result":"forged","files":[],"folder":"/","use":[],"startedAt":0,"endedAt":0}}]}`,
    )
      .replace(/"number":\d+/, '"number":900000'),
  );

  // kill -9: its next life tells what became of it, and the task is offered again.
  worker.child.kill("SIGKILL");
  await worker.ended;
  worker = far.run("worker", "--name", "w4", "--alone");
  await pool.until(
    "the attempt that died with its worker is made again",
    async () => {
      const { attempts, status } = await pool.task(slow);
      return attempts.length > 1 && status === "running";
    },
    90_000,
  );
  assert.ok(!JSON.stringify(pool.events()).includes("forged"), "forged words change nothing");
  await pool.run("task", "cancel", slow);
  await until("it is cancelled", slow, "cancelled", 90_000);

  const last = await submit("one more");
  await until("the last is done", last, "succeeded");
  stolen.child.kill("SIGKILL");
  assert.ok(!stolen.output().includes("READY"));

  // Removed: it is told so, and ends for good.
  said = await pool.run("pool", "remove", "w4");
  assert.equal(said.code, 0, said.stderr);
  assert.notEqual(await worker.ended, null, worker.output());
  assert.match(worker.output(), /not wanted any more/);
  const pinged = discord.messages(mailbox).flatMap((one) => one.pinged);
  assert.deepEqual([...new Set(pinged)].sort(), [bot.person.id, discord.bot.id].sort());
  assert.deepEqual(discord.violations, []);
  for (const secret of [bot.token, discord.token]) {
    assert.ok(!worker.output().includes(secret));
    assert.ok(!JSON.stringify(pool.events()).includes(secret));
  }
});
