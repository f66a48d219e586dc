import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId, processStart } from "../../../lib/base/pid.ts";
import type { AttemptSpec } from "../../../lib/tasks/attempt-spec.ts";
import { endLeftOvers, writeRecord } from "../../../lib/tasks/left-overs.ts";
import { type AttemptScene, inAttemptScene, program } from "./attempt-scene.ts";

/** An agent with programs in its group, in another session without a parent, and without its environment. */
const SCRIPT = `W=$AGENT_WORD
(exec -a "$W" sleep 600) &
setsid setsid -f bash -c 'exec -a "$0" sleep 600' "$W"
env -i bash -c 'exec -a "$0" sleep 600' "$W" &
sleep 0.2; echo ready; wait`;

function startWorker(scene: AttemptScene, spec: AttemptSpec) {
  const file = join(scene.root, "spec.json");
  writeFileSync(file, JSON.stringify(spec));
  const [deno = "", ...words] = program("./worker-probe.ts");
  const argv = [...words, file, scene.records, ...program("./attempt-probe.ts")];
  const child = spawn(deno, argv, { stdio: ["ignore", "pipe", "inherit"], env: process.env });
  let said = "";
  let wake = () => {};
  child.stdout.on("data", (chunk) => {
    said += chunk;
    wake();
  });
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  async function until(wanted: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const match = wanted.exec(said);
      if (match !== null) return match;
      if (Date.now() > deadline) throw new Error(`The worker never said ${wanted}, but: ${said}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 200);
      });
    }
  }
  return { pid: child.pid!, exited, until };
}

async function runningWorker(scene: AttemptScene, more: Partial<AttemptSpec> = {}) {
  const worker = startWorker(scene, scene.spec({ script: SCRIPT }, more));
  const attempt = Number((await worker.until(/pid (\d+)/))[1]);
  await worker.until(/progress ready/);
  assert.ok(scene.living().length >= 3);
  return { ...worker, attempt };
}

test("no agent lives on when its worker is killed", async () => {
  await inAttemptScene(async (scene) => {
    const worker = await runningWorker(scene);
    process.kill(worker.pid, "SIGKILL");
    await scene.untilNone();
    await gone(worker.attempt);
    assert.equal((await endLeftOvers(scene.records))[0]?.left, 0);
  });
});

test("no agent lives on when the attempt's process is killed, and the worker tells of a crash", async () => {
  await inAttemptScene(async (scene) => {
    const worker = await runningWorker(scene);
    process.kill(worker.attempt, "SIGKILL");
    await worker.until(/ended .*"kind":"crashed"/);
    assert.deepEqual(scene.living(), []);
    await worker.exited;
  });
});

test("agents of a worker that was killed together with its attempt end when the next one starts", async () => {
  await inAttemptScene(async (scene) => {
    const worker = await runningWorker(scene);
    process.kill(worker.pid, "SIGSTOP");
    process.kill(worker.attempt, "SIGSTOP");
    process.kill(worker.attempt, "SIGKILL");
    process.kill(worker.pid, "SIGKILL");
    await worker.exited;
    await gone(worker.attempt);
    assert.ok(scene.living().length > 0, "the fault was not provoked");
    const [over] = await endLeftOvers(scene.records);
    assert.equal(over?.name, "t1:1");
    assert.ok(over!.found > 0);
    assert.equal(over?.left, 0);
    assert.deepEqual(scene.living(), []);
    assert.deepEqual(readdirSync(scene.records), []);
    assert.deepEqual(await endLeftOvers(scene.records), []);
  });
});

test("a worker that is frozen beyond its deadline leaves no agent, and learns it when it wakes", async () => {
  await inAttemptScene(async (scene) => {
    const worker = await runningWorker(scene, { deadManMs: 2_000 });
    process.kill(worker.pid, "SIGSTOP");
    await scene.untilNone();
    await gone(worker.attempt);
    process.kill(worker.pid, "SIGCONT");
    await worker.until(/ended .*"kind":"fenced"/);
    await worker.exited;
  });
});

test("an attempt that was frozen with its worker does not believe renewals of that time", async () => {
  await inAttemptScene(async (scene) => {
    const worker = await runningWorker(scene, { deadManMs: 1_500 });
    process.kill(worker.attempt, "SIGSTOP");
    // The worker goes on to renew; its own deadline never passes.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    process.kill(worker.attempt, "SIGCONT");
    await worker.until(/ended .*"kind":"fenced"/);
    assert.deepEqual(scene.living(), []);
  });
});

test("a record whose process id belongs to somebody else by now ends nobody", async () => {
  await inAttemptScene(async (scene) => {
    const other = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
    const pid = other.pid!;
    const mark = () => randomBytes(16).toString("hex");
    const base = { name: "t1:1", folder: scene.root, boot: bootId() };
    writeRecord(scene.records, { ...base, mark: mark(), pid, start: "1" });
    writeRecord(scene.records, {
      ...base,
      ...{ mark: mark(), boot: "another", pid, start: processStart(pid) },
    });
    // Written before the process was started.
    writeRecord(scene.records, { ...base, mark: mark() });
    assert.deepEqual((await endLeftOvers(scene.records)).map(({ found, left }) => found + left), [
      0,
      0,
      0,
    ]);
    assert.notEqual(processStart(pid), undefined);
    other.kill("SIGKILL");
    assert.deepEqual(readdirSync(scene.records), []);
  });
});

test("an attempt that was started but not yet recorded with its process id is found by its mark", async () => {
  await inAttemptScene(async (scene) => {
    const mark = randomBytes(16).toString("hex");
    writeRecord(scene.records, { name: "t1:1", folder: scene.root, mark, boot: bootId() });
    const words = ["-c", `exec -a ${scene.word} sleep 600`];
    const mine = spawn("bash", words, {
      detached: true,
      stdio: "ignore",
      env: { ...process.env, HERD_ATTEMPT: mark },
    });
    const job = spawn("bash", words, {
      detached: true,
      stdio: "ignore",
      env: { ...process.env, HERD_ATTEMPT: mark, SLURM_JOB_ID: "77" },
    });
    const gone = new Promise((resolve) => mine.on("exit", resolve));
    // Both are bash until the mark is theirs.
    while (scene.living().length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual((await endLeftOvers(scene.records)).map(({ found }) => found), [1]);
    await gone;
    assert.notEqual(processStart(job.pid!), undefined, "a job of SLURM is not the worker's to end");
    job.kill("SIGKILL");
  });
});

test("files that are no records are ignored or removed, and never an order to kill", async () => {
  await inAttemptScene(async (scene) => {
    mkdirSync(scene.records, { recursive: true });
    const file = join(scene.records, `${"a".repeat(32)}.json`);
    writeFileSync(file, `{"name":"x","folder":"/","mark":"","boot":"${bootId()}","pid":1}`);
    writeFileSync(join(scene.records, "notes.txt"), "kept");
    assert.deepEqual(await endLeftOvers(scene.records), []);
    assert.equal(existsSync(file), false);
    assert.deepEqual(readdirSync(scene.records), ["notes.txt"]);
    assert.deepEqual(await endLeftOvers(join(scene.root, "nowhere")), []);
  });
});

async function gone(pid: number): Promise<void> {
  const until = Date.now() + 15_000;
  while (processStart(pid) !== undefined) {
    if (Date.now() > until) throw new Error(`Process ${pid} still runs`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
