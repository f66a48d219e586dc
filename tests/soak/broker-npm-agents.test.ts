import { test } from "node:test";
import { converseWith } from "../support/agent-conversation.ts";
import { npmScene } from "../support/broker-npm-scene.ts";
import { CLAUDE, CODEX, GEMINI, OPENCODE } from "../support/npm-agents.ts";

for (const agent of [GEMINI, CLAUDE, CODEX, OPENCODE]) {
  test(`${agent.name} converses: it streams, asks before it acts, stops, and comes back`, async (t) => {
    const got = await npmScene(t, agent);
    if ("missing" in got) return t.skip(got.missing);
    t.diagnostic(`its session was ${await converseWith(got.scene)}`);
  });
}
