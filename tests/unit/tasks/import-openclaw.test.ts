import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { importOpenclaw } from "../../../lib/tasks/import-openclaw.ts";
import type { PoolConfig } from "../../../lib/tasks/pool-config.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

/** As the users of discord-orchestration have it. */
const OPENROUTER = {
  baseUrl: "https://openrouter.ai/api/v1",
  api: "openai-completions",
  models: [
    {
      id: "moonshotai/kimi-k2.5",
      name: "Kimi K2.5",
      contextWindow: 262001,
      cost: { input: 0.00045, output: 0.00225, cacheRead: 0.00007, cacheWrite: 0 },
    },
    {
      id: "qwen/qwen3-coder-next",
      name: "Qwen 3 Coder",
      cost: { input: 0.00015, output: 0.0008, cacheRead: 0, cacheWrite: 0 },
    },
    {
      id: "stepfun/step-3.5-flash:free",
      name: "Step 3.5 Flash (Free)",
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    },
    {
      id: "google/gemini-3-pro-preview",
      name: "Gemini 3 Pro",
      cost: { input: 0.002, output: 0.012, cacheRead: 0.0002, cacheWrite: 0 },
    },
  ],
};
const SAMPLE = {
  env: { OPENROUTER_API_KEY: "sk-or-v1-secret" },
  models: { providers: { openrouter: OPENROUTER } },
  agents: {
    defaults: {
      thinkingDefault: "medium",
      workspace: "~/.openclaw/workspace",
      maxConcurrent: 4,
      subagents: { maxConcurrent: 8 },
      compaction: { mode: "safeguard" },
      model: { primary: "openrouter/moonshotai/kimi-k2.5" },
    },
  },
};

/** What comes out is always read again. */
function imported(file: unknown): { pool: PoolConfig; yaml: string; notices: string[] } {
  const made = importOpenclaw(typeof file === "string" ? file : JSON.stringify(file));
  const { pool, notices } = readHerdConfig(made.yaml, "imported.yaml");
  assert.deepEqual(notices, [], made.yaml);
  return { ...made, pool: pool ?? assert.fail(made.yaml) };
}

test("the file of the user page becomes a pool with its aliases and prices per million", () => {
  const { pool, notices } = imported(SAMPLE);
  assert.deepEqual(pool.backends, {
    openrouter: {
      kind: "openai",
      baseUrl: "https://openrouter.ai/api/v1",
      apiKeyEnv: "OPENROUTER_API_KEY",
    },
  });
  const prices = Object.entries(pool.models).map((
    [alias, { model, price }],
  ) => [alias, model, price]);
  assert.deepEqual(prices, [
    [
      "primary",
      "moonshotai/kimi-k2.5",
      { input: 0.45, output: 2.25, cacheRead: 0.07, cacheWrite: 0 },
    ],
    ["coder", "qwen/qwen3-coder-next", { input: 0.15, output: 0.8, cacheRead: 0, cacheWrite: 0 }],
    [
      "cheap",
      "stepfun/step-3.5-flash:free",
      { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    ],
    [
      "research",
      "google/gemini-3-pro-preview",
      { input: 2, output: 12, cacheRead: 0.2, cacheWrite: 0 },
    ],
  ]);
  assert.equal(pool.defaults.model, "primary");
  assert.equal(pool.defaults.thinking, "medium");
  assert.equal(pool.limits.running, 4);
  assert.deepEqual(notices, [
    "Left out what herd has no use for: agents.defaults.workspace, agents.defaults.subagents, " +
    "agents.defaults.compaction",
  ]);
});

test("no key is copied, wherever it stands", () => {
  const { yaml, notices, pool } = imported({
    ...SAMPLE,
    gateway: { auth: { token: "hunter2" } },
    models: {
      providers: {
        one: { ...OPENROUTER, apiKey: "sk-hunter2" },
        two: { ...OPENROUTER, apiKey: "${MY_KEY}" },
        three: { ...OPENROUTER, apiKey: { source: "env", provider: "default", id: "THIRD_KEY" } },
        four: {
          ...OPENROUTER,
          baseUrl: "https://user:hunter2@example.org/v1?key=hunter2",
          headers: { Authorization: "Bearer hunter2", "X-Title": "mine", "X-Api": "hunter2" },
        },
        "5th one": { ...OPENROUTER, apiKey: { source: "file", path: "/hunter2" } },
      },
    },
  });
  assert.ok(!/hunter2/.test(yaml + notices.join("\n")), yaml);
  const keys = Object.values(pool.backends).map(({ apiKeyEnv }) => apiKeyEnv);
  assert.deepEqual(keys, [
    "ONE_API_KEY",
    "MY_KEY",
    "THIRD_KEY",
    "FOUR_API_KEY",
    "_5TH_ONE_API_KEY",
    "OPENROUTER_API_KEY",
  ]);
  assert.equal(pool.backends.four!.baseUrl, "https://example.org/v1");
  assert.deepEqual(pool.backends.four!.headers, { "X-Title": "mine" });
  assert.ok(
    notices.includes('Did not copy the key of "one": put it into the variable ONE_API_KEY'),
  );
  assert.ok(notices.some((one) => /Did not copy 2 of the headers of "four"/.test(one)));
});

test("aliases of OpenClaw stay, and every model gets one of its own", () => {
  const model = (id: string) => ({ id, cost: { input: 0.001, output: 0.002 } });
  const { pool } = imported({
    models: {
      providers: {
        a: {
          baseUrl: "https://a.example/v1",
          api: "openai-completions",
          models: [model("x/m"), model("y/m"), model("yes"), model("1/4o")],
        },
        b: { baseUrl: "https://b.example/v1", api: "openai-completions", models: [model("x/M")] },
        local: { api: "anthropic-messages", models: [model("claude")] },
      },
    },
    agents: { defaults: { models: { "a/y/m": { alias: "Big one" } }, model: "b/x/M" } },
  });
  assert.deepEqual(
    Object.entries(pool.models).map(([alias, { backend, model }]) =>
      `${alias} ${backend}/${model}`
    ),
    ["primary b/x/M", "m a/x/m", "Big-one a/y/m", "yes a/yes", "4o a/1/4o", "claude local/claude"],
  );
  assert.equal(pool.backends.local!.kind, "anthropic");
  assert.equal(pool.defaults.model, "primary");
});

test("a primary model of a provider that needs no words is a backend too", () => {
  const { pool, notices } = imported({
    agents: { defaults: { model: { primary: "anthropic/claude-sonnet-4-5" } } },
  });
  assert.deepEqual(pool.backends, {
    anthropic: { kind: "anthropic", apiKeyEnv: "ANTHROPIC_API_KEY" },
  });
  assert.deepEqual(pool.models.primary, {
    backend: "anthropic",
    model: "claude-sonnet-4-5",
    price: undefined,
    use: undefined,
  });
  assert.match(notices.join(), /its cost is not known until you add it/);
});

test("what herd cannot do is said, and what is odd is pointed out", () => {
  const { pool, notices } = imported({
    models: {
      providers: {
        google: { api: "google-generative-ai", models: [] },
        nowhere: { api: "openai-completions", models: [] },
        "日本": { api: "openai-completions", models: [] },
        good: {
          baseUrl: "https://a.example/v1/",
          api: "openai-responses",
          models: [{ id: "dear", cost: { input: 3, output: 15 } }, { id: "a b" }, 7, {
            id: "plain",
          }, { id: "half", cost: { input: 1 } }],
        },
      },
    },
    agents: { defaults: { thinkingDefault: "xhigh", timeoutSeconds: 600 } },
  });
  assert.deepEqual(Object.keys(pool.backends), ["good"]);
  assert.equal(pool.defaults.thinking, "high");
  assert.equal(pool.defaults.timeoutMs, 600_000);
  assert.deepEqual(notices, [
    'Left out the provider "google": its kind of API is not known to herd',
    'Left out the provider "nowhere": it has no baseUrl',
    "Left out a provider whose name has no letter and no digit",
    'The price of "dear" would be $15000 per million tokens: look whether it was not per 1,000 tokens in the first place',
    'Left out a model of "good" that has no usable id',
    'Left out a model of "good" that has no usable id',
    'Found no price of the model "plain": its cost is not known until you add it',
    'Found no price of the model "half": its cost is not known until you add it',
    'Found a default for thinking that herd does not have, took it for "high"',
  ]);
});

test("comments and a comma too many are read as OpenClaw reads them", () => {
  const { pool } = imported(`\uFEFF// mine
{
  /* the "providers" */
  "models": {"providers": {"openrouter": {"models": [{"id": "a//b", "cost": {"input": 0, "output": 0,},},], },},},
}`);
  assert.equal(pool.models.b!.model, "a//b");
  assert.equal(pool.backends.openrouter!.baseUrl, "https://openrouter.ai/api/v1");
});

test("a text that is no such file is refused, and nothing of it is shown", () => {
  for (
    const text of [
      "",
      "[]",
      "null",
      "7",
      '{"apiKey": "sk-secret"',
      "sk-secret",
      '{"apiKey": "sk-secret"}',
      "{}",
    ]
  ) {
    assert.throws(() => importOpenclaw(text), (error) => {
      assert.ok(error instanceof UserError, text);
      assert.ok(!/secret/.test(`${error.message} ${error.hint} ${error.cause}`), text);
      return true;
    });
  }
});

test("hostile names and texts come out as text", () => {
  const { pool } = imported({
    models: {
      providers: {
        "a: {b}\n": {
          baseUrl: "https://a.example/v1",
          api: "openai-completions",
          headers: { "X-Title": 'say "#hi": [x]', "User-Agent": "${HOME}" },
          models: [
            { id: "x/y: z", name: "no" },
            { id: "x/#*&!|>", name: "# not: a [comment]", cost: { input: 1e-9, output: 1e-7 } },
            { id: "x/constructor", name: "two\nlines", cost: { input: NaN, output: "free" } },
          ],
        },
      },
    },
  });
  assert.deepEqual(Object.keys(pool.backends), ["a-b-"]);
  assert.deepEqual(pool.backends["a-b-"]!.headers, { "X-Title": 'say "#hi": [x]' });
  assert.deepEqual(Object.values(pool.models).map(({ model, use }) => [model, use]), [
    ["x/#*&!|>", "# not: a [comment]"],
    ["x/constructor", undefined],
  ]);
});
