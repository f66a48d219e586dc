import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LLMock } from "@copilotkit/aimock";
import { createConverser } from "../../lib/backends/create-converser.ts";
import { createSystemClock } from "../../lib/base/clock.ts";
import type { OpenWish, PermissionRequest } from "../../lib/chat/agent-session.ts";
import { ask } from "../support/converse.ts";
import { npmAgent } from "../support/npm-agent.ts";
import { GEMINI } from "../support/npm-agents.ts";

const KEY = "gm-test-key";

test("acp: Gemini CLI from npm converses: it remembers, asks before it acts, and comes back", async (t) => {
  const agent = await npmAgent(GEMINI);
  if ("missing" in agent) return t.skip(agent.missing);
  const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" });
  await mock.start();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "herd-gemini-")));
  t.after(async () => {
    await mock.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  mock.prependFixture({
    match: {},
    response: { content: "Hello from Gemini", usage: { input_tokens: 41, output_tokens: 7 } },
  });
  const converser = createConverser({
    kind: "acp",
    command: [...agent.argv, "--experimental-acp"],
    env: ["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"],
  }, {
    wrap: (argv) => ({ argv: [...argv] }),
    clock: createSystemClock(),
    env: { GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: mock.url },
    sandbox: { level: "none", network: true },
    agentEnv: () => ({ PATH: process.env["PATH"]!, HOME: folder }),
    startLimitMs: 120_000,
    // Its own choice asks a model first, which one to ask.
    model: "gemini-2.5-pro",
  });
  assert.ok(!("refused" in converser));
  const asked: PermissionRequest[] = [];
  let log = "";
  const wish: OpenWish = {
    conversation: "1",
    folder,
    instructions: "You are in a room of people.",
    earlier: undefined,
    signal: new AbortController().signal,
    hooks: {
      permission(request) {
        asked.push(request);
        return Promise.resolve("deny");
      },
      log: (text) => void (log += text),
    },
  };
  const session = await converser.open(wish);
  assert.ok(!("failed" in session), JSON.stringify(session) + log);
  t.diagnostic(`session ${session.sessionId}, ${JSON.stringify(session.options())}`);
  const started = performance.now();
  const first = await ask(session, "Hello?");
  assert.deepEqual(first.end, { kind: "done", text: "Hello from Gemini" });
  t.diagnostic(`after ${Math.round(performance.now() - started)} ms`);
  t.diagnostic(`used ${JSON.stringify(first.uses)}`);
  assert.deepEqual(first.uses.map(({ input, output }) => [input, output]), [[41, 7]]);

  mock.prependFixture({
    match: { userMessage: /make a file/ },
    response: {
      toolCalls: [{
        name: "run_shell_command",
        arguments: JSON.stringify({ command: "touch made" }),
      }],
    },
  });
  mock.prependFixture({ match: { hasToolResult: true }, response: { content: "I may not." } });
  const second = await ask(session, "make a file");
  t.diagnostic(JSON.stringify({ asked, tools: second.tools, end: second.end }));
  assert.equal(asked.length, 1);
  assert.equal(asked[0]!.kind, "execute");
  assert.match(asked[0]!.detail + asked[0]!.title, /touch made/);
  await session[Symbol.asyncDispose]();

  const transcript = [
    { role: "person", at: 1, text: "Hello?" },
    { role: "agent", at: 2, text: first.end.text },
  ] as const;
  const again = await converser.open({
    ...wish,
    earlier: { sessionId: session.sessionId, transcript },
  });
  assert.ok(!("failed" in again), JSON.stringify(again));
  t.diagnostic(`memory: ${again.memory}`);
  assert.ok(again.memory === "loaded" || again.memory === "replayed");
  const third = await ask(again, "And now?");
  assert.equal(third.end.kind, "done");
  const last = JSON.stringify(mock.getRequests().at(-1)?.body);
  assert.match(last, /Hello from Gemini/);
  await again[Symbol.asyncDispose]();
  assert.ok(!log.includes(KEY));
});
