import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import type { PoolConfig } from "../../../lib/tasks/pool-config.ts";
import { POOL_DEFAULTS, POOL_SLURM_DEFAULTS } from "../../../lib/tasks/pool-defaults.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

const FILE = "config.yaml";
const ENV = { KEY: "sk-very-secret-value", GUILD: "1234567890123456789", EMPTY: "" };

function read(text: string): PoolConfig {
  return readHerdConfig(text, FILE, ENV).pool ?? assert.fail("there is no pool");
}

function noticesOf(text: string): string[] {
  return readHerdConfig(text, FILE, ENV).notices.map(({ line, column, message }) =>
    `${line}:${column} ${message}`
  );
}

function errorOf(text: string): UserError {
  try {
    readHerdConfig(text, FILE, ENV);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error;
  }
  return assert.fail(`taken:\n${text}`);
}

function mistakes(text: string): string[] {
  return errorOf(text).mistakes.map(({ line, column, message, hint }) =>
    `${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`
  );
}

const WHOLE = `
pool:
  discord:
    token_env: POOL_TOKEN
    guild_id: "1234567890123456789"
    channels: {queue: "#Task Queue", results: "234567890123456789", workers: pool-workers}
    authors: ["<@111111111111111111>", "<@&222222222222222222>"]
    operators: ["111111111111111111"]
    bots: ["333333333333333333"]
  defaults: {model: coder, thinking: high, sandbox: read-only, network: true, timeout: 1h30m}
  backends:
    openrouter:
      kind: openai
      base_url: https://openrouter.ai/api/v1
      api_key: "\${KEY}"
      max_tokens: 4096
      headers: {X-Title: herd, X-Number: 7, x_underscore: "on"}
    claude: {kind: acp, preset: claude, env: [HOME], reads: [/opt/claude]}
    script: {kind: command, command: [python3, -u, run.py, 8080, true, null], input: stdin, result: file, usage_file: use.json}
  models:
    cheap:
      backend: openrouter
      model: stepfun/step-3.5-flash:free
      usd_per_million_tokens: 0
      use: quick things
    coder:
      backend: openrouter
      model: qwen/qwen3-coder-next
      usd_per_thousand_tokens: {input: 0.00015, output: 0.0008, cache_read: 0.00007, cache_write: 0}
    agent: {backend: claude}
  budget: {usd_per_day: 12.5, usd_per_task: none}
  limits: {attempts: 5, running: 8, longest_task: 4000}
  retention: {succeeded: 2d, quota: 1.5G}
  schedules:
    nightly:
      cron: "30 2 * * mon-fri"
      time_zone: Europe/Berlin
      catch_up: all
      task: "Sum up \${WEEK} [model:coder] [worker:a100]"
  slurm:
    partition: gpu,gpu2
    options: [--account=x, --gres=gpu:1, --mem=8G]
    time: "1-00:00:00"
    slots: 2
    least: 1
    most: 40
    idle: 5m
`;

test("every key of the section is read", () => {
  assert.deepEqual(read(WHOLE), {
    discord: {
      token: { env: "POOL_TOKEN" },
      guildId: "1234567890123456789",
      channels: { queue: "task-queue", results: "234567890123456789", workers: "pool-workers" },
      authors: ["111111111111111111", "222222222222222222"],
      operators: ["111111111111111111"],
      bots: ["333333333333333333"],
    },
    defaults: {
      model: "coder",
      thinking: "high",
      sandbox: "read-only",
      network: true,
      timeoutMs: 5_400_000,
    },
    backends: {
      openrouter: {
        kind: "openai",
        baseUrl: "https://openrouter.ai/api/v1",
        apiKey: "sk-very-secret-value",
        maxTokens: 4096,
        headers: { "X-Title": "herd", "X-Number": "7", x_underscore: "on" },
      },
      claude: { kind: "acp", preset: "claude", env: ["HOME"], reads: ["/opt/claude"] },
      script: {
        kind: "command",
        command: ["python3", "-u", "run.py", "8080", "true", "null"],
        input: "stdin",
        result: "file",
        usageFile: "use.json",
      },
    },
    models: {
      cheap: {
        backend: "openrouter",
        model: "stepfun/step-3.5-flash:free",
        price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
        use: "quick things",
      },
      coder: {
        backend: "openrouter",
        model: "qwen/qwen3-coder-next",
        price: { input: 0.15, output: 0.8, cacheRead: 0.07, cacheWrite: 0 },
        use: undefined,
      },
      agent: { backend: "claude", model: undefined, price: undefined, use: undefined },
    },
    budget: { usdPerDay: 12.5, usdPerTask: undefined },
    limits: { attempts: 5, running: 8, longestTask: 4000 },
    retention: { succeededMs: 172_800_000, quotaBytes: 1_610_612_736 },
    schedules: [{
      name: "nightly",
      cron: "30 2 * * mon-fri",
      timeZone: "Europe/Berlin",
      catchUp: "all",
      task: "Sum up ${WEEK} [model:coder] [worker:a100]",
    }],
    slurm: {
      partition: "gpu,gpu2",
      options: ["--account=x", "--gres=gpu:1", "--mem=8G"],
      timeMinutes: 1440,
      slots: 2,
      least: 1,
      most: 40,
      idleMs: 300_000,
    },
  });
  assert.deepEqual(noticesOf(WHOLE), []);
});

test("what is left out has its default", () => {
  assert.deepEqual(
    read("pool: {limits: {}, defaults: {}, budget: {}, retention: {}}"),
    POOL_DEFAULTS,
  );
  assert.deepEqual(read("pool: {slurm: {}}").slurm, POOL_SLURM_DEFAULTS);
  assert.deepEqual(read('pool: {discord: {guild_id: "123"}}').discord, {
    token: { env: "DISCORD_BOT_TOKEN" },
    guildId: "123",
    channels: { queue: "task-queue", results: "results", workers: "worker-pool" },
    authors: undefined,
    operators: undefined,
    bots: [],
  });
});

test("without a section there is no pool, and other sections are left alone", () => {
  for (
    const text of [
      "",
      "# nothing\n",
      "---\n# x",
      "pool:",
      "pool: ~",
      "broker:",
      "x-me: 1",
    ]
  ) {
    assert.deepEqual(readHerdConfig(text, FILE), {
      pool: undefined,
      broker: undefined,
      notices: [],
    }, text);
  }
  assert.deepEqual(noticesOf("pol: {}\nother: 1"), [
    '1:1 Left "pol" alone: herd knows no such section; did you mean "pool"?',
    '2:1 Left "other" alone: herd knows no such section',
  ]);
  assert.match(
    mistakes("- pool")[0]!,
    /found a list at the top, expected a mapping such as "pool:"/,
  );
});

test("the default model is what the file says, else primary, else the first one", () => {
  const models = (names: string) =>
    `pool:\n  backends: {b: {kind: openai}}\n  models:\n${
      names.split(" ").map((name) => `    ${name}: {backend: b, model: m}\n`).join("")
    }`;
  assert.equal(read(models("cheap primary")).defaults.model, "primary");
  assert.equal(read(models("cheap coder")).defaults.model, "cheap");
  assert.equal(
    read(`${models("cheap")}  defaults: {model: B/any/thing}`).defaults.model,
    "b/any/thing",
  );
  assert.deepEqual(mistakes(`${models("cheap coder")}  defaults: {model: codr}`), [
    '6:21 Cannot read pool.defaults.model: found "codr" (did you mean "coder"?), ' +
    'valid is "cheap" or "coder", or BACKEND/MODEL with the backend "b"',
  ]);
});

test("every mistake is told at once, with its place, what was found and what is allowed", () => {
  const text = `pool:
  discord:
    guild_id: main
    chanels: {}
    authors: [alice]
  defaults:
    thinking: hihg
    sandbox: full
    network: maybe
    timeout: 8d
  backends:
    a: {kind: opnai}
    b: {base_url: x}
    c/d: {kind: acp}
    e: {kind: openai, baseUrl: x}
  models:
    m: {backend: bb}
    n: {backend: a, usd_per_million_tokens: {input: 1}}
    o: {backend: a, usd_per_million_tokens: 0, usd_per_thousand_tokens: 0}
    p: {backend: a, usd_per_thousand_tokens: {input: -1, output: 1.5.2}}
    M: {backend: a}
  budget: {usd_per_day: lots}
  limits: {attempts: 0, running: 1.5, longest_task: 9999999}
  retention: {quota: 500}
  schedules:
    s: {cron: "* * * *", time_zone: Europe/Berln, catch_up: some, task: "[model:zz] x"}
    t: {cron: "@daily", task: "[key:a] x"}
  slurm: {options: [--array=3, "-p gpu", '--comment="a b"'], time: UNLIMITED, least: 9, most: 5}
`;
  assert.deepEqual(mistakes(text), [
    '3:15 Cannot read pool.discord.guild_id: found "main", expected an id of digits in quotes such as "1234567890123456789"',
    '4:5 Unknown key "chanels" in pool.discord, allowed are token, token_env, guild_id, channels, authors, operators, bots (Did you mean "channels"?)',
    '5:15 Cannot read pool.discord.authors[0]: found "alice", expected an id of digits in quotes such as "1234567890123456789"',
    '7:15 Cannot read pool.defaults.thinking: found "hihg", expected "off", "low", "medium" or "high" (Did you mean "high"?)',
    '8:14 Cannot read pool.defaults.sandbox: found "full", expected "none", "workspace" or "read-only"',
    '9:14 Cannot read pool.defaults.network: found "maybe", expected true or false',
    '10:14 Cannot read pool.defaults.timeout: found "8d", expected 1 second to 7 days',
    '12:15 Cannot read pool.backends.a.kind: found "opnai", expected "anthropic", "openai", "acp" or "command" (Did you mean "openai"?)',
    '13:5 Missing key "kind" in pool.backends.b: expected "anthropic", "openai", "acp" or "command"',
    '14:5 Cannot use "c/d" as the name of a backend: expected 1 to 64 letters, digits, dots, underscores and hyphens',
    '15:23 Unknown key "baseUrl" in pool.backends.e (Did you mean "base_url"?)',
    '17:18 Cannot read pool.models.m.backend: found "bb", expected "a", "b", "c/d" or "e" (Did you mean "b"?)',
    '18:21 Missing key "output" in pool.models.n.usd_per_million_tokens: expected US dollars per million tokens, 0 or more',
    '19:48 Cannot use "usd_per_thousand_tokens" beside "usd_per_million_tokens": one of them is enough (Keep one of them)',
    "20:54 Cannot read pool.models.p.usd_per_thousand_tokens.input: found -1, expected US dollars per thousand tokens, 0 or more",
    '20:66 Cannot read pool.models.p.usd_per_thousand_tokens.output: found "1.5.2", expected US dollars per thousand tokens, 0 or more',
    '21:5 Cannot use the alias "M" beside "m" of line 17: tags are read in any case',
    '22:25 Cannot read pool.budget.usd_per_day: found "lots", expected US dollars such as 2.5, 0 to spend nothing, or none for no limit',
    "23:22 Cannot read pool.limits.attempts: found 0, expected a whole number from 1 to 100",
    "23:34 Cannot read pool.limits.running: found 1.5, expected a whole number from 1 to 100000",
    "23:53 Cannot read pool.limits.longest_task: found 9999999, expected a whole number from 100 to 200000",
    '24:22 Cannot read pool.retention.quota: found 500, expected "500M", "20G", "1.5T", or none for no quota',
    '26:15 Cannot read pool.schedules.s.cron: found 4 in "* * * *", expected five fields: minute, hour, day of the month, month, day of the week',
    '26:37 Cannot read pool.schedules.s.time_zone: found "Europe/Berln", expected a time zone such as "Europe/Berlin" or "UTC" (Did you mean "Europe/Berlin"?)',
    '26:61 Cannot read pool.schedules.s.catch_up: found "some", expected "none", "last" or "all"',
    '26:73 Cannot read pool.schedules.s.task: its model: found "zz", valid is "m", "n", "o", "p" or "M", or BACKEND/MODEL with the backend "a", "b", "c/d" or "e"',
    "27:31 Cannot use a key in pool.schedules.t.task: every run of the schedule would be the same task",
    '28:21 Cannot pass "--array=3" to sbatch: each worker is a job of its own (Remove it from pool.slurm.options)',
    '28:32 Cannot read pool.slurm.options[1]: found "-p gpu", expected one long option in one word without quotes, such as "--account=x"',
    '28:42 Cannot read pool.slurm.options[2]: found "--comment=\\"a b\\"", expected one long option in one word without quotes, such as "--account=x"',
    '28:68 Cannot read pool.slurm.time: found "UNLIMITED", expected 90 (minutes), "MM:SS", "HH:MM:SS", "D-HH", "D-HH:MM" or "D-HH:MM:SS"',
    "28:86 Cannot read pool.slurm.least: found 9, expected at most 5, as pool.slurm.most is",
  ]);
});

test("ids without quotes lose no digit, and channels must differ", () => {
  const text = "pool: {discord: {guild_id: 12345678901234567890, authors: [12345678901234567891]}}";
  const { discord } = read(text);
  assert.equal(discord!.guildId, "12345678901234567890");
  assert.deepEqual(discord!.authors, ["12345678901234567891"]);
  assert.equal(noticesOf(text).length, 2);
  assert.equal(
    mistakes('pool: {discord: {guild_id: "1", channels: {queue: results}}}').length,
    1,
  );
  assert.equal(
    mistakes('pool: {discord: {guild_id: "1", channels: {queue: a, results: "#A"}}}').length,
    1,
  );
});

test("an empty list of authors is nobody, which is said", () => {
  const text = 'pool: {discord: {guild_id: "1", authors: []}}';
  assert.deepEqual(read(text).discord!.authors, []);
  assert.deepEqual(noticesOf(text), [
    "1:42 pool.discord.authors is empty: nobody may submit a task from Discord",
  ]);
});

test("a variable that is not set is a mistake, and so is one with a default", () => {
  const text = `pool:
  discord: {token: "\${TOKEN}", guild_id: "\${GUILD}"}
  backends: {a: {kind: openai, api_key: "\${KEY:-x}", headers: {B: "\${constructor}"}}}
`;
  assert.deepEqual(mistakes(text), [
    '2:20 Cannot read pool.discord.token: the variable "TOKEN" is not set (Set it in the environment of the daemon, or in .env beside this file)',
    '3:41 Cannot read pool.backends.a.api_key: found "${" without a name and "}" after it, expected a variable such as "${OPENROUTER_API_KEY}" (Only ${NAME} is expanded: there are no defaults and no commands)',
    '3:67 Cannot read pool.backends.a.headers.B: the variable "constructor" is not set (Set it in the environment of the daemon, or in .env beside this file)',
  ]);
  assert.equal(read('pool: {discord: {guild_id: "${GUILD}"}}').discord!.guildId, ENV.GUILD);
});

test("no message shows the value of a variable or a token", () => {
  const everywhere = `pool:
  discord: {token: "\${KEY}x y", guild_id: "\${KEY}", authors: ["\${KEY}"], channels: {queue: "\${KEY}/"}}
  defaults: {model: "\${KEY}", thinking: "\${KEY}", sandbox: "\${KEY}", network: "\${KEY}", timeout: "\${KEY}"}
  backends: {a: {kind: "\${KEY}"}}
  models: {m: {backend: "\${KEY}", usd_per_million_tokens: "\${KEY}"}}
  budget: {usd_per_day: "\${KEY}"}
  limits: {attempts: "\${KEY}"}
  retention: {quota: "\${KEY}", succeeded: "\${KEY}"}
  schedules: {s: {cron: "\${KEY}", time_zone: "\${KEY}", catch_up: "\${KEY}", task: "\${KEY}"}}
  slurm: {partition: "\${KEY} \${KEY}", options: ["\${KEY}"], time: "\${KEY}", slots: "\${KEY}"}
`;
  const error = errorOf(everywhere);
  assert.ok(error.mistakes.length >= 18, String(error.mistakes.length));
  const said = JSON.stringify([error.message, error.hint, error.mistakes]);
  assert.ok(!said.includes("secret"), said);
  assert.ok(said.includes("${KEY}"));
  const token = "MTIz.secret.token with a blank";
  for (const key of ["token", "token_env"]) {
    const one = errorOf(`pool: {discord: {guild_id: "1", ${key}: "${token}"}}`);
    assert.ok(!JSON.stringify([one.message, one.mistakes]).includes("secret"), key);
  }
});

test("a variable in a task or in what a model is good for stays as it is", () => {
  const pool = read(`pool:
  backends: {a: {kind: openai}}
  models: {m: {backend: a, use: "for \${UNSET}"}}
  schedules: {s: {cron: "@daily", task: "echo \${UNSET}"}}
`);
  assert.equal(pool.models.m!.use, "for ${UNSET}");
  assert.equal(pool.schedules[0]!.task, "echo ${UNSET}");
});

test("what a variable holds is text, whatever it looks like", () => {
  const env = { N: "007", T: "true", S: "x: [y]" };
  const text =
    'pool: {backends: {a: {kind: openai, api_key: "${N}", mode: "${T}", option: "${S}"}}}';
  assert.deepEqual(readHerdConfig(text, FILE, env).pool!.backends.a, {
    kind: "openai",
    apiKey: "007",
    mode: "true",
    option: "x: [y]",
  });
});

test("keys made of digits stay text", () => {
  const { a } =
    read("pool: {backends: {a: {kind: openai, api_key: 0123456789012345678901}}}").backends;
  assert.equal(a!.apiKey, "0123456789012345678901");
});

test("what a cache costs is a share of the input for Anthropic, and all of it elsewhere", () => {
  const { models } = read(`pool:
  backends: {a: {kind: anthropic}, o: {kind: openai}}
  models:
    x: {backend: a, usd_per_million_tokens: {input: 3, output: 15}}
    y: {backend: o, usd_per_million_tokens: {input: 3, output: 15}}
`);
  assert.deepEqual(models.x!.price, { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 });
  assert.deepEqual(models.y!.price, { input: 3, output: 15, cacheRead: 3, cacheWrite: 3 });
});

test("programs without connections are pointed out, unless somebody decided so", () => {
  const backends = "backends: {claude: {kind: acp, preset: claude}}";
  assert.match(noticesOf(`pool: {${backends}}`)[0]!, /backend "claude" have no connections/);
  assert.deepEqual(noticesOf(`pool: {${backends}, defaults: {network: false}}`), []);
  assert.deepEqual(noticesOf(`pool: {${backends}, defaults: {sandbox: none}}`), []);
});

test("D.11.17: any number of slots and workers is taken as it is written", () => {
  const { slurm } = read("pool: {slurm: {slots: 5, least: 4, most: 400}}");
  assert.deepEqual([slurm!.slots, slurm!.least, slurm!.most], [5, 4, 400]);
  assert.equal(read("pool: {slurm: {least: 9}}").slurm!.most, 9);
});

test("names of JavaScript's own are names like any other", () => {
  const { backends, models } = read(
    "pool: {backends: {constructor: {kind: openai}}, models: {toString: {backend: constructor}}}",
  );
  assert.deepEqual(Object.keys(backends), ["constructor"]);
  assert.equal(Object.entries(models)[0]![1].backend, "constructor");
  assert.equal(mistakes("pool: {models: {m: {backend: valueOf}}}").length, 1);
});
