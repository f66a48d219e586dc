import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LLMock } from "@copilotkit/aimock";
import { livePool } from "../support/live-pool.ts";
import { npmAgent } from "../support/npm-agent.ts";
import { GEMINI } from "../support/npm-agents.ts";

test("acp: Gemini CLI from npm does a task through the whole pool, against a model of ours", async (t) => {
  const agent = await npmAgent(GEMINI);
  if ("missing" in agent) return t.skip(agent.missing);
  const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" });
  await mock.start();
  t.after(() => mock.stop());
  mock.prependFixture({
    match: {},
    response: { content: "Sorted: 1 2 3", usage: { input_tokens: 41, output_tokens: 7 } },
  });
  const pool = livePool(t, {
    env: { GEMINI_API_KEY: "gm-test", GOOGLE_GEMINI_BASE_URL: mock.url },
    yaml: `pool:
  defaults: {model: gemini, sandbox: none}
  limits: {attempts: 1}
  backends:
    gemini: {kind: acp, command: [${agent.argv.join(", ")}, --experimental-acp],
      env: [GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL]}
  models:
    gemini: {backend: gemini}
`,
  });
  await pool.daemon();
  pool.worker();
  const said = await pool.run("task", "submit", "--wait", "--json", "--", "sort 3 1 2");
  const task = JSON.parse(said.stdout);
  const { folder, use } = task.attempts[0];
  const log = () => readFileSync(join(folder, "agent-output.log"), "utf8");
  assert.equal(task.result, "Sorted: 1 2 3", `${task.why} ${log()}`);
  assert.ok(!JSON.stringify(pool.events()).includes("gm-test"));
  t.diagnostic(`used: ${JSON.stringify(use)}`);
});
