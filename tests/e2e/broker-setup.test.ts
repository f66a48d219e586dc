import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { atTerminal } from "../support/at-terminal.ts";
import { startDiscord } from "../support/discord/start-discord.ts";
import { HERD } from "../support/herd.ts";
import { livePool } from "../support/live-pool.ts";

const ECHO = { "echo.sh": "#!/bin/bash\nprintf 'did: %s' \"$(tail -n 3)\"\n" };
const CONFIG = ".config/herd/config.yaml";

async function scene(t: { after(act: () => unknown): void }, env: Record<string, string> = {}) {
  const discord = await startDiscord();
  t.after(() => discord[Symbol.asyncDispose]());
  const home = livePool(t, { env: { DISCORD_API_URL: discord.url, ...env }, programs: ECHO });
  return { discord, home, file: () => readFileSync(home.path(CONFIG), "utf8") };
}

test("B.6, B.13: by options: a link with the rights that it needs, a preview, the section, a bot that answers", async (t) => {
  const { discord, home, file } = await scene(t);
  home.home.env["MY_TOKEN"] = discord.token;
  const lab = discord.makeChannel("lab");
  const alice = discord.person("alice");
  const none = await home.run("broker", "invite");
  assert.equal(none.code, 2);
  assert.match(none.stderr, /Set DISCORD_BOT_TOKEN/);
  const { stdout } = await home.run("broker", "invite", "--token-env", "MY_TOKEN", "--json");
  const invite = new URL(JSON.parse(stdout).bots[0].url);
  assert.equal(invite.searchParams.get("scope"), "bot applications.commands");
  const bits = [6n, 10n, 11n, 15n, 16n, 35n, 38n].reduce((sum, bit) => sum | 1n << bit, 0n);
  assert.equal(invite.searchParams.get("permissions"), `${bits}`, "nothing to manage");

  const options = [
    ...["--token-env", "MY_TOKEN", "--channel", "#lab", "--user", alice.id, "--budget", "3"],
    ...["--backend", "command", "--program", home.path("echo.sh"), "--sandbox", "none"],
  ];
  mkdirSync(home.path(".config/herd"), { recursive: true });
  writeFileSync(home.path(CONFIG), "# mine\n");
  const dry = await home.run("broker", "setup", ...options, "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^broker:\n {2}discord:\n {4}bot_token_env: MY_TOKEN/);
  assert.equal(file(), "# mine\n");

  const made = await home.run("broker", "setup", ...options);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /Next:\n {2}herd broker check[^]*in #lab: @HerdDog hello/);
  assert.match(
    file(),
    new RegExp(`^# mine\\n\\nbroker:[^]*allowed_channels: \\["${lab.id}"\\] # #lab`),
  );
  assert.equal(statSync(home.path(CONFIG)).mode & 0o777, 0o600);
  const checked = await home.run("broker", "check");
  assert.equal(checked.code, 0, checked.stdout);
  assert.match((await home.run("broker", "invite")).stdout, /The bot "herd", HerdDog:\nhttps/);

  const again = await home.run("broker", "setup", ...options);
  assert.equal(again.code, 3);
  assert.match(again.stderr, /has a section "broker" already[^]*herd broker check[^]*--force/);
  const forced = await home.run("broker", "setup", ...options, "--force", "--store-keys");
  assert.equal(forced.code, 0, forced.stderr);
  assert.ok(file().includes(`bot_token: "${discord.token}"`));
  delete home.home.env["MY_TOKEN"];
  const beside = home.path(".config/herd/.env");
  writeFileSync(beside, `OTHER_TOKEN=${discord.token}\n`, { mode: 0o600 });
  const invited = await home.run("broker", "invite", "--token-env", "OTHER_TOKEN");
  assert.match(invited.stdout, /HerdDog:\nhttps/, "the token of .env");
  for (const { stdout, stderr } of [dry, made, checked, again, forced]) {
    assert.ok(!`${stdout}${stderr}`.includes(discord.token), "the token is never shown");
  }

  const started = await home.run("broker", "start", "--detach");
  assert.equal(started.code, 0, started.stderr);
  t.after(() => home.run("monitor", "--stop"));
  await discord.until("it is connected", () => discord.gateway.isConnected(discord.bot.id));
  const asked = discord.say(alice, lab, `<@${discord.bot.id}> 5 × 5`);
  await discord.until("it is answered", () => {
    const thread = discord.channels.get(asked.id);
    return thread !== undefined && /did: [^]*5 × 5/.test(discord.transcript(thread));
  });
  await home.run("monitor", "--stop");
  assert.deepEqual(discord.violations, []);
});

test("B.7, B.13: a person at a terminal is asked for everything; tokens and keys are not shown", async (t) => {
  const { discord, home, file } = await scene(t, { TERM: "xterm" });
  const lab = discord.makeChannel("lab");
  discord.makeChannel("other");
  discord.messageContent(false);
  const first = atTerminal([HERD, "broker", "setup"], home.home.env);
  t.after(() => first.end());
  await first.answer(/Reset Token[^]*Paste the token here/, "no-token-at-all");
  await first.answer(/Paste the token here/, discord.token);
  await first.answer(/Enter when it is on/, "", () => discord.messageContent(true));
  await first.answer(/1\. lab \(\d+\)[^]*Number/, "1");
  await first.answer(/1\. #lab \(\d+\)[^]*2\. #other[^]*channels:/, "");
  await first.answer(/At least one is wanted[^]*channels:/, "1, #other");
  await first.answer(/Developer Mode[^]*people:/, "alice");
  await first.answer(/"alice" is no id[^]*people:/, "all");
  await first.answer(/6\. Which agent answers[^]*Number:/, "1");
  await first.answer(/Paste its key/, "sk-ant-secret");
  await first.answer(/7\. What may the agent reach[^]*Number \[\d\]:/, "1");
  await first.answer(/8\. What may be spent/, "none");
  await first.answer(/bot_token: "\(not shown\)"[^]*Write that into .*\? \[Y\/n\]/, "n");
  assert.equal(await first.ended, 1, first.shown());
  assert.ok(!existsSync(home.path(CONFIG)));

  const second = atTerminal(
    [HERD, "broker", "setup", "--backend", "acp", "--preset", "claude", "--channel", lab.id],
    { ...home.home.env, DISCORD_BOT_TOKEN: discord.token },
  );
  t.after(() => second.end());
  await second.answer(/Put it into .*\?/, "y");
  await second.answer(/1\. lab \(\d+\)[^]*Number/, "1");
  await second.answer(/people:/, "<@123456789012345678>");
  await second.answer(/Number \[\d\]:/, "1");
  await second.answer(/8\. What may be spent/, "");
  await second.answer(/Write that into/, "");
  assert.equal(await second.ended, 0, second.shown());
  assert.match(file(), /allowed_users: \["123456789012345678"\][^]*preset: claude/);
  assert.match(file(), /usd_per_day: 5/);
  for (const shown of [first.shown(), second.shown()]) {
    assert.ok(!shown.includes(discord.token) && !shown.includes("sk-ant-secret"), shown);
  }
});

test("B.13: everything that is missing is named at once, and what Discord says is wrong too", async (t) => {
  const { discord, home } = await scene(t);
  const nothing = await home.run("broker", "setup");
  assert.equal(nothing.code, 2);
  for (const word of ["--backend acp", "DISCORD_BOT_TOKEN is not set", "--channel", "--user"]) {
    assert.ok(nothing.stderr.includes(word), nothing.stderr);
  }
  const misplaced = await home.run(
    "broker",
    "setup",
    "--token-env",
    discord.token,
    "--user",
    "bob",
  );
  assert.match(misplaced.stderr, /expected the name of a variable[^]*--user "bob"/);
  assert.ok(!misplaced.stderr.includes(discord.token), "a token in the wrong place is not shown");
  home.home.env["DISCORD_BOT_TOKEN"] = discord.token;
  const wish = ["--user", "all", "--backend", "acp", "--preset", "claude"];
  const lost = await home.run("broker", "setup", ...wish, "--channel", "lost", "--channel", "away");
  assert.equal(lost.code, 2);
  assert.match(lost.stderr, /Cannot find channel "lost"[^]*Cannot find channel "away"/);
  discord.makeChannel("lab");
  discord.permit("CREATE_PUBLIC_THREADS", false);
  discord.messageContent(false);
  const off = await home.run("broker", "setup", ...wish, "--channel", "lab");
  assert.match(off.stderr, /MESSAGE CONTENT INTENT of the bot is off/);
  discord.messageContent(true);
  const made = await home.run("broker", "setup", ...wish, "--channel", "lab");
  assert.equal(made.code, 0, made.stderr);
  assert.match(
    made.stderr,
    /#lab: the bot lacks the right "Create Public Threads"[^]*invite it again/,
  );
  discord.revokeToken();
  const refused = await home.run("broker", "setup", ...wish, "--channel", "lab", "--force");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /Reset the token/);
});
