import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { type Detached, spawnDetached } from "../../../lib/base/detach.ts";
import { bootId, processStart } from "../../../lib/base/pid.ts";
import { hasVariable, readProcess, signalMembers } from "../../../lib/base/process-tree.ts";
import { appendLines } from "../../../lib/schedulers/local/log.ts";
import { readClaim, readEnd, shimArgv, voidClaim } from "../../../lib/schedulers/local/shim.ts";
import { logPath, runPath } from "../../../lib/schedulers/local/spool.ts";
import { taskKey } from "../../../lib/sweep/sighting.ts";
import { type Bench, createBench } from "../../contract/scheduler.ts";
import {
  createLocalBench,
  gone,
  killSupervisor,
  type LocalBench,
  supervisorOf,
} from "../../support/local-scheduler.ts";

const clock = createSystemClock();
const SOAK = Math.max(1, Number(process.env["HERD_SOAK"] ?? 1));
const WAIT_FOR_GO = "until [ -e go ]; do sleep 0.02; done";

/** A scheduler of its own for each test, ended with it. */
async function withBench(
  run: (bench: Bench, local: LocalBench) => Promise<void>,
  { slots = 8, idleMs }: { slots?: number; idleMs?: number } = {},
): Promise<void> {
  const local = createLocalBench(slots, idleMs);
  try {
    await run(createBench({ ...local, timing: { limitSeconds: 2, signalSeconds: 1 } }), local);
  } catch (error) {
    await local.cleanup({ force: true });
    throw error;
  }
  await local.cleanup();
}

/** Holds everything else up until the log grows, and then for some milliseconds. */
function awaitLogged(spool: string, jobId: string, thenMs: number): void {
  const size = () => statSync(logPath(spool, jobId), { throwIfNoEntry: false })?.size ?? 0;
  const before = size();
  let until = performance.now() + 200;
  for (let grown = false; performance.now() < until;) {
    if (grown || size() === before) continue;
    grown = true;
    until = performance.now() + thenMs;
  }
}

/** The same numbers for the same seed, so that a failure can be had again. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (let seed = 1; seed <= 30 * SOAK; seed++) {
  test(`kill -9 of the supervisor at any moment: every task runs once (seed ${seed})`, async () => {
    await withBench(async (bench, { spool }) => {
      const random = createRandom(seed);
      const tasks = Array.from({ length: 12 }, (_, i) => i);
      const body = `echo $task >>ran; sleep 0.0$((task * 3 % 7)); exit $((task % 2 * 200))`;
      const jobId = await bench.submit(body, { tasks }, { memoryMiB: 10 });
      let kills = 0;
      for (let tries = 0; tries < 200 && kills < 3; tries++) {
        // At any time, and right after a start was logged: its shim is or is not on its way.
        if (seed % 2 === 0) await clock.sleep(random() * 30);
        else awaitLogged(spool, jobId, random() * 3);
        if (await killSupervisor(spool)) kills++;
        await bench.look(jobId);
      }
      const ends = await bench.ends(jobId, tasks);
      assert.ok(kills > 0, "no supervisor was killed");
      const ran = readFileSync(bench.file("ran"), "utf8").trim().split("\n").map(Number);
      assert.deepEqual(ran.sort((a, b) => a - b), tasks);
      assert.deepEqual(ends.map((end) => end.exitCode), tasks.map((task) => task % 2 * 200));
    });
  });
}

test("twenty shims of one task at once: one runs it, the others do nothing", async () => {
  await withBench(async (bench, { workdir }) => {
    const script = bench.file("s.sh");
    writeFileSync(script, "echo ran >>ran; exit 4\n");
    const run = bench.file("7");
    const argv = shimArgv(run, { host: "h o s t", boot: "b" }, script, undefined);
    const shims = Array.from({ length: 20 }, () => {
      return spawnDetached(argv, { cwd: workdir, env: {} });
    });
    const codes = await endsOf(shims);
    assert.equal(bench.text("ran"), "ran\n");
    assert.deepEqual(codes.map((end) => end.exitCode).filter((code) => code !== 0), [4]);
    assert.equal(readEnd(run)?.exitCode, 4);
    const claim = readClaim(run);
    assert.ok(claim !== undefined && !claim.void);
    assert.equal(claim.host, "h o s t");
    assert.ok(shims.some((shim) => shim.pid === claim.pid));
  });
});

test("a voided claim keeps a late shim from running anything", async () => {
  await withBench(async (bench, { workdir }) => {
    const script = bench.file("s.sh");
    writeFileSync(script, "echo ran >>ran\n");
    assert.equal(voidClaim(bench.file("7")), true);
    assert.equal(voidClaim(bench.file("7")), false);
    const argv = shimArgv(bench.file("7"), { host: "h", boot: "b" }, script, undefined);
    const shim = spawnDetached(argv, { cwd: workdir, env: {} });
    assert.equal((await endsOf([shim]))[0]?.exitCode, 0);
    assert.equal(bench.text("ran"), "");
  });
});

test("a start that was logged but never launched is launched by the next supervisor", async () => {
  await withBench(async (bench, { spool }) => {
    const first = await bench.submit(WAIT_FOR_GO);
    const jobId = await bench.submit("echo ran >>ran", { after: [first] });
    await bench.until([first], "a supervisor", () => supervisorOf(spool) !== undefined);
    await killSupervisor(spool);
    const start = {
      k: "start",
      task: 0,
      at: clock.now(),
      host: hostName(),
      boot: bootId(),
    } as const;
    appendLines(logPath(spool, jobId), [start], true);
    assert.equal((await bench.ends(jobId, [0]))[0]?.state, "completed");
    assert.equal(bench.text("ran"), "ran\n");
    writeFileSync(bench.file("go"), "");
    await bench.ends(first, [0]);
  });
});

test("a task of an earlier boot has ended with its node and is not run again", async () => {
  await withBench(async (bench, { spool }) => {
    const first = await bench.submit(WAIT_FOR_GO);
    const jobId = await bench.submit("echo ran >>ran", { after: [first] });
    await bench.until([first], "a supervisor", () => supervisorOf(spool) !== undefined);
    await killSupervisor(spool);
    const start = {
      k: "start",
      task: 0,
      at: clock.now(),
      host: hostName(),
      boot: "before",
    } as const;
    appendLines(logPath(spool, jobId), [start], true);
    const [end] = await bench.ends(jobId, [0]);
    assert.deepEqual([end?.state, end?.raw], ["node-failure", "NODE_FAIL"]);
    writeFileSync(bench.file("go"), "");
    await bench.ends(first, [0]);
    assert.equal(bench.text("ran"), "");
  });
});

test("a log line torn by a crash costs nothing but itself", async () => {
  await withBench(async (bench, { spool }) => {
    const jobId = await bench.submit(`echo $task >>ran; ${WAIT_FOR_GO}`, { tasks: [0, 1] });
    await bench.until([jobId], "both run", () => bench.text("ran").length === 4);
    await killSupervisor(spool);
    writeFileSync(logPath(spool, jobId), '{"k":"end","task":0,"sta', { flag: "a" });
    assert.equal((await bench.look(jobId)).inQueue.get(taskKey(jobId, 0))?.state, "running");
    writeFileSync(bench.file("go"), "");
    const ends = await bench.ends(jobId, [0, 1]);
    assert.deepEqual(ends.map((end) => end.state), ["completed", "completed"]);
    assert.equal(bench.text("ran").length, 4);
  });
});

test("tasks go on without a supervisor, and the next one knows how they ended", async () => {
  await withBench(async (bench, { spool }) => {
    const body = `echo $task >>ran; ${WAIT_FOR_GO}; echo $task >>over; exit $((task + 140))`;
    const jobId = await bench.submit(body, { tasks: [0, 1, 2] });
    await bench.until([jobId], "all run", () => bench.text("ran").length === 6);
    await killSupervisor(spool);
    writeFileSync(bench.file("go"), "");
    while (bench.text("over").length < 6) await clock.sleep(10);
    assert.equal(supervisorOf(spool), undefined);
    const ends = await bench.ends(jobId, [0, 1, 2]);
    assert.deepEqual(ends.map((end) => end.exitCode), [140, 141, 142]);
    assert.deepEqual(ends.map((end) => end.state), ["failed", "failed", "failed"]);
  });
});

test("an adopted task is kept to its time limit, counted from its start", async () => {
  await withBench(async (bench, { spool }) => {
    const jobId = await bench.submit("echo $$ >pid; sleep 600", {}, { timeSeconds: 2 });
    await bench.until([jobId], "it runs", () => bench.text("pid") !== "");
    await killSupervisor(spool);
    const [end] = await bench.ends(jobId, [0]);
    assert.equal(end?.state, "timeout");
    assert.ok(end.endedAt! - end.startedAt! >= 2_000 && end.endedAt! - end.startedAt! < 6_000);
  });
});

test("an adopted task is kept to its memory limit", async () => {
  await withBench(async (bench, { spool }) => {
    const body = `echo $$ >pid; ${WAIT_FOR_GO}
      python3 -c 'import time; held = b"x" * (300 << 20); time.sleep(60)'`;
    const jobId = await bench.submit(body, {}, { memoryMiB: 100 });
    await bench.until([jobId], "it runs", () => bench.text("pid") !== "");
    await killSupervisor(spool);
    writeFileSync(bench.file("go"), "");
    const [end] = await bench.ends(jobId, [0]);
    assert.equal(end?.state, "out-of-memory");
  });
});

test("a cancel without a living supervisor is heard by the next", async () => {
  await withBench(async (bench, { spool }) => {
    const jobId = await bench.submit("echo $task >>ran; sleep 600", {
      tasks: [0, 1],
      maxConcurrent: 1,
    });
    await bench.until([jobId], "one runs", () => bench.text("ran") !== "");
    await killSupervisor(spool);
    await bench.scheduler.cancel([{ jobId, task: 0 }, { jobId, task: 1 }]);
    const ends = await bench.ends(jobId, [0, 1]);
    assert.deepEqual(ends.map((end) => end.state), ["cancelled", "cancelled"]);
    assert.equal(ends[1]?.startedAt, undefined);
    assert.equal(bench.text("ran"), "0\n");
  });
});

test("where script and shim were killed together nobody claims to know the end", async () => {
  await withBench(async (bench, { spool }) => {
    const jobId = await bench.submit("echo $$ >pid; exec sleep 600");
    await bench.until([jobId], "it runs", () => bench.text("pid").endsWith("\n"));
    await killSupervisor(spool);
    const claim = readClaim(runPath(spool, jobId, 0));
    assert.ok(claim !== undefined && !claim.void);
    const script = readProcess(Number(bench.text("pid")))!;
    signalMembers([claim, script], "SIGKILL");
    await gone([claim, script], 5_000);
    const look = await bench.until([jobId], "an end", (look) => {
      return look.inQueue.get(taskKey(jobId, 0))?.endedAt !== undefined;
    });
    const seen = look.inQueue.get(taskKey(jobId, 0));
    assert.deepEqual([seen?.state, seen?.raw, seen?.exitCode], [
      "unrecognised",
      "ENDED",
      undefined,
    ]);
  });
});

test("a script whose shim was killed is still running and can be cancelled", async () => {
  await withBench(async (bench, { spool }) => {
    const jobId = await bench.submit("echo $$ >pid; exec sleep 600");
    await bench.until([jobId], "it runs", () => bench.text("pid").endsWith("\n"));
    const claim = readClaim(runPath(spool, jobId, 0));
    assert.ok(claim !== undefined && !claim.void);
    const script = Number(bench.text("pid"));
    const start = processStart(script);
    signalMembers([claim], "SIGKILL");
    await gone([claim], 5_000);
    const other = await bench.submit("exit 0");
    await bench.ends(other, [0]);
    const look = await bench.look(jobId);
    assert.equal(look.inQueue.get(taskKey(jobId, 0))?.state, "running");
    assert.equal(processStart(script), start);
    await bench.scheduler.cancel([{ jobId, task: 0 }]);
    assert.equal((await bench.ends(jobId, [0]))[0]?.state, "cancelled");
    assert.notEqual(processStart(script), start);
  });
});

test("a submit that meets a supervisor going home is not lost", async () => {
  await withBench(async (bench, { spool }) => {
    const random = createRandom(7);
    for (let i = 0; i < 25 * SOAK; i++) {
      await bench.submit(`echo ${i} >>ran`);
      // Nothing looks here: a look would start a supervisor and hide the loss.
      const deadline = clock.now() + 10_000;
      while (!bench.text("ran").includes(`${i}\n`)) {
        assert.ok(clock.now() < deadline, `task ${i} was lost`);
        await clock.sleep(2);
      }
      // The supervisor has 20 ms of patience: the next submit comes before, in and after its leaving.
      await clock.sleep(random() * 60);
    }
    const ran = bench.text("ran").trim().split("\n").map(Number);
    assert.deepEqual(ran, Array.from({ length: 25 * SOAK }, (_, i) => i));
    while (supervisorOf(spool) !== undefined) await clock.sleep(10);
  }, { idleMs: 20 });
});

test("a supervisor with nothing to do ends by itself", async () => {
  await withBench(async (bench, { spool }) => {
    await bench.ends(await bench.submit("exit 0"), [0]);
    const supervisor = supervisorOf(spool);
    if (supervisor !== undefined) await gone([supervisor], 10_000);
    assert.equal(readFileSync(join(spool, "supervisor.log"), "utf8"), "");
  }, { idleMs: 50 });
});

test("the supervisor carries none of our secrets and leads its own session", async () => {
  process.env["SECRET_X"] = "of ours";
  try {
    await withBench(async (bench, { spool }) => {
      const jobId = await bench.submit(WAIT_FOR_GO);
      await bench.until([jobId], "a supervisor", () => supervisorOf(spool) !== undefined);
      const { pid } = supervisorOf(spool)!;
      assert.equal(hasVariable(pid, "SECRET_X", "of ours"), false);
      assert.equal(hasVariable(pid, "HOME", process.env["HOME"]!), true);
      assert.equal(readProcess(pid)?.session, pid);
      writeFileSync(bench.file("go"), "");
      await bench.ends(jobId, [0]);
    });
  } finally {
    delete process.env["SECRET_X"];
  }
});

test("what a script leaves behind is ended with it", async () => {
  await withBench(async (bench) => {
    const jobId = await bench.submit("trap '' TERM HUP; nohup sleep 600 & echo $! >child; exit 0");
    assert.equal((await bench.ends(jobId, [0]))[0]?.state, "completed");
    assert.equal(processStart(Number(bench.text("child"))), undefined);
  });
});

test("memory that workers share is counted once", async () => {
  await withBench(async (bench) => {
    writeFileSync(
      bench.file("fork.py"),
      "import os, time\nheld = b'x' * (60 << 20)\n" +
        "for _ in range(5):\n    if os.fork() == 0:\n        time.sleep(1.5); os._exit(0)\n" +
        "for _ in range(5): os.wait()\n",
    );
    const jobId = await bench.submit("exec python3 fork.py", {}, { memoryMiB: 150 });
    assert.equal((await bench.ends(jobId, [0]))[0]?.state, "completed");
    const usage = (await bench.look(jobId)).inAccounting.get(taskKey(jobId, 0))?.usage;
    assert.ok(usage!.maxRssBytes! > 60 << 20 && usage!.maxRssBytes! < 150 << 20);
  });
});

test("with the workspace gone its tasks are ended and the supervisor leaves", async () => {
  const local = createLocalBench(4);
  const bench = createBench({ ...local, timing: { limitSeconds: 2, signalSeconds: 1 } });
  const jobId = await bench.submit("echo $$ >pid; exec sleep 600");
  await bench.until([jobId], "it runs", () => bench.text("pid").endsWith("\n"));
  const script = readProcess(Number(bench.text("pid")))!;
  const supervisor = supervisorOf(local.spool)!;
  rmSync(local.spool, { recursive: true });
  await gone([script, supervisor], 10_000);
  assert.equal(existsSync(local.spool), false);
  await local.cleanup();
});

/** Detached processes keep nobody waiting; this does. */
async function endsOf(shims: readonly Detached[]): Promise<Awaited<Detached["exited"]>[]> {
  const held = setInterval(() => {}, 1_000);
  try {
    return await Promise.all(shims.map((shim) => shim.exited));
  } finally {
    clearInterval(held);
  }
}

function hostName(): string {
  return readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
}
