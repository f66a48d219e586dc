import assert from "node:assert/strict";
import test from "node:test";
import type { PoolConfig } from "../../../lib/tasks/pool-config.ts";
import { POOL_DEFAULTS } from "../../../lib/tasks/pool-defaults.ts";
import { resolveWish, withoutSecrets } from "../../../lib/tasks/resolve-wish.ts";
import type { Attempt, AttemptUse, TaskWish } from "../../../lib/tasks/task.ts";

const PRICE = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1 };
const CONFIG: PoolConfig = {
  ...POOL_DEFAULTS,
  defaults: { ...POOL_DEFAULTS.defaults, model: "cheap" },
  backends: {
    router: { kind: "openai", baseUrl: "https://x/v1", apiKey: "secret" },
    claude: { kind: "acp", preset: "claude" },
  },
  models: {
    cheap: { backend: "router", model: "a/cheap:free", price: PRICE, use: undefined },
    agent: { backend: "claude", model: undefined, price: undefined, use: undefined },
    lost: { backend: "gone", model: "x", price: undefined, use: undefined },
  },
};
const WISH: TaskWish = {
  text: "x",
  model: undefined,
  thinking: undefined,
  worker: undefined,
  timeoutMs: undefined,
  priority: 0,
  sandbox: undefined,
  key: undefined,
};

function resolve(wish: Partial<TaskWish>, config = CONFIG, attempts: Attempt[] = []) {
  return resolveWish({ wish: { ...WISH, ...wish }, attempts }, config);
}

function cannot(wish: Partial<TaskWish>, config = CONFIG, attempts: Attempt[] = []): string {
  const resolved = resolve(wish, config, attempts);
  return "cannot" in resolved ? resolved.cannot : assert.fail(JSON.stringify(resolved));
}

function attempt(usd: number | null, endedAt: number | undefined): Attempt {
  const use: AttemptUse = { model: "m", input: 1, output: 1, cacheRead: 0, cacheWrite: 0, usd };
  return {
    epoch: 1,
    revision: 1,
    worker: "w",
    incarnation: "i",
    assignedAt: 0,
    acceptedAt: 0,
    endedAt,
    report: undefined,
    lost: undefined,
    use: [use],
    discarded: false,
  };
}

test("what a task leaves out comes from the defaults", () => {
  assert.deepEqual(resolve({}), {
    modelName: "cheap",
    backend: "router",
    model: "a/cheap:free",
    backendConfig: { kind: "openai", baseUrl: "https://x/v1" },
    price: PRICE,
    thinking: "medium",
    sandbox: { level: "workspace", network: false },
    timeoutMs: 1_800_000,
    budgetUsd: undefined,
  });
});

test("what a task says wins over the defaults", () => {
  assert.deepEqual(
    resolve({ model: "agent", thinking: "off", sandbox: "read-only", timeoutMs: 5000 }),
    {
      modelName: "agent",
      backend: "claude",
      model: undefined,
      backendConfig: { kind: "acp", preset: "claude" },
      price: undefined,
      thinking: "off",
      sandbox: { level: "read-only", network: false },
      timeoutMs: 5000,
      budgetUsd: undefined,
    },
  );
});

test("a model of a backend has its name as the provider writes it, and the price of its alias", () => {
  const resolved = resolve({ model: "router/a/cheap:free" });
  assert.ok(!("cannot" in resolved));
  assert.equal(resolved.model, "a/cheap:free");
  assert.equal(resolved.modelName, "router/a/cheap:free");
  assert.deepEqual(resolved.price, PRICE);
  const other = resolve({ model: "router/b/c" });
  assert.ok(!("cannot" in other) && other.price === undefined);
});

test("the network is the configuration's word, and always there without a sandbox", () => {
  const open = { ...CONFIG, defaults: { ...CONFIG.defaults, network: true } };
  const network = (level: TaskWish["sandbox"], config: PoolConfig) => {
    const resolved = resolve({ sandbox: level }, config);
    return "cannot" in resolved ? undefined : resolved.sandbox.network;
  };
  assert.equal(network("workspace", open), true);
  assert.equal(network("none", CONFIG), true);
  assert.equal(network("workspace", CONFIG), false);
});

test("a model that the configuration has no more is said to be so, with those that there are", () => {
  assert.equal(
    cannot({ model: "old" }),
    'Cannot use the model "old": the configuration does not have it, there are cheap, agent, lost, router/MODEL, claude/MODEL',
  );
  assert.equal(
    cannot({ model: "lost" }),
    'Cannot use the model "lost": there is no backend "gone" any more',
  );
  for (const model of ["gone/x", "router/", "/x", "constructor", "constructor/x", "__proto__/x"]) {
    assert.match(cannot({ model }), /the configuration does not have it/, model);
  }
  assert.match(cannot({}, POOL_DEFAULTS), /neither the task nor the configuration names one/);
  assert.match(cannot({ model: "x" }, POOL_DEFAULTS), /no model is configured$/);
});

test("what earlier attempts cost is taken from the task's budget, what runs has its own already", () => {
  const config = { ...CONFIG, budget: { usdPerDay: undefined, usdPerTask: 2 } };
  const left = (attempts: Attempt[]) => {
    const resolved = resolve({}, config, attempts);
    return "cannot" in resolved ? resolved.cannot : resolved.budgetUsd;
  };
  assert.equal(left([]), 2);
  assert.equal(left([attempt(0.5, 1), attempt(null, 2), attempt(9, undefined)]), 1.5);
  assert.equal(
    left([attempt(1.5, 1), attempt(0.75, 2)]),
    "Cannot begin another attempt: the task's budget of $2 is used up",
  );
});

test("no secret of a backend is handed to a worker", () => {
  const backend = {
    kind: "openai",
    apiKey: "secret",
    apiKeyEnv: "KEY",
    headers: {
      Authorization: "Bearer secret",
      "x-api-key": "secret",
      Cookie: "secret",
      "X-Auth-Token": "secret",
      "X-Title": "herd",
    },
  };
  assert.deepEqual(withoutSecrets(backend), {
    kind: "openai",
    apiKeyEnv: "KEY",
    headers: { "X-Title": "herd" },
  });
});
