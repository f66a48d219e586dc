import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import type { BotConfig, BrokerConfig } from "../../../lib/chat/broker-config.ts";
import * as defaults from "../../../lib/chat/broker-defaults.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

const TOKEN = "MTIzNDU2Nzg5.secret.token-of-a-bot";
const ENV = {
  TOKEN,
  OTHER: `${TOKEN}-2`,
  ID: "1234567890123456789",
  KEY: "sk-secret-key-1",
  SHORT: "geheim",
};
const AGENT = "agent: {kind: acp, preset: kiro}";

function read(text: string, env: Record<string, string> = ENV): BrokerConfig {
  return readHerdConfig(text, "config.yaml", env).broker ?? assert.fail("there is no broker");
}

function bot(text: string, env?: Record<string, string>): BotConfig {
  return read(`broker:\n  ${AGENT}\n${text}`, env).bots[0] ?? assert.fail("there is no bot");
}

function mistakes(text: string): string[] {
  try {
    readHerdConfig(text, "config.yaml", ENV);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.mistakes.map(({ line, column, message, hint }) =>
      `${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`
    );
  }
  return assert.fail(`taken:\n${text}`);
}

function notices(text: string): string[] {
  return readHerdConfig(text, "x", ENV).notices.map(({ message }) => message);
}

test("a file that says nothing gets the defaults, and they let nobody in", () => {
  const [only] = read(`broker: {${AGENT}}`).bots;
  assert.deepEqual(only, {
    name: "herd",
    token: { env: "DISCORD_BOT_TOKEN" },
    rules: defaults.RULE_DEFAULTS,
    dispatch: defaults.DISPATCH_DEFAULTS,
    agent: { name: "herd", model: undefined, price: undefined },
    instructions: undefined,
    workspace: defaults.WORKSPACE_DEFAULTS,
    projects: {},
    permissions: defaults.PERMISSION_DEFAULTS,
    limits: defaults.LIMIT_DEFAULTS,
    pool: defaults.SESSION_DEFAULTS,
    budget: { usdPerDay: undefined },
    attachments: defaults.ATTACHMENT_DEFAULTS,
    reactions: defaults.REACTION_DEFAULTS,
    answers: defaults.ANSWER_DEFAULTS,
    stt: undefined,
    cron: { jobs: [], userFile: undefined },
  });
  assert.deepEqual(notices(`broker: {${AGENT}}`).map((one) => one.split(":")[0]), [
    "The bot answers nowhere",
    "The bot answers nobody",
  ]);
});

test("A.17.29, B.78: an agent without work lives 24 hours, and one number stands in one place", () => {
  assert.equal(bot("").pool.ttlMs, 24 * 3_600_000);
  assert.equal(bot("  pool: {session_ttl_hours: 4}").pool.ttlMs, 4 * 3_600_000);
});

test("B.30: the defaults are those that were decided", () => {
  const { rules, dispatch, reactions, permissions } = bot("");
  assert.equal(rules.userMessages, "multibot-mentions");
  assert.equal(dispatch.mode, "per-thread");
  assert.equal(reactions.toolDisplay, "compact");
  assert.deepEqual(rules.botTurns, { soft: 100, hard: 1000, window: 20, windowMs: 300_000 });
  const { read, edit, execute, delete: remove } = permissions.kinds;
  assert.deepEqual([read, edit, execute, remove], ["allow", "ask", "ask", "deny"]);
  assert.equal(permissions.timeoutMs, 600_000);
});

test("B.8: every key is read", () => {
  const made = bot(`
  instructions: "Say \${HELLO}\\nand go"
  discord:
    bot_token: "\${TOKEN}"
    allowed_channels: ["<#111>", "\${ID}"]
    allowed_users: ["<@222>"]
    allowed_user_roles: ["<@&333>"]
    allow_bot_messages: all
    trusted_bot_ids: ["444"]
    allow_user_messages: involved
    allowed_role_ids: ["555"]
    allow_dm: true
    max_bot_turns: 999
    max_bot_turns_in_window: 7
    bot_turn_window: 90s
    message_processing_mode: per-lane
    max_buffered_messages: 3
    max_batch_tokens: 1000
    stop_words: [Halt, "stop"]
    reset_words: [vergiss]
  workspace: {working_dir: /data/x, per_thread: false, sandbox: read-only, network: false}
  projects:
    666: /data/a
    "<#777>": {folder: /data/b, worktree: true}
  permissions: {execute: deny, delete: ask, timeout: 1m, approvers: ["222", "<@&333>"]}
  limits: {silence: 1m, tool_silence: 2h, turn: 1d, initialize: 5m, load_session: 1m, new_session: 3m}
  pool: {max_sessions: 3, max_waiting: 0, session_ttl_hours: 0.5}
  budget: {usd_per_day: 2.5}
  attachments: {text_file: 1M, image_side: 800, session: 2G, sent_files: 0}
  reactions:
    enabled: false
    remove_after_reply: true
    tool_display: hidden
    emojis: {queued: "<:eyes2:123>", done: ✅}
    timing: {debounce_ms: 0}
  answers: {streaming: off, footer: false}
  markdown: {tables: bullets}
  stt: {enabled: true, model: whisper-1, base_url: "https://api.openai.com/v1", api_key_env: OPENAI_KEY, echo_transcript: true}
  cron:
    usercron_enabled: true
    usercron_path: jobs.yaml
    jobs:
      - {schedule: "@daily", channel: "111", message: "Sum up \${WEEK}", timezone: Europe/Berlin, sender_name: Ops, thread_id: "999", catch_up: last}
      - {schedule: "0 9 * * *", channel: "111", message: x, enabled: false}
`);
  assert.deepEqual(made.token, { text: TOKEN });
  assert.deepEqual(made.rules, {
    channels: ["111", "1234567890123456789"],
    users: ["222"],
    userRoles: ["333"],
    botMessages: "all",
    trustedBots: ["444"],
    userMessages: "involved",
    triggerRoles: ["555"],
    directMessages: true,
    botTurns: { soft: 999, hard: 1000, window: 7, windowMs: 90_000 },
  });
  assert.deepEqual(made.dispatch, {
    mode: "per-lane",
    mostMessages: 3,
    mostTokens: 1000,
    words: { stop: ["halt", "stop"], reset: ["vergiss"] },
  });
  assert.equal(made.instructions, "Say ${HELLO}\nand go");
  assert.deepEqual(made.workspace, {
    folder: "/data/x",
    perThread: false,
    sandbox: "read-only",
    network: false,
  });
  assert.deepEqual(made.projects, {
    666: { folder: "/data/a", worktree: false, agent: undefined },
    777: { folder: "/data/b", worktree: true, agent: undefined },
  });
  assert.deepEqual([made.permissions.kinds.execute, made.permissions.kinds.delete], [
    "deny",
    "ask",
  ]);
  assert.deepEqual(made.permissions.approvers, ["222", "333"]);
  assert.deepEqual(made.limits, {
    silenceMs: 60_000,
    toolMs: 7_200_000,
    turnMs: 86_400_000,
    initializeMs: 300_000,
    loadMs: 60_000,
    openMs: 180_000,
  });
  assert.deepEqual(made.pool, { mostSessions: 3, mostWaiting: 0, ttlMs: 1_800_000 });
  assert.equal(made.budget.usdPerDay, 2.5);
  assert.equal(made.attachments.sessionBytes, 2 * 1024 ** 3);
  assert.deepEqual([made.attachments.textBytes, made.attachments.sentFiles], [1024 ** 2, 0]);
  assert.deepEqual([made.reactions.enabled, made.reactions.toolDisplay], [false, "none"]);
  assert.deepEqual([made.reactions.emojis.queued, made.reactions.emojis.done], ["eyes2:123", "✅"]);
  assert.equal(made.reactions.timing.debounceMs, 0);
  assert.deepEqual(made.answers, { streaming: "off", tables: "bullets", footer: false });
  assert.deepEqual(made.stt, {
    model: "whisper-1",
    baseUrl: "https://api.openai.com/v1",
    key: { env: "OPENAI_KEY" },
    echo: true,
  });
  assert.deepEqual(made.cron, {
    userFile: "jobs.yaml",
    jobs: [{
      schedule: "@daily",
      timeZone: "Europe/Berlin",
      channelId: "111",
      threadId: "999",
      message: "Sum up ${WEEK}",
      sender: "Ops",
      catchUp: "last",
    }],
  });
});

const SPELLINGS: readonly [written: string, mode: string][] = [
  ["none", "off"],
  ["false", "off"],
  ["off", "off"],
  ["mentions", "mentions"],
];
for (const [written, mode] of SPELLINGS) {
  test(`allow_bot_messages: ${written} is ${mode}`, () => {
    assert.equal(bot(`  discord: {allow_bot_messages: ${written}}`).rules.botMessages, mode);
  });
}

test("B.18: the explicit word wins over a list", () => {
  const all = "  discord: {allow_all_users: true, allowed_users: ['1'], allow_all_channels: true}";
  const { rules } = bot(all);
  assert.deepEqual([rules.channels, rules.users], ["all", "all"]);
  assert.match(notices(`broker:\n  ${AGENT}\n${all}`).join("\n"), /Left .*allowed_users aside/);
  assert.deepEqual(bot("  discord: {allow_all_users: false}").rules.users, []);
  assert.deepEqual(bot("  discord: {allow_all_users: false, allowed_users: ['1']}").rules.users, [
    "1",
  ]);
});

test("B.11, B.12: no digit of an id is lost, with quotes or without", () => {
  const ids = "[1234567890123456789, '9007199254740993']";
  assert.deepEqual(bot(`  discord: {allowed_users: ${ids}}`).rules.users, [
    "1234567890123456789",
    "9007199254740993",
  ]);
});

/** One bad entry refuses the file: a list never opens by a slip. */
const NO_IDS: readonly [what: string, text: string, wanted: RegExp][] = [
  [
    "a float for an id",
    "discord: {allowed_users: [1.2345678901234568e+18]}",
    /^1:\d+ .*found the number 1\.2345678901234568e\+18, whose last digits may be lost.*quote it/,
  ],
  [
    "a word for an id",
    "discord: {allowed_channels: ['1', general]}",
    /allowed_channels\[1\]: found "general", expected an id/,
  ],
  ["another kind of mention", "discord: {allowed_users: ['<@&1>']}", /found "<@&1>"/],
  ["nothing but bad entries", "discord: {allowed_users: [x]}", /allowed_users\[0\]: found "x"/],
];
for (const [what, text, wanted] of NO_IDS) {
  test(`B.11, B.12: refused: ${what}`, () => refusedOnce(text, wanted));
}

test("B.10: a variable is taken from the environment, in any value; one that is not set is a mistake", () => {
  const text = '  discord: {bot_token: "${A_TOKEN}", allowed_users: ["${AN_ID}"]}';
  const { token, rules } = bot(text, { A_TOKEN: "a-token-of-more-than-20-letters", AN_ID: "42" });
  assert.deepEqual([token, rules.users], [{ text: "a-token-of-more-than-20-letters" }, ["42"]]);
  refusedOnce(
    "discord: {allowed_users: ['${NOBODY_SET_IT}']}",
    /variable "NOBODY_SET_IT" is not set/,
  );
});

function refusedOnce(text: string, wanted: RegExp): void {
  const all = mistakes(`broker: {${AGENT}, ${text}}`);
  assert.equal(all.length, 1, all.join("\n"));
  assert.match(all[0]!, wanted);
}

const MISTAKES: readonly [what: string, text: string, wanted: RegExp][] = [
  [
    "all bots without names",
    "discord: {allow_bot_messages: all}",
    /Cannot use "all".*trusted_bot_ids.*"mentions"\)$/,
  ],
  [
    "all bots with an empty list",
    "discord: {allow_bot_messages: true, trusted_bot_ids: []}",
    /Cannot use "all"/,
  ],
  ["a soft limit that reaches the hard one", "discord: {max_bot_turns: 1000}", /from 1 to 999/],
  [
    "a key that is nearly known",
    "discord: {allowed_user: []}",
    /Unknown key "allowed_user".*Did you mean "allowed_users"/,
  ],
  [
    "an unknown mode",
    "discord: {allow_user_messages: multibot}",
    /expected "involved", "mentions" or "multibot-mentions"/,
  ],
  ["no room for a message", "discord: {max_buffered_messages: 0}", /from 1 to 1000/],
  ["a relative folder", "workspace: {working_dir: ~/x}", /absolute path.*"\$\{HOME\}"/],
  ["a project without an id", "projects: {general: /x}", /Cannot use "general"/],
  ["a project without a folder", "projects: {'1': {worktree: true}}", /with "folder"/],
  [
    "a project with an unknown agent",
    "projects: {'1': {folder: /x, agent: nobody}}",
    /found "nobody"/,
  ],
  ["an unknown kind of tool", "permissions: {exec: ask}", /Unknown key "exec"/],
  ["an unknown answer", "permissions: {execute: always}", /"allow", "ask" or "deny"/],
  ["a size without a unit", "attachments: {image: 10}", /a size such as/],
  ["two emojis", "reactions: {emojis: {done: 🆗🆗}}", /one emoji/],
  ["a word for an emoji", "reactions: {emojis: {done: ok}}", /one emoji/],
  [
    "speech without a key",
    "stt: {enabled: true, base_url: 'https://x.org/v1'}",
    /Missing key "api_key"/,
  ],
  [
    "a cron that is none",
    "cron: {jobs: [{schedule: daily, channel: '1', message: x}]}",
    /schedule/,
  ],
  [
    "a zone that is none",
    "cron: {jobs: [{schedule: '@daily', channel: '1', message: x, timezone: Europe/Berln}]}",
    /Did you mean "Europe\/Berlin"/,
  ],
  ["a user's file that is not named", "cron: {usercron_enabled: true}", /without "usercron_path"/],
  [
    "another platform",
    "cron: {jobs: [{schedule: '@daily', channel: '1', message: x, platform: slack}]}",
    /"discord"/,
  ],
];
for (const [what, text, wanted] of MISTAKES) {
  test(`refused: ${what}`, () => refusedOnce(text, wanted));
}

const AGENTS: readonly [what: string, text: string, wanted: RegExp][] = [
  ["no agent at all", "broker: {discord: {}}", /Missing key "agent": there is none/],
  [
    "one of several",
    "broker: {agents: {a: {kind: acp, preset: kiro}, b: {kind: acp, preset: claude}}}",
    /there are several, expected "a" or "b"/,
  ],
  [
    "a name that is nearly known",
    "broker: {agents: {kiro: {kind: acp, preset: kiro}}, agent: kiri}",
    /Did you mean "kiro"/,
  ],
  [
    "an API without a model",
    "broker: {agent: {kind: anthropic, api_key_env: K}}",
    /Missing key "model"/,
  ],
  [
    "settings that no agent has",
    "broker: {agent: {kind: acp, command: [x], comand: [x]}}",
    /^1:10 Cannot use broker\.agent: it has no setting "comand"/,
  ],
  [
    "an unknown preset",
    "broker: {agents: {a: {kind: acp, preset: kirro}}}",
    /Cannot use broker\.agents\.a/,
  ],
  [
    "a name that the pool has",
    "pool: {backends: {a: {kind: acp, preset: kiro}}, defaults: {network: true}}\nbroker: {agents: {a: {kind: acp, preset: kiro}}, agent: a}",
    /pool\.backends has it already/,
  ],
];
for (const [what, text, wanted] of AGENTS) {
  test(`refused: ${what}`, () => assert.match(mistakes(text).join("\n"), wanted));
}

const POOL = `pool:
  defaults: {network: true}
  backends: {api: {kind: openai, base_url: "https://x.org/v1"}}
  models: {primary: {backend: api, model: m-1, usd_per_million_tokens: {input: 1, output: 2}}}
`;

test("an alias of the pool brings its backend, model and price", () => {
  const { bots, agents } = read(`${POOL}broker: {model: primary}`);
  assert.equal(bots[0]!.agent.name, "api");
  assert.equal(bots[0]!.agent.model, "m-1");
  assert.equal(bots[0]!.agent.price!.output, 2);
  assert.deepEqual(Object.keys(agents), ["api"]);
  const plain = read(`${POOL}broker: {agent: api, model: m-2}`).bots[0]!.agent;
  assert.deepEqual(plain, { name: "api", model: "m-2", price: undefined });
  assert.equal(read(`${POOL}broker: {model: m-3}`).bots[0]!.agent.name, "api");
});

test("B.15: several bots share what stands beside them, and each keeps its own", () => {
  const { bots, agents } = read(`
broker:
  discord: {allowed_channels: ["1"], allow_all_users: true}
  reactions: {tool_display: full, timing: {debounce_ms: 1, done_hold_ms: 2}}
  agents: {kiro: {kind: acp, preset: kiro}}
  agent: kiro
  bots:
    a: {discord: {bot_token: "\${TOKEN}"}, reactions: {timing: {debounce_ms: 9}}}
    b: {discord: {bot_token_env: B, allowed_channels: ["2"]}, agent: {kind: acp, preset: claude}}
    c: {enabled: false, discord: {bot_token_env: C}}
`);
  assert.deepEqual(bots.map(({ name }) => name), ["a", "b"]);
  const [a, b] = bots;
  assert.deepEqual([a!.rules.channels, b!.rules.channels], [["1"], ["2"]]);
  assert.deepEqual([a!.rules.users, b!.rules.users], ["all", "all"]);
  assert.equal(a!.reactions.toolDisplay, "full");
  assert.deepEqual([a!.reactions.timing.debounceMs, a!.reactions.timing.doneHoldMs], [9, 2]);
  assert.equal(b!.reactions.timing.debounceMs, 1);
  assert.deepEqual([a!.agent.name, b!.agent.name], ["kiro", "b"]);
  assert.deepEqual(Object.keys(agents), ["kiro", "b"]);
});

test("two bots need two tokens", () => {
  const two = (a: string, b: string) =>
    `broker: {${AGENT}, discord: {allow_all_users: true}, bots: {a: {discord: {${a}}}, b: {discord: {${b}}}}}`;
  assert.match(mistakes(two("", "bot_token_env: B")).join("\n"), /Missing key "bot_token"/);
  assert.match(
    mistakes(two("bot_token_env: B", "bot_token_env: B")).join("\n"),
    /one token for the bots "a" and "b"/,
  );
  const same = mistakes(two("bot_token: '${TOKEN}'", "bot_token: '${TOKEN}'")).join("\n");
  assert.match(same, /one token/);
  assert.ok(!same.includes(TOKEN));
  const shared = `broker: {${AGENT}, discord: {bot_token_env: T}, bots: {a: {}, b: {}}}`;
  assert.match(mistakes(shared).join("\n"), /Cannot use "bot_token_env" for all bots/);
  assert.equal(read(two("bot_token: '${TOKEN}'", "bot_token: '${OTHER}'")).bots.length, 2);
});

test("one bot in the list has the usual variable", () => {
  const [only] = read(`broker: {${AGENT}, bots: {kiro: {}}}`).bots;
  assert.deepEqual([only!.name, only!.token], ["kiro", { env: "DISCORD_BOT_TOKEN" }]);
});

test("all mistakes are told at once, those of the pool too, and no secret is among them", () => {
  const all = mistakes(`
pool: {limits: {attempts: 0}}
broker:
  agent: {kind: openai, base_url: "\${SHORT}", api_key: "\${KEY}"}
  discord:
    bot_token: "\${SHORT}"
    bot_token_env: "${TOKEN}"
    allow_user_messages: "\${SHORT}"
  stt: {enabled: true, api_key: "a b \${KEY}", base_url: "https://u:p@x.org"}
`);
  assert.ok(all.length >= 5, all.join("\n"));
  for (const secret of [TOKEN, ENV.KEY, ENV.SHORT]) assert.ok(!all.join("\n").includes(secret));
  assert.ok(all.some((one) => /^2:\d+ .*attempts/.test(one)));
});

test("hostile shapes are mistakes, none a crash", () => {
  const shapes = [
    "[]",
    "7",
    "''",
    "{bots: []}",
    "{bots: {}}",
    "{bots: {a: 7}}",
    "{bots: {a: []}}",
    "{bots: {'a b': {}}}",
    "{discord: []}",
    "{agents: [], discord: 1}",
    "{agent: []}",
    "{agents: {a: 1}}",
    "{projects: []}",
    "{cron: {jobs: 7}}",
    "{cron: {jobs: [7]}}",
    "{reactions: {emojis: []}}",
    "{permissions: 1}",
    "{stt: 1}",
    "{instructions: []}",
    "{agent: __proto__}",
    "{model: constructor}",
    "{bots: {__proto__: {discord: {}}}}",
    "{discord: {allowed_users: [[]]}}",
  ];
  for (const shape of shapes) assert.ok(mistakes(`broker: ${shape}`).length > 0, shape);
});

test("without the section there is no broker, and the pool is as it was", () => {
  const { pool, broker } = readHerdConfig(POOL, "x");
  assert.equal(broker, undefined);
  assert.equal(pool!.models["primary"]!.model, "m-1");
});

test("a bot that waits for a mention among bots is told that it hears no others", () => {
  const text = (mode: string) =>
    `broker: {${AGENT}, discord: {allow_bot_messages: all, trusted_bot_ids: ['1'], allow_user_messages: ${mode}}}`;
  assert.ok(
    notices(text("multibot-mentions")).some((one) => /wants a mention among bots/.test(one)),
  );
  assert.ok(!notices(text("involved")).some((one) => /wants a mention among bots/.test(one)));
});

test("who wants the pool alone needs no variable of the broker", () => {
  const text = `${POOL}broker: {discord: {bot_token: "\${NOBODY_SET_IT}", zzz: 1}}`;
  const { pool, broker } = readHerdConfig(text, "x", {}, ["pool"]);
  assert.deepEqual([Object.keys(pool!.models), broker], [["primary"], undefined]);
});

test("words that are orders are single words, each of one order; none is allowed", () => {
  assert.deepEqual(bot("").dispatch.words, { stop: ["stop", "cancel"], reset: [] });
  assert.deepEqual(bot("  discord: {stop_words: []}").dispatch.words.stop, []);
  for (
    const [words, why] of [
      ['stop_words: ["please stop"]', /a single word/],
      ['stop_words: [""]', /a single word/],
      ["stop_words: [{a: 1}]", /a single word/],
      ["stop_words: stop", /words such as/],
      ["reset_words: [Cancel]", /Cannot use "cancel" in .*reset_words.*stop_words/],
    ] as const
  ) assert.match(mistakes(`broker:\n  ${AGENT}\n  discord: {${words}}`).join("\n"), why);
});
