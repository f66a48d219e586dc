import assert from "node:assert/strict";
import { test } from "node:test";
import { failureBlock, failureText, loginHint } from "../../../lib/chat/failure-text.ts";
import type { TurnFailure } from "../../../lib/chat/turn.ts";

function failure(
  kind: TurnFailure["kind"],
  code?: number,
  more: Partial<TurnFailure> = {},
): TurnFailure {
  return { kind, code, message: "the words", stderr: "", hint: undefined, ...more };
}

test("B.111: each HTTP status and JSON-RPC code has its title, and the code is told", () => {
  const titles: [number, string][] = [
    [400, "Bad request"],
    [401, "Not logged in"],
    [403, "Not allowed"],
    [404, "Not found"],
    [408, "Time ran out"],
    [429, "Too many requests"],
    [500, "Internal error of the service"],
    [502, "Bad gateway"],
    [503, "Service not available"],
    [504, "Gateway timeout"],
    [-32600, "Invalid request"],
    [-32601, "Method not found"],
    [-32602, "Invalid parameters"],
    [-32603, "Internal error of the agent"],
    [-32000, "Agent wants a login"],
    [-32050, "Error of the agent's server"],
    [-32099, "Error of the agent's server"],
  ];
  for (const [code, title] of titles) {
    const kind = code < 0 ? "protocol" : "model";
    const text = failureText(failure(kind, code));
    assert.equal(text.title, title);
    assert.ok(failureBlock(text).startsWith(`⚠️ **${title}** (code ${code}): the words`));
  }
});

test("each kind has a title of its own, and an unknown code keeps it", () => {
  const kinds = [
    "not-found",
    "not-logged-in",
    "busy",
    "timeout",
    "gone",
    "refused",
    "model",
    "protocol",
    "nothing-said",
    "budget",
    "lost",
  ] as const;
  assert.equal(new Set(kinds.map((kind) => failureText(failure(kind)).title)).size, kinds.length);
  assert.equal(failureText(failure("model", 418)).title, "Error of the model");
  assert.equal(failureText(failure("gone", 500)).title, "Connection lost");
  assert.equal(failureText(failure("lost")).title, "Turn given up", "the conversation goes on");
});

test("B.117: a missing login says how this agent is logged in, by name or by path", () => {
  const cases: [string, RegExp][] = [
    ["claude", /\/login/],
    ["/usr/bin/claude-agent-acp", /\/login/],
    ["codex", /codex login/],
    ["gemini", /GEMINI_API_KEY/],
    ["/opt/Kiro-CLI", /kiro-cli login --use-device-flow/],
    ["opencode", /opencode auth login/],
    ["strange", /Log the agent in/],
  ];
  for (const [agent, hint] of cases) {
    assert.match(failureText(failure("not-logged-in"), agent).hint!, hint, agent);
    assert.match(failureText(failure("model", 401), agent).hint!, hint, agent);
    assert.match(failureText(failure("protocol", -32000), agent).hint!, hint, agent);
  }
  assert.match(loginHint(undefined), /Log the agent in/);
});

test("a hint that came with the failure wins", () => {
  const text = failureText(failure("not-logged-in", 401, { hint: "Do this" }), "claude");
  assert.equal(text.hint, "Do this");
});

test("the message is shown word for word: its Markdown and control characters do nothing", () => {
  const message = "**x** `y` \x1b[31m\u202e # z";
  const block = failureBlock(failureText(failure("model", undefined, { message })));
  assert.ok(block.includes("\\*\\*x\\*\\* \\`y\\` \\\\x1b\\[31m"), block);
});
