import assert from "node:assert/strict";
import { test } from "node:test";
import { ACP_PRESETS, acpPreset } from "../../../lib/backends/acp-presets.ts";
import { readBackendConfig } from "../../../lib/backends/backend-config.ts";
import { fillCommand, programProblem } from "../../../lib/backends/command-line.ts";
import { createBackend } from "../../../lib/backends/create-backend.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { unconfined } from "./scene.ts";

const parts = { wrap: unconfined, clock: createSystemClock(), env: {} };

test("each kind of backend is read as it is written", () => {
  const configs = [
    { kind: "anthropic", apiKeyEnv: "KEY", maxTurns: 5 },
    { kind: "openai", baseUrl: "http://127.0.0.1:1/v1", headers: { "X-Title": "herd" } },
    { kind: "acp", command: ["agent", "acp"], env: ["TOKEN"], mode: "auto" },
    { kind: "command", command: ["run"], input: "stdin", result: "file", usageFile: "use.json" },
  ];
  for (const config of configs) assert.deepEqual(readBackendConfig(config), config);
});

test("what is unknown, missing or of a wrong kind is refused by name and without its value", () => {
  const refused = (config: unknown) => {
    const read = readBackendConfig(config);
    assert.ok("refused" in read, JSON.stringify(config));
    assert.doesNotMatch(read.refused, /hush/);
    return read.refused;
  };
  assert.match(refused({ kind: "anthropic", apikey: "hush" }), /no setting "apikey"/);
  assert.match(refused({ kind: "anthropic", apiKeyEnv: "hush hush" }), /"apiKeyEnv"/);
  assert.match(refused({ kind: "openai" }), /"baseUrl"/);
  assert.match(refused({ kind: "openai", baseUrl: "file:///hush" }), /an http or https address/);
  assert.match(refused({ kind: "acp", command: [] }), /"command"/);
  assert.match(refused({ kind: "acp", command: "hush" }), /"command"/);
  for (const usageFile of ["../hush", "/hush", "a/../../hush", ""]) {
    const config = { kind: "command", command: ["x"], input: "file", result: "file", usageFile };
    assert.match(refused(config), /"usageFile"/);
  }
  for (const config of [undefined, null, 3, {}, { kind: "other" }]) refused(config);
});

test("a key or a variable that is not there is told before anything is tried", () => {
  const refused = (config: Parameters<typeof createBackend>[0]) => {
    const backend = createBackend(config, parts);
    return "refused" in backend ? backend.refused : "";
  };
  assert.match(refused({ kind: "anthropic" }), /ANTHROPIC_API_KEY/);
  assert.match(refused({ kind: "anthropic", apiKey: "a", apiKeyEnv: "B" }), /both/);
  assert.match(refused({ kind: "openai", baseUrl: "http://x", apiKeyEnv: "B" }), /B is not set/);
  assert.match(refused({ kind: "acp", command: ["x"], env: ["TOKEN"] }), /TOKEN, which it names/);
  assert.equal(refused({ kind: "openai", baseUrl: "http://127.0.0.1:1" }), "");
});

test("D.11.14: no text of a task gets into a command line, and no model that a shell would understand", () => {
  const work = { folder: "/f o", model: "a/b:c", name: "t1:2", thinking: "low" } as const;
  assert.deepEqual(
    fillCommand(["x", "{folder}/y", "{model}", "{name}", "{thinking}", "{prompt}"], work),
    { argv: ["x", "/f o/y", "a/b:c", "t1:2", "low", "{prompt}"] },
  );
  for (const model of ["low; touch bad", "$(id)", "`id`", "-rf", "a b", "a\nb", "", "{folder}"]) {
    const filled = fillCommand(["bash", "-c", "agent {model}"], { ...work, model });
    assert.ok("refused" in filled, model);
    // A command that does not name the model has nothing to fear of it.
    assert.ok("argv" in fillCommand(["agent"], { ...work, model }));
  }
  assert.ok("refused" in fillCommand(["{model}"], { ...work, model: undefined }));
});

test("a program that is not there, or is named by a relative path, is told before the start", () => {
  assert.equal(programProblem("sh", "/usr/bin:/bin"), undefined);
  assert.equal(programProblem("/bin/sh", undefined), undefined);
  assert.match(programProblem("no-such", "/usr/bin") ?? "", /no such program/);
  assert.match(programProblem("/no/such", "/usr/bin") ?? "", /no such program/);
  assert.match(programProblem("./x", "/usr/bin") ?? "", /absolute path/);
});

test("the known agents have names of their own and commands that a configuration may hold", () => {
  assert.equal(new Set(ACP_PRESETS.map(({ name }) => name)).size, ACP_PRESETS.length);
  for (const name of ["claude", "codex", "gemini", "kiro", "openclaw"]) {
    const command = acpPreset(name)?.command;
    assert.ok("kind" in readBackendConfig({ kind: "acp", command: [...command ?? []] }), name);
  }
});
