import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { LLMock } from "@copilotkit/aimock";
import { MADE } from "./agent-conversation.ts";
import { type BrokerScene, brokerScene } from "./broker-scene.ts";
import { npmAgent } from "./npm-agent.ts";
import type { KnownAgent } from "./npm-agents.ts";

interface Test {
  after(act: () => unknown): void;
}

type Fixture = Parameters<LLMock["prependFixture"]>[0];
type Ask = Parameters<NonNullable<Fixture["match"]["predicate"]>>[0];

/** What the model is asked newest, without what stands around it. */
function newest({ messages }: Ask): string {
  const last = messages.findLast(({ role }) => role === "user")?.content ?? "";
  const text = typeof last === "string" ? last : last.map((one) => one.text ?? "").join("\n");
  return text.slice(Math.max(0, text.lastIndexOf("<herd-message")));
}

/** A model that greets, uses the shell when it is told to, and counts slowly. */
export async function startModel(t: Test, { shell }: KnownAgent): Promise<LLMock> {
  const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" });
  await mock.start();
  t.after(() => mock.stop());
  // Names of sessions and the like are asked for without tools.
  const asks = (words: string) => (ask: Ask) =>
    (ask.tools ?? []).length > 0 && newest(ask).includes(words);
  const numbers = Array.from({ length: 400 }, (_, i) => `number ${i}`).join(", ");
  const usage = { input_tokens: 41, output_tokens: 7 };
  const fixtures: Fixture[] = [
    { match: {}, response: { content: "Hello from the model", usage } },
    {
      match: { predicate: asks("count slowly") },
      response: { content: numbers },
      latency: 100,
      chunkSize: 8,
    },
    {
      match: { predicate: asks("make the file"), hasToolResult: false },
      response: { toolCalls: [shell(`touch ${MADE}`)] },
    },
    {
      match: { hasToolResult: true },
      response: { content: "That is done with, one way or the other" },
    },
  ];
  for (const one of fixtures) mock.prependFixture(one);
  return mock;
}

/** The broker of the compiled binary with a real agent; a sentence when it cannot be had here. */
export async function npmScene(
  t: Test,
  agent: KnownAgent,
): Promise<{ scene: BrokerScene; model: LLMock } | { missing: string }> {
  const program = await npmAgent(agent);
  if ("missing" in program) return program;
  const model = await startModel(t, agent);
  const env = agent.env(model.url);
  const command = JSON.stringify([
    ...program.argv,
    ...agent.args,
  ]);
  const scene = await brokerScene(t, {
    env: { ...env, PATH: process.env["PATH"]! },
    agent: `{kind: acp, command: ${command}, env: [${["HOME", ...Object.keys(env)].join(", ")}]}`,
    more: agent.model === undefined ? "" : `  model: ${agent.model}`,
  });
  for (const [path, text] of Object.entries(agent.files?.(model.url) ?? {})) {
    mkdirSync(dirname(scene.path(path)), { recursive: true });
    writeFileSync(scene.path(path), text);
  }
  return { scene, model };
}
