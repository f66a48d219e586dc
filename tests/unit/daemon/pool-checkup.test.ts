import assert from "node:assert/strict";
import test from "node:test";
import { checkBackends } from "../../../lib/daemon/pool-checkup.ts";
import type { PoolConfig } from "../../../lib/tasks/pool-config.ts";
import { POOL_DEFAULTS } from "../../../lib/tasks/pool-defaults.ts";

const ENV = { PATH: "/usr/bin:/bin", KEY_IS_HERE: "sk-of-gold", ANTHROPIC_API_KEY: " " };

const IO = { input: "stdin", result: "stdout" };

function marks(backends: PoolConfig["backends"]) {
  return checkBackends({ ...POOL_DEFAULTS, backends }, ENV);
}

test("keys and programs that backends want are looked for on this machine, and no key is shown", () => {
  const findings = marks({
    here: { kind: "openai", baseUrl: "http://x", apiKeyEnv: "KEY_IS_HERE" },
    own: { kind: "anthropic", apiKey: "sk-in-file" },
    shell: { kind: "command", ...IO, command: ["sh", "-c", "x"] },
    absolute: { kind: "command", ...IO, command: ["/bin/sh"] },
    inside: { kind: "command", ...IO, command: ["./of-the-task.sh"] },
  });
  assert.deepEqual(findings.map(({ mark }) => mark), Array(5).fill("good"));
  assert.doesNotMatch(JSON.stringify(findings), /sk-/);
});

test("what is missing here is a doubt, as workers may be elsewhere, with what to do", () => {
  const findings = marks({
    usual: { kind: "anthropic" },
    named: { kind: "openai", baseUrl: "http://x", apiKeyEnv: "KEY_IS_NOT" },
    program: { kind: "command", ...IO, command: ["no-such-program-here"] },
    path: { kind: "command", ...IO, command: ["/no/such/program"] },
    folder: { kind: "command", ...IO, command: ["/etc"] },
    preset: { kind: "acp", preset: "kiro" },
  });
  assert.ok(findings.every(({ mark, mend }) => mark === "doubt" && mend !== undefined));
  const text = findings.map(({ message }) => message).join("\n");
  for (const word of [/ANTHROPIC_API_KEY is not/, /KEY_IS_NOT is not/, /"no-such-program-here"/]) {
    assert.match(text, word);
  }
  assert.match(text, /"\/no\/such\/program"[^]*"\/etc"[^]*"kiro-cli"/);
});

test("a backend that no worker could use is bad, before a task finds out", () => {
  const findings = marks({
    text: { kind: "command", ...IO, command: "cat TASK.txt" },
    half: { kind: "command", command: ["cat"] },
    reads: { kind: "command", ...IO, command: ["cat"], reads: ["/no/such/folder"] },
  });
  assert.deepEqual(findings.map(({ mark }) => mark), ["bad", "bad", "doubt"]);
  assert.match(findings[0]!.message, /Backend "text" is mistaken: .*"command"/);
  assert.match(findings[2]!.message, /"\/no\/such\/folder"/);
});
