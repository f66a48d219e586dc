import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseAgent } from "../../../lib/agent/choose-agent.ts";
import {
  describeCredentials,
  type Environment,
  shownUrl,
  withoutSecrets,
} from "../../../lib/agent/credentials.ts";
import type { AgentSettings } from "../../../lib/sweep/config.ts";
import { AGENT_DEFAULTS } from "../../../lib/sweep/read-monitor.ts";
import { createImpatientClock } from "../../support/agent-scene.ts";

const KEY = { ANTHROPIC_API_KEY: "sk-ant-secret-key" };
const TOKEN = { ANTHROPIC_AUTH_TOKEN: "secret-token" };

function described(env: Environment, more: Partial<AgentSettings> = {}) {
  return describeCredentials(env, { ...AGENT_DEFAULTS, ...more });
}

test("the start says which credentials are active, and none of them", () => {
  assert.deepEqual(described(KEY), {
    kind: "api-key",
    text: "API key of ANTHROPIC_API_KEY at https://api.anthropic.com",
  });
  assert.deepEqual(described({ ...TOKEN, ANTHROPIC_BASE_URL: "https://gate.example:8443/" }), {
    kind: "bearer",
    text: "Bearer token of ANTHROPIC_AUTH_TOKEN at https://gate.example:8443",
  });
  assert.match(described({ ...KEY, ...TOKEN }).text, /ANTHROPIC_AUTH_TOKEN is set as well/);
  assert.equal(described({}).kind, "none");
  assert.match(described({ ANTHROPIC_API_KEY: "  " }).text, /neither ANTHROPIC_API_KEY nor/);
  assert.match(described({}, { backend: "claude-cli" }).text, /with its own login/);
  assert.match(described(KEY, { backend: "claude-cli" }).text, /uses ANTHROPIC_API_KEY instead/);
  assert.equal(described(KEY, { backend: "none" }).kind, "none");
  for (const backend of ["api", "claude-cli", "none"] as const) {
    assert.doesNotMatch(described({ ...KEY, ...TOKEN }, { backend }).text, /secret/);
  }
});

test("an address for people has no user, password or query", () => {
  assert.equal(shownUrl("https://u:p@h.example/v1/?key=1#x"), "https://h.example/v1");
  assert.equal(shownUrl("nonsense with:secret"), "an address that is none");
});

test("secrets are taken out of foreign text", () => {
  const text = "bad key abc123xyz (sk-ant-api03-Q_q-1) via http://me:pw@proxy:3128";
  assert.equal(withoutSecrets(text, ["abc123xyz"]), "bad key *** (***) via http://***@proxy:3128");
});

test("the agent is chosen by settings and environment, else the reason is a sentence", () => {
  const choose = (env: Environment, more: Partial<AgentSettings> = {}) =>
    chooseAgent({
      settings: { ...AGENT_DEFAULTS, ...more },
      env,
      clock: createImpatientClock(),
      mcpCommand: ["herd", "mcp"],
    });
  const api = choose(KEY, { model: "claude-opus-5-5" });
  assert.ok(!("none" in api));
  assert.equal(api.model, "claude-opus-5-5");
  assert.match(api.description, /^claude-opus-5-5: API key of ANTHROPIC_API_KEY at /);
  const none = (chosen: ReturnType<typeof choose>) => "none" in chosen ? chosen.none : "an agent";
  assert.match(none(choose({})), /^No agent: neither ANTHROPIC_API_KEY/);
  assert.match(none(choose(KEY, { backend: "none" })), /^No agent: agent.backend is "none"/);
  assert.match(
    none(choose({ PATH: "/nowhere:relative" }, { backend: "claude-cli" })),
    /there is no "claude" on the PATH/,
  );
});
