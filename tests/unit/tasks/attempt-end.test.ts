import { test } from "node:test";
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDeadline } from "../../../lib/tasks/attempt-deadline.ts";
import { attemptEnd, type EndFacts } from "../../../lib/tasks/attempt-end.ts";
import { agentEnvironment } from "../../../lib/tasks/attempt-environment.ts";
import { createLines } from "../../../lib/tasks/attempt-lines.ts";
import { readAttemptMessage, readWorkerMessage } from "../../../lib/tasks/attempt-message.ts";
import { createAttemptOutput } from "../../../lib/tasks/attempt-output.ts";
import { readAttemptSpec } from "../../../lib/tasks/attempt-spec.ts";
import { createUseSum } from "../../../lib/tasks/attempt-use.ts";
import { removeTree } from "../../support/remove-tree.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const HOW = { exitCode: 0, signal: undefined, spawnError: undefined };
const DONE = { kind: "done", result: "42" } as const;

test("an end is judged by what voids what: lease, then wish, then answer, then time", () => {
  const judge = (facts: Partial<EndFacts>) =>
    attemptEnd({
      cause: undefined,
      said: undefined,
      how: HOW,
      stderr: "",
      flooded: false,
      ...facts,
    });
  const timedOut = { kind: "timed-out", limitMs: 5 } as const;
  const cancelled = { kind: "cancelled", reason: "no" } as const;
  assert.deepEqual(judge({ said: { end: DONE } }), DONE);
  assert.deepEqual(judge({ said: { end: DONE }, cause: timedOut }), DONE);
  assert.deepEqual(judge({ said: { end: DONE }, cause: cancelled }), {
    ...cancelled,
    partial: "42",
  });
  assert.equal(judge({ said: { end: DONE }, cause: { kind: "fenced" } }).kind, "fenced");
  assert.equal(judge({ said: { end: DONE, stopped: "deadline" } }).kind, "fenced");
  const aborted = { kind: "aborted", partial: "so far" } as const;
  assert.deepEqual(judge({ said: { end: aborted }, cause: timedOut }), {
    ...timedOut,
    partial: "so far",
  });
  const byTerm = judge({ said: { end: aborted, stopped: "signal" } });
  assert.equal(byTerm.kind === "crashed" && byTerm.signal, "SIGTERM");
  assert.equal(judge({ how: { ...HOW, exitCode: undefined, signal: "SIGSEGV" } }).kind, "crashed");
});

test("a deadline fires once, moves with each renewal, and hears none that comes after it", async () => {
  const clock = createSteppedClock();
  let fired = 0;
  const deadline = createDeadline(clock, 1_000, () => fired++);
  clock.advance(900);
  assert.equal(deadline.move(1_000), true);
  clock.advance(999);
  assert.equal(fired, 0);
  // As after a freeze: the time has passed, the timer has not fired yet.
  const times = [0, 2_000];
  const woken = { ...clock, now: () => times.shift() ?? 2_000 };
  const frozen = createDeadline(woken, 1_000, () => fired++);
  assert.equal(frozen.move(1_000), false);
  assert.equal(fired, 1);
  clock.advance(1);
  await Promise.resolve();
  assert.equal(fired, 2);
  assert.equal(deadline.move(1_000), false);
  clock.advance(10_000);
  await Promise.resolve();
  assert.equal(fired, 2);
});

test("a specification is checked word by word, and its mistakes are told without its values", () => {
  const good = {
    ...{ name: "t:1", folder: "/f", prompt: "p", instructions: "i", thinking: "off" },
    ...{ sandbox: { level: "none", network: true }, env: {}, timeoutMs: 1, deadManMs: 1 },
  };
  const read = (more: object) => readAttemptSpec(JSON.stringify({ ...good, ...more }));
  assert.deepEqual(read({ backend: { kind: "x" } }), {
    ...good,
    ...{ backend: { kind: "x" }, prices: {}, secrets: {}, graceMs: 15_000, model: undefined },
    budgetUsd: undefined,
    relay: undefined,
  });
  for (
    const bad of [
      { name: "../x:1" },
      { name: "x" },
      { folder: "f" },
      { thinking: "low; rm -rf ~" },
      { sandbox: { level: "all", network: true } },
      { timeoutMs: 0 },
      { deadManMs: 2 ** 40 },
      { env: { A: 1 } },
      { more: "hidden-value" },
    ]
  ) {
    const wrong = read(bad);
    assert.ok("wrong" in wrong, JSON.stringify(bad));
    assert.doesNotMatch(wrong.wrong, /hidden-value|rm -rf/);
  }
});

test("lines that are no messages are none, whatever they hold", () => {
  for (
    const line of ["", "null", "[]", "{}", "{", '{"renew":-1}', '{"renew":1e99}', '{"cancel":1}']
  ) {
    assert.equal(readWorkerMessage(line), undefined, line);
  }
  for (const line of ["", '{"use":{}}', '{"end":{"kind":"won"}}', '{"progress":{}}']) {
    assert.equal(readAttemptMessage(line), undefined, line);
  }
  assert.deepEqual(readWorkerMessage('{"renew":5}'), { renew: 5 });
  assert.deepEqual(readAttemptMessage('{"end":{"kind":"done","result":"r"}}'), {
    end: { kind: "done", result: "r" },
  });
});

test("lines are put together from any pieces, and one without end is given up", () => {
  const lines = createLines(10);
  const bytes = Buffer.from("é\nab\n\ncd");
  const got = [...bytes].flatMap((byte) => lines.take(Uint8Array.of(byte)) ?? ["over"]);
  assert.deepEqual(got, ["é", "ab", ""]);
  assert.deepEqual(lines.take(Buffer.from("e\nf\n")), ["cde", "f"]);
  assert.equal(lines.take(Buffer.from("x".repeat(11))), undefined);
  assert.equal(lines.take(Buffer.from("y\n")), undefined);
});

test("no more is on its way to a worker than a pipe holds, until the worker has read it", async () => {
  const root = mkdtempSync(join(tmpdir(), "herd-output-"));
  const file = openSync(join(root, "out"), "w");
  try {
    const output = createAttemptOutput(file);
    const size = () => readFileSync(join(root, "out")).length;
    const written = output.write("x".repeat(10_000));
    assert.equal(size(), 4096);
    output.heard(1_000_000);
    assert.equal(size(), 8192);
    output.heard(5_000);
    assert.equal(size(), 9096);
    // An old word closes nothing.
    output.heard(1);
    assert.equal(size(), 9096);
    output.heard(8_192);
    assert.equal(size(), 10_000);
    await written;
  } finally {
    closeSync(file);
    removeTree(root);
  }
});

test("D.11.23: uses of all calls are summed by model, told and untold prices apart", () => {
  const sum = createUseSum();
  const use = { model: "a", input: 1, output: 2, cacheRead: 3, cacheWrite: 4, usd: undefined };
  for (
    const one of [use, use, { ...use, usd: 0.5 }, { ...use, usd: 0.25 }, { ...use, model: "b" }]
  ) {
    sum.add(one);
  }
  assert.deepEqual(sum.all(), [
    { model: "a", input: 2, output: 4, cacheRead: 6, cacheWrite: 8, usd: undefined },
    { model: "a", input: 2, output: 4, cacheRead: 6, cacheWrite: 8, usd: 0.75 },
    { model: "b", input: 1, output: 2, cacheRead: 3, cacheWrite: 4, usd: undefined },
  ]);
});

test("an agent's environment is a list of allowed names, with a home of its own when confined", () => {
  const env = {
    ...{ PATH: "/bin", LC_ALL: "C", HOME: "/home/me", DISCORD_BOT_TOKEN: "t", AWS_SECRET: "s" },
    ...{ SSH_AUTH_SOCK: "x", LD_PRELOAD: "x", XDG_RUNTIME_DIR: "x", SLURM_JOB_ID: "1" },
  };
  const add = { OPENROUTER_API_KEY: "listed", LD_PRELOAD: "x" };
  const confined = { level: "workspace", network: true } as const;
  assert.deepEqual(agentEnvironment(env, { sandbox: confined, folder: "/f", add }), {
    ...{ PATH: "/bin", LC_ALL: "C", HOME: "/f/.home", OPENROUTER_API_KEY: "listed" },
  });
  const none = { level: "none", network: true } as const;
  assert.equal(agentEnvironment(env, { sandbox: none, folder: "/f" })["HOME"], "/home/me");
});
