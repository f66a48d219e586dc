import assert from "node:assert/strict";
import { test } from "node:test";
import { AGENT_DEFAULTS, REMEDIATION_DEFAULTS } from "../../../lib/sweep/read-monitor.ts";
import { errorOf, noticesOf, read, refuses, REST } from "../../support/reading.ts";

const agent = (text: string) => read(`agent: ${text}${REST}`).agent;
const remediation = (text: string) => read(`remediation: ${text}${REST}`).remediation;

test("sections without keys are the defaults", () => {
  assert.deepEqual(agent(""), AGENT_DEFAULTS);
  assert.deepEqual(agent("{model: , budget: {tick: }}"), AGENT_DEFAULTS);
  assert.deepEqual(remediation("{}"), REMEDIATION_DEFAULTS);
});

test("every key of remediation is read, amounts as in slurm", () => {
  const text = `remediation:
  mode: remediate
  scope: trial
  bump_percent: 100
  max_mem: 64G
  max_time: 2-00
  retries: 0
  infrastructure_retries: 20
${REST}`;
  assert.deepEqual(read(text).remediation, {
    mode: "remediate",
    scope: "trial",
    bumpPercent: 100,
    maxMemoryMiB: 65_536,
    maxTimeSeconds: 172_800,
    retries: 0,
    infrastructureRetries: 20,
  });
  assert.deepEqual(noticesOf(text), []);
  assert.equal(remediation("{max_time: 90}").maxTimeSeconds, 5400);
  assert.equal(remediation("{max_time: 10:00:00}").maxTimeSeconds, 36_000);
  assert.equal(remediation("{max_mem: 8000}").maxMemoryMiB, 8000);
});

test("mistakes in remediation are told with what is allowed", () => {
  refuses([
    [
      "remediation: {mode: remediat}",
      '1:21 Cannot read remediation.mode: found "remediat", expected "remediate" or "notify"',
    ],
    ["remediation: {scope: all}", '1:22 Cannot read remediation.scope: found "all", expected "swe'],
    [
      "remediation: {bump_percent: 0}",
      "1:29 Cannot read remediation.bump_percent: found 0, expected a whole number from 1 to 400",
    ],
    ["remediation: {bump_percent: 401}", "1:29 Cannot read remediation.bump_percent: found 401"],
    ["remediation: {bump_percent: 50%}", '1:29 Cannot read remediation.bump_percent: found "50%"'],
    ["remediation: {retries: 6}", "1:24 Cannot read remediation.retries: found 6, expected a whol"],
    [
      "remediation: {infrastructure_retries: 21}",
      "1:39 Cannot read remediation.infrastructure_ret",
    ],
    [
      "remediation: {max_mem: 0}",
      "1:24 Cannot read remediation.max_mem: found 0, expected a limit",
    ],
    [
      "remediation: {max_mem: lots}",
      '1:24 Cannot read remediation.max_mem: found "lots", expected 8',
    ],
    ["remediation: {max_time: UNLIMITED}", '1:25 Cannot read remediation.max_time: found "UNLIMI'],
    [
      "remediation: {max_time: 30m}",
      '1:25 Cannot read remediation.max_time: found "30m", expected 90',
    ],
    ["remediation: {max_time: [1]}", "1:25 Cannot read remediation.max_time: found a list"],
    [
      "remediation: {mod: notify}",
      '1:15 Unknown key "mod" in remediation, allowed are mode, scope',
    ],
    ["remediation: x", '1:14 Cannot read remediation: found "x", expected a mapping'],
  ]);
});

test("every key of agent is read", () => {
  const text = `agent:
  backend: claude-cli
  model: claude-sonnet-4-5
  base_url: https://proxy.example.org/anthropic
  effort: high
  max_tokens: 8192
  max_turns: 4
  timeout: 5m
  ticks: every
  budget: {tick: 0.25, day: 2, sweep: none}
  prices:
    claude-sonnet-4-5: {input: 3, output: 15, cache_read: 0.3, cache_write: 3.75}
    my/model:8b: {input: 1, output: 0}
  grants: [prune, bump, prune]
${REST}`;
  assert.deepEqual(read(text).agent, {
    backend: "claude-cli",
    model: "claude-sonnet-4-5",
    baseUrl: "https://proxy.example.org/anthropic",
    effort: "high",
    maxTokens: 8192,
    maxTurns: 4,
    timeoutSeconds: 300,
    ticks: "every",
    budget: { tick: 0.25, day: 2, sweep: undefined },
    prices: {
      "claude-sonnet-4-5": { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
      "my/model:8b": { input: 1, output: 0, cacheRead: 0.1, cacheWrite: 1.25 },
    },
    grants: ["prune", "bump"],
  });
  assert.deepEqual(noticesOf(text), []);
});

test("G.4.27: a budget has a limit unless the file says none; 0 spends nothing", () => {
  assert.deepEqual(agent("{budget: {day: 3}}").budget, { ...AGENT_DEFAULTS.budget, day: 3 });
  assert.deepEqual(agent("{budget: {tick: 0, day: None, sweep: ~}}").budget, {
    tick: 0,
    day: undefined,
    sweep: AGENT_DEFAULTS.budget.sweep,
  });
  assert.ok(Object.values(agent("{budget: {}}").budget).every((limit) => Number(limit) > 0));
  const forms = "expected US dollars such as 2.5, 0 to spend nothing, or none for no limit";
  refuses([
    ["agent: {budget: {day: -1}}", `1:23 Cannot read agent.budget.day: found -1, ${forms}`],
    ["agent: {budget: {day: .inf}}", `1:23 Cannot read agent.budget.day: found ".inf", ${forms}`],
    ["agent: {budget: {day: 1e10}}", `1:23 Cannot read agent.budget.day: found 1e10, ${forms}`],
    ["agent: {budget: {day: unlimited}}", `1:23 Cannot read agent.budget.day: found "unlimited"`],
    ["agent: {budget: {day: true}}", "1:23 Cannot read agent.budget.day: found true"],
    ["agent: {budget: 5}", "1:17 Cannot read agent.budget: found 5, expected a mapping"],
    ["agent: {budget: {month: 5}}", '1:18 Unknown key "month" in agent.budget, allowed are tick'],
  ]);
  assert.equal(errorOf(`agent: {budget: {day: $5}}${REST}`).hint, "Write 5");
  assert.equal(errorOf(`agent: {budget: {day: 2.5 USD}}${REST}`).hint, "Write 2.5");
});

test("prices need input and output, and are told by model", () => {
  refuses([
    [
      "agent: {prices: {m: {input: 1}}}",
      '1:18 Missing key "output" in agent.prices.m: expected US',
    ],
    ["agent: {prices: {m: {output: 1}}}", '1:18 Missing key "input" in agent.prices.m'],
    [
      "agent: {prices: {m: 3}}",
      "1:21 Cannot read agent.prices.m: found 3, expected a mapping with",
    ],
    [
      "agent: {prices: {m: {input: -1, output: 1}}}",
      "1:29 Cannot read agent.prices.m.input: found -1, expected US dollars per million tokens",
    ],
    ["agent: {prices: {m: {inputs: 1, output: 1}}}", '1:22 Unknown key "inputs" in agent.prices.m'],
    [
      "agent: {prices: {a b: {input: 1, output: 1}}}",
      "1:18 Cannot use this key as the name of a m",
    ],
    ["agent: {prices: [1]}", "1:17 Cannot read agent.prices: found a list, expected a mapping of"],
  ]);
});

test("mistakes in agent are told with what is allowed", () => {
  refuses([
    [
      "agent: {backend: claude}",
      '1:18 Cannot read agent.backend: found "claude", expected "api", "claude-cli" or "none"',
    ],
    [
      "agent: {effort: max}",
      '1:17 Cannot read agent.effort: found "max", expected "low", "medium"',
    ],
    ["agent: {max_tokens: 10}", "1:21 Cannot read agent.max_tokens: found 10, expected a whole nu"],
    ["agent: {max_turns: 0}", "1:20 Cannot read agent.max_turns: found 0, expected a whole number"],
    [
      "agent: {timeout: 2h}",
      '1:18 Cannot read agent.timeout: found "2h", expected 1 second to 1 h',
    ],
    [
      "agent: {ticks: always}",
      '1:16 Cannot read agent.ticks: found "always", expected "needed" or',
    ],
    [
      "agent: {grants: all}",
      '1:17 Cannot read agent.grants: found "all", expected a list of grant',
    ],
    [
      "agent: {grants: [stop_all]}",
      '1:18 Cannot read agent.grants[0]: found "stop_all", expected "stop", "prune", "halt", "bump"',
    ],
    [
      "agent: {model: a b}",
      '1:16 Cannot read agent.model: found "a b", expected the name of a mod',
    ],
    [
      "agent: {base_url: proxy}",
      '1:19 Cannot read agent.base_url: found "proxy", expected an addr',
    ],
    ['agent: {base_url: "${URL}"}', '1:19 Cannot read agent.base_url: found "${URL}", expected an'],
    ["agent: {api_key: x}", '1:9 Unknown key "api_key" in agent, allowed are backend, model'],
    ["agent: 3", "1:8 Cannot read agent: found 3, expected a mapping of keys to values"],
  ]);
});

test("a key that would travel in the clear is said", () => {
  assert.deepEqual(noticesOf(`agent: {base_url: "http://proxy.example.org"}${REST}`), [
    "1:19 Took agent.base_url over http: the key can be read on the way",
  ]);
  assert.deepEqual(noticesOf(`agent: {base_url: "http://127.0.0.1:4010"}${REST}`), []);
});
