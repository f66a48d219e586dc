import assert from "node:assert/strict";
import { test } from "node:test";
import { agentBasis } from "../../../lib/daemon/agent-basis.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";
import { arrival } from "../../support/chat-scene.ts";

const { place } = arrival("1", "hello");
const SECTION = `broker:
  discord: {allow_all_channels: true, allow_all_users: true}
  agents:
    one: {kind: acp, command: [one], env: [KEY]}
    two: {kind: acp, command: [two]}
  agent: one
`;

function basis(text = SECTION, env: Record<string, string> = { KEY: "a" }, of = place): string {
  const { broker } = readHerdConfig(text, "x");
  const [bot] = broker!.bots;
  return agentBasis({ place: of }, bot!, { broker: broker!, models: {}, env });
}

test("an agent goes on while nothing of what it was begun with has changed, whatever else has", () => {
  const others = [
    SECTION.replace("allow_all_users: true", 'allowed_users: ["5"]'),
    SECTION.replace("command: [two]", "command: [three]"),
    `${SECTION}  limits: {turn: 5m}\n  reactions: {enabled: false}\n`,
    `${SECTION}  projects: {"999": /elsewhere}\n`,
  ];
  for (const text of others) assert.equal(basis(text), basis(), text);
  assert.equal(basis(SECTION, { KEY: "a", OTHER: "b" }), basis());
});

test("another agent, program, model, key, folder, sandbox or instruction begins it anew", () => {
  const changed = [
    SECTION.replace("agent: one", "agent: two"),
    SECTION.replace("command: [one]", "command: [one, --fast]"),
    `${SECTION}  model: large\n`,
    `${SECTION}  instructions: Be kind.\n`,
    `${SECTION}  workspace: {sandbox: read-only}\n`,
    `${SECTION}  workspace: {working_dir: /data}\n`,
    `${SECTION}  projects: {"${place.channelId}": /data}\n`,
    `${SECTION}  projects: {"${place.channelId}": {folder: /data, agent: two}}\n`,
  ];
  assert.equal(new Set([basis(), ...changed.map((text) => basis(text))]).size, changed.length + 1);
  assert.notEqual(basis(SECTION, { KEY: "b" }), basis());
});
