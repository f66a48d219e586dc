import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import type { BotConfig } from "../../../lib/chat/broker-config.ts";
import { DISPATCH_DEFAULTS } from "../../../lib/chat/broker-defaults.ts";
import { importOpenab } from "../../../lib/chat/import-openab.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

const ENV = Object.fromEntries(
  [
    "DISCORD_BOT_TOKEN",
    "HOME",
    "KIRO",
    "DISCORD_BOT_TOKEN_A",
    "DISCORD_BOT_TOKEN_B",
    "DISCORD_BOT_TOKEN_KIRO",
    "DISCORD_BOT_TOKEN_DEALER",
  ]
    .map((name) => [name, `${name.toLowerCase()}-of-many-letters`]),
);
const MINIMAL =
  '[discord]\nbot_token = "${DISCORD_BOT_TOKEN}"\n[agent]\ncommand = "kiro-cli"\nargs = ["acp"]\n';

function convert(...files: (readonly [name: string, text: string])[]) {
  const made = importOpenab(files.map(([name, text]) => ({ name, text })));
  const { broker, notices } = readHerdConfig(made.yaml, "imported.yaml", { ...ENV, GROQ: "k" });
  return {
    ...made,
    bots: broker!.bots,
    agents: broker!.agents,
    words: made.notices.join("\n"),
    notes: notices,
  };
}

function one(text: string, name = "config.toml"): BotConfig {
  return convert([name, text]).bots[0]!;
}

function refused(name: string, text: string): UserError {
  try {
    importOpenab([{ name, text }]);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error;
  }
  return assert.fail("taken");
}

test("a bot behaves as it did: OpenAB's defaults are written out", () => {
  const { bots: [made], agents, words } = convert(["config.toml", MINIMAL]);
  assert.deepEqual([made!.rules.channels, made!.rules.users], ["all", "all"]);
  assert.equal(made!.rules.userMessages, "involved");
  assert.equal(made!.dispatch.mode, "per-message");
  assert.equal(made!.reactions.toolDisplay, "full");
  assert.equal(made!.workspace.sandbox, "none");
  assert.deepEqual(agents["herd"], { kind: "acp", command: ["kiro-cli", "acp"], env: ["HOME"] });
  assert.match(words, /asks people before an agent changes something/);
  assert.match(words, /^config: Set where herd runs, .*: DISCORD_BOT_TOKEN; one that is not set/m);
});

test("every setting that herd has comes over", () => {
  const { bots: [made], agents, words, notes } = convert([
    "x/my bot.toml",
    `
usercron_enabled = true
usercron_path = "cronjob.toml"
[discord]
bot_token = "\${KIRO}"
allowed_channels = ["1234567890123456789"]
allowed_users = [2345678901234567890, "42"]
allow_bot_messages = "mentions"
allow_user_messages = "multibot-mentions"
trusted_bot_ids = ["7"]
allowed_role_ids = ["8"]
allow_dm = true
max_bot_turns = 2000
message_processing_mode = "per-lane"
max_buffered_messages = 5
max_batch_tokens = 500
[agent]
command = "codex"
args = ["--acp", "--yolo"]
working_dir = "/home/agent"
env = { OPENAI_API_KEY = "\${OPENAI_API_KEY}", OTHER = "literal-secret-1" }
inherit_env = ["LANG"]
[pool]
max_sessions = 4
session_ttl_hours = 12
[reactions]
enabled = false
remove_after_reply = true
tool_display = "none"
[reactions.emojis]
coding = "👨💻"
done = "two words"
error = "💥"
[reactions.timing]
debounce_ms = 500
stall_soft = 9
[stt]
enabled = true
api_key = "gsk_literal-secret-2"
echo_transcript = true
[markdown]
tables = "off"
[[cronjobs]]
schedule = "0 9 * * 1-5"
channel = "1"
message = "sum up \${WEEK}"
timezone = "America/New_York"
[[cron.jobs]]
schedule = "0 0 * * 0"
channel = "2"
message = "weekly"
sender_name = "Ops"
[[cronjobs]]
schedule = "0 0 * * 0"
channel = "C123"
message = "slack"
platform = "slack"
[slack]
bot_token = "xoxb-literal-secret-3"
`,
  ]);
  assert.deepEqual(made!.token, { text: ENV["KIRO"] });
  assert.deepEqual(made!.rules, {
    channels: ["1234567890123456789"],
    users: ["2345678901234567890", "42"],
    userRoles: [],
    botMessages: "mentions",
    trustedBots: ["7"],
    userMessages: "multibot-mentions",
    triggerRoles: ["8"],
    directMessages: true,
    botTurns: { soft: 999, hard: 1000, window: 20, windowMs: 300_000 },
  });
  assert.deepEqual(made!.dispatch, {
    mode: "per-lane",
    mostMessages: 5,
    mostTokens: 500,
    words: DISPATCH_DEFAULTS.words,
  });
  assert.deepEqual(agents["herd"]!["command"], ["codex", "--acp", "--yolo"]);
  assert.deepEqual(agents["herd"]!["env"], ["HOME", "LANG", "OPENAI_API_KEY", "OTHER"]);
  assert.deepEqual([made!.workspace.folder, made!.workspace.perThread], ["/home/agent", false]);
  assert.deepEqual([made!.pool.mostSessions, made!.pool.ttlMs], [4, 12 * 3_600_000]);
  assert.deepEqual([made!.reactions.enabled, made!.reactions.removeAfterReply], [false, true]);
  assert.deepEqual([made!.reactions.emojis.coding, made!.reactions.emojis.error], ["👨‍💻", "💥"]);
  assert.deepEqual([made!.reactions.timing.debounceMs, made!.reactions.timing.stallSoftMs], [
    500,
    9,
  ]);
  assert.deepEqual(made!.stt!.key, { env: "STT_API_KEY" });
  assert.equal(made!.answers.tables, "off");
  assert.deepEqual(
    made!.cron.jobs.map(({ channelId, sender, message }) => [channelId, sender, message]),
    [
      ["2", "Ops", "weekly"],
      ["1", "openab-cron", "sum up ${WEEK}"],
    ],
  );
  assert.equal(made!.cron.userFile, `${ENV["HOME"]}/.openab/cronjob.toml`);
  for (
    const wanted of [
      /Took 999/,
      /use all tools unasked/,
      /variable OTHER/,
      /STT_API_KEY/,
      /emojis\.done/,
      /another platform/,
      /user's cron file/,
      /no use for: slack$/m,
      /leaves it as it is written/,
    ]
  ) {
    assert.match(words, wanted);
  }
  assert.doesNotMatch(words, /variable OPENAI_API_KEY/);
  assert.match(
    words,
    /^my-bot: Set where herd runs, or in \.env beside its configuration: KIRO, LANG, OPENAI_API_KEY, OTHER, STT_API_KEY;/m,
  );
  assert.deepEqual(notes, []);
});

test("no secret is copied and none is told", () => {
  const secrets = ["MTA-literal-bot-token", "literal-secret-env", "literal-secret-stt"];
  const { yaml, words, bots } = convert([
    "config.toml",
    MINIMAL.replace("${DISCORD_BOT_TOKEN}", secrets[0]!) +
    `env = { A_KEY = "${secrets[1]}" }\n[stt]\nenabled = true\napi_key = "${secrets[2]}"\n`,
  ]);
  for (const secret of secrets) assert.ok(!`${yaml}${words}`.includes(secret));
  assert.deepEqual(bots[0]!.token, { text: ENV["DISCORD_BOT_TOKEN"] });
  assert.match(words, /token into the variable DISCORD_BOT_TOKEN/);
});

const ALLOWED: readonly [what: string, toml: string, users: "all" | string[]][] = [
  ["an empty list is everybody", "allowed_users = []", "all"],
  ["an explicit true beats a list", 'allow_all_users = true\nallowed_users = ["1"]', "all"],
  ["an explicit false with a list is the list", 'allow_all_users = false\nallowed_users = ["1"]', [
    "1",
  ]],
  ["an explicit false without a list is nobody", "allow_all_users = false", []],
];
for (const [what, toml, users] of ALLOWED) {
  test(`allowlists: ${what}`, () => {
    assert.deepEqual(one(MINIMAL.replace("[agent]", `${toml}\n[agent]`)).rules.users, users);
  });
}

const MODES: readonly [written: string, mode: string][] = [
  ['"off"', "off"],
  ['"none"', "off"],
  ["false", "off"],
  ['"mentions"', "mentions"],
  ['"all"', "mentions"],
  ["true", "mentions"],
];
for (const [written, mode] of MODES) {
  test(`allow_bot_messages = ${written} without trusted bots is ${mode}`, () => {
    assert.equal(
      one(MINIMAL.replace("[agent]", `allow_bot_messages = ${written}\n[agent]`)).rules.botMessages,
      mode,
    );
  });
}
test("all bots stay all bots where they are named", () => {
  const named = 'allow_bot_messages = "all"\ntrusted_bot_ids = ["7"]\n[agent]';
  assert.equal(one(MINIMAL.replace("[agent]", named)).rules.botMessages, "all");
});

test("several files are several bots; a token's variable that they shared becomes one for each", () => {
  const { bots, agents, words } = convert(["a.toml", MINIMAL], ["b.toml", MINIMAL]);
  assert.deepEqual(bots.map(({ name, agent }) => [name, agent.name]), [["a", "a"], ["b", "b"]]);
  assert.deepEqual(Object.keys(agents), ["a", "b"]);
  assert.match(
    words,
    /a: Put the bot's token into the variable DISCORD_BOT_TOKEN_A: DISCORD_BOT_TOKEN is the variable of another bot, too/,
  );
  assert.match(words, /^b: Set where herd runs.*: DISCORD_BOT_TOKEN_B;/m);
  assert.deepEqual(
    convert(["x/a.toml", MINIMAL], ["y/a.toml", MINIMAL.replace("DISCORD_BOT_TOKEN", "KIRO")]).bots
      .map(({ name }) => name),
    ["a", "a-2"],
  );
});

test("two bots whose names are written alike have two variables", () => {
  const { yaml } = importOpenab(["a.b", "a-b"].map((name) => ({
    name: `${name}.toml`,
    text: MINIMAL,
  })));
  assert.match(yaml, /\{DISCORD_BOT_TOKEN_A_B\}[^]*\{DISCORD_BOT_TOKEN_A_B_2\}/);
});

const VALUES = `
image: {tag: x}
agents:
  kiro:
    enabled: true
    image: ""
    command: kiro-cli
    args: [acp, --trust-all-tools]
    discord:
      botToken: ""
      allowedChannels: ["1234567890123456789"]
      allowedRoleIds: [2345678901234567890]
      allowBotMessages: off
      allowUserMessages: involved
    workingDir: /home/agent
    env: {}
    pool: {maxSessions: 10, sessionTtlHours: 24}
    reactions: {enabled: true, removeAfterReply: false}
    persistence: {enabled: true, size: 1Gi}
    agentsMd: |
      Be kind.
      Be brief.
  dealer:
    discord: {enabled: true, botToken: "MTA-literal", allowedChannels: ["1"], allowDm: true}
    command: kiro-cli
    args: [acp]
  old:
    enabled: false
    discord: {botToken: "\${KIRO}"}
    command: x
  chart: {enabled: false}
`;

test("what comes through a pipe is told by what is in it", () => {
  assert.deepEqual(convert(["stdin", VALUES]).bots.map(({ name }) => name), ["kiro", "dealer"]);
});

test("B.113: a values file of the Helm chart comes over, keys and ids and all", () => {
  const { bots, words, yaml } = convert(["values.yaml", VALUES]);
  assert.deepEqual(bots.map(({ name }) => name), ["kiro", "dealer"]);
  const [kiro, dealer] = bots;
  assert.deepEqual(kiro!.rules.channels, ["1234567890123456789"]);
  assert.deepEqual(kiro!.rules.triggerRoles, ["2345678901234567890"]);
  assert.equal(kiro!.rules.botMessages, "off");
  assert.equal(kiro!.instructions, "Be kind.\nBe brief.");
  assert.equal(kiro!.workspace.folder, "/home/agent");
  assert.equal(dealer!.rules.directMessages, true);
  assert.match(words, /kiro: Left out what herd has no use for: .*image.*persistence/);
  assert.ok(!`${yaml}${words}`.includes("MTA-literal"));
  assert.match(yaml, /old:\n {6}enabled: false/);
});

const REFUSED: readonly [what: string, name: string, text: string, wanted: RegExp][] = [
  [
    "an id that is a word",
    "c.toml",
    '[discord]\nallowed_users = ["ada"]',
    /"discord\.allowed_users" of "c": expected ids/,
  ],
  [
    "an id that has lost digits",
    "v.yaml",
    "agents: {a: {discord: {allowedChannels: [1.2345678901234568e+18]}}}",
    /expected ids in quotes/,
  ],
  [
    "an id as Helm's --set makes it",
    "v.yaml",
    "agents: {a: {discord: {allowedUsers: [1.23e+18]}}}",
    /"discord\.allowed_users" of "a": expected ids in quotes/,
  ],
  ["a text where a list belongs", "c.toml", '[discord]\nallowed_users = "1"', /expected a list/],
  [
    "a variable without quotes",
    "c.toml",
    "[discord]\nallow_dm = ${DM}",
    /^Cannot read "c\.toml" as TOML at 2:/,
  ],
  ["a number out of range", "c.toml", "[discord]\n[pool]\nmax_sessions = 0", /from 1 to 1000/],
  ["values without agents", "v.yaml", "image: x", /has no "agents"/],
  ["an empty file", "null", "", /"null": it has no section "discord" and no section "agent"/],
  ["a foreign file", "Cargo.toml", '[package]\nname = "x"', /"Cargo\.toml": it has no section/],
  ["a bot without Discord", "c.toml", '[agent]\ncommand = "x"', /it has no section "discord"$/],
  ["a text as a section", "c.toml", 'discord = "x"', /it has no section "discord"/],
  [
    "values of an agent without Discord",
    "v.yaml",
    "agents: {a: {slack: {}, command: x}}",
    /"v\.yaml: agents\.a": it has no section "discord"/,
  ],
];
for (const [what, name, text, wanted] of REFUSED) {
  test(`refused, and not dropped: ${what}`, () =>
    assert.match(refused(name, text).message, wanted));
}

test("a broken file is refused without a piece of it", () => {
  const error = refused("c.toml", '[discord]\nbot_token = "MTA-secret\n');
  assert.ok(!`${error.message}${error.hint}`.includes("MTA-secret"));
});
