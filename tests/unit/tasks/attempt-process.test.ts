import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inAttemptScene } from "./attempt-scene.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

/** Processes that leave their group, session, parent and environment behind; all carry the word `$W`. */
const RUNAWAYS = `W=$AGENT_WORD
sleeper() { exec -a "$W" sleep 600; }
(sleeper) & (setsid bash -c 'exec -a "$0" sleep 600' "$W" &) &
setsid setsid -f bash -c 'exec -a "$0" sleep 600' "$W"
(trap '' TERM; exec -a "$W" sleep 600) &
env -i bash -c 'exec -a "$0" sleep 600' "$W" &
sleep 0.3
`;

test("an attempt that answers is done, with its result in the file and its uses summed", async () => {
  await inAttemptScene(async (scene) => {
    const spec = scene.spec({ script: "echo USE; sleep 0.2; echo USE; sleep 0.2; echo 42" });
    const attempt = scene.start(spec);
    assert.equal(readdirSync(scene.records).length, 1);
    const { end, use, left } = await attempt.ended;
    assert.equal(end.kind, "done");
    assert.match((end as { result: string }).result, /42/);
    assert.match(readFileSync(join(spec.folder, "RESULT.txt"), "utf8"), /42/);
    assert.match(readFileSync(join(spec.folder, "agent-output.log"), "utf8"), /42/);
    assert.deepEqual(use, [
      { model: "m", input: 20, output: 2, cacheRead: 10, cacheWrite: 4, usd: undefined },
    ]);
    assert.equal(left, 0);
    assert.deepEqual(readdirSync(scene.records), []);
  });
});

test("what an agent leaves behind ends with it, wherever it went", async () => {
  await inAttemptScene(async (scene) => {
    const script = `${RUNAWAYS}\necho ready; sleep 1; exit 0`;
    const attempt = scene.start(scene.spec({ script }));
    await scene.heard("ready");
    assert.ok(scene.living().length >= 4, `only ${scene.living().length} run`);
    assert.equal((await attempt.ended).end.kind, "done");
    assert.deepEqual(scene.living(), []);
  });
});

test("a cancelled attempt is asked first, and its agent may end in order", async () => {
  await inAttemptScene(async (scene) => {
    const script =
      `trap 'echo bye > bye.txt; exit 0' TERM; echo ready; while :; do sleep 0.1; done`;
    const spec = scene.spec({ script, stubborn: true }, { graceMs: 10_000 });
    const attempt = scene.start(spec);
    await scene.heard("ready");
    attempt.cancel("not wanted any more");
    const { end } = await attempt.ended;
    assert.equal(end.kind, "cancelled");
    assert.equal((end as { reason: string }).reason, "not wanted any more");
    assert.equal(readFileSync(join(spec.folder, "bye.txt"), "utf8"), "bye\n");
  });
});

test("a cancelled attempt that heeds nothing is ended by force after the grace", async () => {
  await inAttemptScene(async (scene) => {
    const script = `trap '' TERM; ${RUNAWAYS} echo ready; (trap '' TERM; exec -a "$W" sleep 600)`;
    const attempt = scene.start(scene.spec({ script, stubborn: true }, { graceMs: 300 }));
    await scene.heard("ready");
    attempt.cancel("stop");
    assert.equal((await attempt.ended).end.kind, "cancelled");
    assert.deepEqual(scene.living(), []);
  });
});

test("D.11.21: an attempt beyond its time limit is told as such and leaves no child", async () => {
  await inAttemptScene(async (scene) => {
    const script = `${RUNAWAYS} echo USE; echo ready; sleep 600`;
    const clock = createSteppedClock();
    const spec = scene.spec({ script }, { timeoutMs: 3_600_000, deadManMs: 86_400_000 });
    const attempt = scene.start(spec, { clock });
    await scene.heard("ready");
    clock.advance(3_599_000);
    assert.ok(scene.living().length > 0);
    clock.advance(1_000);
    const { end, use } = await attempt.ended;
    assert.deepEqual({ ...end, partial: "" }, {
      kind: "timed-out",
      limitMs: 3_600_000,
      partial: "",
    });
    assert.match((end as { partial: string }).partial, /ready/);
    assert.equal(use[0]?.input, 10);
    assert.deepEqual(scene.living(), []);
  });
});

test("an attempt's process that is killed is a crash; its agents end and its uses are known", async () => {
  await inAttemptScene(async (scene) => {
    const script = `echo USE; sleep 0.1; ${RUNAWAYS} echo ready; sleep 600`;
    const attempt = scene.start(scene.spec({ script }));
    await scene.heard("ready");
    process.kill(attempt.pid!, "SIGKILL");
    const { end, use } = await attempt.ended;
    assert.equal(end.kind, "crashed");
    assert.equal((end as { signal?: string }).signal, "SIGKILL");
    assert.equal(use[0]?.output, 1);
    assert.deepEqual(scene.living(), []);
    assert.deepEqual(readdirSync(scene.records), []);
  });
});

test("a fenced attempt ends at once, also when its process is frozen", async () => {
  await inAttemptScene(async (scene) => {
    const spec = scene.spec({ script: `${RUNAWAYS} echo ready; sleep 600` });
    const attempt = scene.start(spec);
    await scene.heard("ready");
    process.kill(attempt.pid!, "SIGSTOP");
    attempt.fence();
    assert.equal((await attempt.ended).end.kind, "fenced");
    assert.deepEqual(scene.living(), []);
    assert.equal(attempt.renew(1_000), false);
    assert.equal(existsSync(join(spec.folder, "RESULT.txt")), false);
  });
});

test("an attempt that its worker does not renew is fenced by the worker's own clock", async () => {
  await inAttemptScene(async (scene) => {
    const clock = createSteppedClock();
    const spec = scene.spec({ script: `${RUNAWAYS} echo ready; sleep 600` });
    const attempt = scene.start(spec, { clock });
    await scene.heard("ready");
    clock.advance(59_000);
    assert.equal(attempt.renew(60_000), true);
    clock.advance(59_000);
    assert.ok(scene.living().length > 0);
    clock.advance(1_000);
    assert.equal((await attempt.ended).end.kind, "fenced");
    assert.deepEqual(scene.living(), []);
  });
});

test("an attempt's process that hangs in its own code ends all the same", async () => {
  await inAttemptScene(async (scene) => {
    const attempt = scene.start(scene.spec({ script: "true", hang: true }, { graceMs: 200 }));
    attempt.cancel("stop");
    assert.equal((await attempt.ended).end.kind, "cancelled");
  });
});

test("a program that cannot be started, and one that says no word, are crashes with their last lines", async () => {
  await inAttemptScene(async (scene) => {
    const spec = scene.spec({ script: "true" });
    const missing = await scene.start(spec, { argv: ["/no/such/herd"] }).ended;
    assert.match((missing.end as { message: string }).message, /could not be started \(ENOENT\)/);
    const silent = await scene.start(spec, { argv: ["sh", "-c", "echo oh no >&2; exit 9"] }).ended;
    assert.deepEqual(silent.end, {
      kind: "crashed",
      message: "The attempt's process ended with exit code 9 and without an answer",
      signal: undefined,
      exitCode: 9,
      lastLines: ["oh no"],
      partial: "",
    });
    assert.deepEqual(readdirSync(scene.records), []);
  });
});

test("a program that writes a line without end is ended", async () => {
  await inAttemptScene(async (scene) => {
    const argv = ["sh", "-c", "tr '\\0' x < /dev/zero"];
    const { end } = await scene.start(scene.spec({ script: "true" }), { argv }).ended;
    assert.equal((end as { message: string }).message, "The attempt's process wrote without end");
  });
});

test("neither environment nor arguments of an attempt hold a secret or what loads code", async () => {
  await inAttemptScene(async (scene) => {
    const names = ["DISCORD_BOT_TOKEN", "ANTHROPIC_API_KEY", "BUN_OPTIONS", "BUN_BE_BUN"];
    const hostile = Object.fromEntries(
      [...names, "LD_PRELOAD", "SSH_AUTH_SOCK"].map((name) => [name, "hostile-value"]),
    );
    const spec = scene.spec({ script: "env | sort; echo ready; sleep 1" }, {
      secrets: { ANTHROPIC_API_KEY: "hidden-value" },
    });
    // Listed by hand: a token of herd's own and what loads code are refused even so.
    spec.env = { ...spec.env, DISCORD_BOT_TOKEN: "hostile-value", LD_PRELOAD: "hostile-value" };
    const attempt = scene.start(spec, { env: { ...process.env, ...hostile } });
    await scene.heard("ready");
    const seen = readFileSync(`/proc/${attempt.pid}/environ`, "utf8") +
      readFileSync(`/proc/${attempt.pid}/cmdline`, "utf8");
    assert.doesNotMatch(seen, /hostile-value|hidden-value/);
    const { end } = await attempt.ended;
    assert.equal(end.kind, "done");
    const { result } = end as { result: string };
    assert.doesNotMatch(result, /hostile-value|hidden-value/);
    assert.match(result, /^HERD_TASK=t1:1$/m);
    assert.match(result, /^HERD_ATTEMPT=[0-9a-f]{32}$/m);
  });
});
