import assert from "node:assert/strict";
import test from "node:test";
import { PRICES } from "../../../lib/agent/prices.ts";
import { readBackendConfig } from "../../../lib/backends/backend-config.ts";
import { yamlText } from "../../../lib/sweep/yaml-text.ts";
import { ENGINES, engineSection, missingOf } from "../../../lib/tasks/pool-engine.ts";
import type { EngineWish } from "../../../lib/tasks/pool-engine.ts";
import { poolSection } from "../../../lib/tasks/pool-section.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

const WISH: EngineWish = {
  engine: "anthropic",
  key: { env: "SOME_KEY" },
  baseUrl: "https://api.example.org/v1",
  preset: "claude",
  program: ["python3", "my run.py", "--x=$(rm -rf ~)"],
  models: [{ alias: undefined, id: "a/b:free" }],
  sandbox: undefined,
};
const priceOf = (model: string) => PRICES[model];

/** What is written is always read again. */
function read(wish: EngineWish, usdPerDay?: number) {
  const parts = [engineSection(wish, priceOf)];
  const { section, notes } = poolSection({ discord: undefined, usdPerDay, parts });
  const yaml = yamlText({ pool: section }, notes);
  const { pool, notices } = readHerdConfig(yaml, "made.yaml");
  assert.deepEqual(notices, [], yaml);
  return { pool: pool!, yaml };
}

test("what each kind of backend becomes is taken by the reader and by the backend itself", () => {
  for (const engine of ENGINES) {
    const { pool, yaml } = read({ ...WISH, engine });
    for (const { preset, ...backend } of Object.values(pool.backends) as { preset?: string }[]) {
      const known = preset === undefined ? {} : { command: ["x"] };
      const found = readBackendConfig({ ...backend, ...known });
      assert.ok(!("refused" in found), `${JSON.stringify(found)}\n${yaml}`);
    }
    assert.equal(pool.models["primary"]?.model, "a/b:free");
  }
});

test("words of a program stay words, whatever is in them", () => {
  const { pool } = read({ ...WISH, engine: "command", models: [] });
  assert.deepEqual(pool.backends["program"]!["command"], WISH.program);
});

test("the usual models have aliases, and each has a price", () => {
  for (const engine of ["anthropic", "openrouter"] as const) {
    const { pool } = read({ ...WISH, engine, models: [], baseUrl: undefined });
    assert.deepEqual(Object.keys(pool.models), ["cheap", "primary", "coder", "research"]);
    assert.ok(Object.values(pool.models).every(({ price }) => price !== undefined), engine);
    assert.equal(pool.defaults.model, "primary");
  }
  const { pool } = read({ ...WISH, models: [] });
  const { input, cacheRead } = PRICES["claude-sonnet-5-5"]!;
  assert.deepEqual(
    [pool.models["primary"]!.price!.input, pool.models["primary"]!.price!.cacheRead],
    [
      input,
      cacheRead,
    ],
  );
});

test("models without an alias get one of their own, the first is primary", () => {
  const ids = ["x/one", "y/one", "z/1 §"].map((id) => ({ alias: undefined, id }));
  const { pool } = read({ ...WISH, models: [...ids, { alias: "coder", id: "x/one" }] });
  assert.deepEqual(Object.keys(pool.models), ["primary", "one", "1-", "coder"]);
});

test("a program that calls its model itself has connections, unless it has everything anyway", () => {
  assert.equal(read({ ...WISH, engine: "acp" }).pool.defaults.network, true);
  const free = read({ ...WISH, engine: "acp", sandbox: "none" });
  assert.doesNotMatch(free.yaml, /network/);
});

test("what a wish lacks is named with the option that gives it", () => {
  const none = { ...WISH, baseUrl: undefined, preset: undefined, program: [], models: [] };
  const lacking = (engine: EngineWish["engine"]) => missingOf({ ...none, engine }).join("\n");
  assert.match(lacking("openai"), /--base-url[^]*--model/);
  assert.match(lacking("acp"), /--preset/);
  assert.match(lacking("command"), /--program/);
  assert.equal(lacking("anthropic") + lacking("openrouter"), "");
});

test("later parts win over earlier ones, entry by entry, and Discord's is written anew", () => {
  const { section } = poolSection({
    discord: {
      guild: { id: "1", name: 'la\nb"' },
      token: { env: "T" },
      channels: {
        queue: { id: "2", name: "q" },
        results: { id: "r", name: "r" },
        workers: { id: "3", name: "w" },
      },
      authors: ["7"],
      operators: undefined,
    },
    usdPerDay: 2,
    parts: [
      { discord: { guild_id: "9" }, defaults: { model: "a", sandbox: "none" }, budget: { x: 1 } },
      { defaults: { sandbox: "workspace" }, backends: { b: { kind: "openai" } } },
    ],
  });
  assert.deepEqual(JSON.parse(JSON.stringify(section)), {
    discord: {
      guild_id: "1",
      token_env: "T",
      channels: { queue: "2", results: "r", workers: "3" },
      authors: ["7"],
    },
    defaults: { model: "a", sandbox: "workspace" },
    budget: { usd_per_day: 2 },
    backends: { b: { kind: "openai" } },
  });
});
