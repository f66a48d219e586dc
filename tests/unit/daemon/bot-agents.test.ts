import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentSettings } from "../../../lib/chat/broker-config.ts";
import { loginHint } from "../../../lib/chat/failure-text.ts";
import { programOf } from "../../../lib/daemon/bot-agents.ts";

test("an agent's login is found by its preset or its program, whatever starts it and however it is called", () => {
  const hint = (settings: AgentSettings) => {
    const agent = { name: "herd", model: undefined, price: undefined };
    const broker = { bots: [], agents: { herd: settings } };
    return loginHint(programOf(agent, { broker }));
  };
  assert.match(hint({ kind: "acp", preset: "kiro" }), /kiro-cli login/);
  assert.match(hint({ kind: "acp", command: ["/opt/x/bin/codex", "acp"] }), /codex login/);
  const npx = ["npx", "-y", "@zed-industries/claude-code-acp"];
  assert.match(hint({ kind: "acp", command: npx }), /\/login/);
  assert.match(hint({ kind: "anthropic" }), /Log the agent in, or check its key/);
  assert.match(hint({ kind: "acp", command: ["/home/claude/bin/mine"] }), /Log the agent in/);
});
