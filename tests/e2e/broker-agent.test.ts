import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { converseWith } from "../support/agent-conversation.ts";
import { brokerScene } from "../support/broker-scene.ts";

test("an agent on the protocol's own SDK converses: it streams, asks before it acts, stops, and comes back", async (t) => {
  const program = fileURLToPath(new URL("../support/acp-sdk-agent.ts", import.meta.url));
  const command = JSON.stringify([process.execPath, "run", "-A", "--no-check", program]);
  const scene = await brokerScene(t, { agent: `{kind: acp, command: ${command}}` });
  assert.equal(await converseWith(scene), "loaded");
});
