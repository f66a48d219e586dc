import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Clock, createSystemClock } from "../../../lib/base/clock.ts";
import { SchedulerError } from "../../../lib/base/errors.ts";
import { bootId, processStart } from "../../../lib/base/pid.ts";
import {
  acquireLock,
  holderOf,
  releaseLock,
  rulingGeneration,
} from "../../../lib/schedulers/local/lock.ts";
import { appendLines, closeTornLine, readTrace } from "../../../lib/schedulers/local/log.ts";
import { chooseTasks, type Room, type Waiting } from "../../../lib/schedulers/local/queue.ts";
import { createLocalScheduler } from "../../../lib/schedulers/local/scheduler.ts";
import {
  type JobFile,
  logPath,
  makeSpool,
  streamPath,
  takeJobId,
  writeJob,
} from "../../../lib/schedulers/local/spool.ts";
import { runSupervisor } from "../../../lib/schedulers/local/supervisor.ts";
import { taskKey } from "../../../lib/sweep/sighting.ts";
import { localSupervisor } from "../../support/local-scheduler.ts";
import { removeTree } from "../../support/remove-tree.ts";

const clock = createSystemClock();
const ROOM: Room = {
  slots: null,
  cpus: 4,
  memoryMiB: 1000,
  taken: { tasks: 0, cpus: 0, memoryMiB: 0 },
};

function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "herd-local-unit-"));
  t.after(() => removeTree(path));
  return path;
}

function waiting(more: Partial<Waiting>): Waiting {
  return {
    jobId: "1",
    ready: true,
    queued: [0, 1, 2, 3, 4, 5, 6, 7],
    running: 0,
    limit: null,
    cpus: 1,
    memoryMiB: 0,
    ...more,
  };
}

function jobFile(id: string, more: Partial<JobFile> = {}): JobFile {
  return {
    id,
    submission: "s",
    jobName: `name-${id}`,
    tasks: [0],
    cpusPerTask: 1,
    memoryMiB: 0,
    timeSeconds: null,
    maxConcurrent: null,
    after: [],
    cwd: "/",
    environment: {},
    output: "/dev/null",
    error: "/dev/null",
    signal: null,
    slots: null,
    submittedAt: clock.now(),
    ...more,
  };
}

test("as many tasks start as processors allow, in order", () => {
  const chosen = chooseTasks([waiting({ cpus: 2 })], ROOM);
  assert.deepEqual(chosen, [{ jobId: "1", task: 0 }, { jobId: "1", task: 1 }]);
});

test("slots count tasks instead of processors", () => {
  assert.equal(chooseTasks([waiting({ cpus: 64 })], { ...ROOM, slots: 3 }).length, 3);
  assert.equal(chooseTasks([waiting({})], { ...ROOM, slots: 0 }).length, 1);
});

test("memory is promised once only, with and without slots", () => {
  assert.equal(chooseTasks([waiting({ memoryMiB: 400 })], ROOM).length, 2);
  assert.equal(chooseTasks([waiting({ memoryMiB: 400 })], { ...ROOM, slots: 8 }).length, 2);
});

test("a task larger than the machine starts on an empty one and only there", () => {
  const large = waiting({ cpus: 64, memoryMiB: 99_999 });
  assert.equal(chooseTasks([large], ROOM).length, 1);
  const busy = { ...ROOM, taken: { tasks: 1, cpus: 1, memoryMiB: 1 } };
  assert.equal(chooseTasks([large], busy).length, 0);
});

test("a job at its own limit lets later jobs pass, one that lacks room does not", () => {
  const limited = waiting({ limit: 1, running: 1 });
  const later = waiting({ jobId: "2", queued: [9] });
  assert.deepEqual(chooseTasks([limited, later], ROOM), [{ jobId: "2", task: 9 }]);
  const large = waiting({ cpus: 4 });
  const busy = { ...ROOM, taken: { tasks: 1, cpus: 1, memoryMiB: 0 } };
  assert.deepEqual(chooseTasks([large, later], busy), []);
});

test("a job that waits for another starts nothing", () => {
  assert.deepEqual(chooseTasks([waiting({ ready: false })], ROOM), []);
});

test("a limit below what runs already starts nothing and ends nothing", () => {
  assert.deepEqual(chooseTasks([waiting({ limit: 2, running: 5 })], ROOM), []);
});

test("stream patterns name the task and keep percent signs and dollars", () => {
  assert.equal(streamPath("/a %% %a/$&/$1 %%a.out", 7), "/a % 7/$&/$1 %a.out");
});

test("a dead owner's lock is taken at once, a living one's is not", (t) => {
  const spool = temporaryFolder(t);
  const dead = `999999 1 ${bootId()} ${hostname()}`;
  symlinkSync(dead, join(spool, "supervisor.lock.41"));
  assert.equal(holderOf(spool, clock.now()).alive, false);
  assert.equal(acquireLock(spool, clock.now()), 42);
  assert.equal(acquireLock(spool, clock.now()), undefined);
  assert.deepEqual(holderOf(spool, clock.now()), {
    generation: 42,
    alive: true,
    pid: process.pid,
  });
});

test("a pid that was used again, or is of another boot, does not hold the lock", (t) => {
  for (
    const owner of [
      `${process.pid} 1 ${bootId()} ${hostname()}`,
      `${process.pid} ${processStart(process.pid)} another-boot ${hostname()}`,
    ]
  ) {
    const spool = temporaryFolder(t);
    symlinkSync(owner, join(spool, "supervisor.lock.1"));
    assert.equal(acquireLock(spool, clock.now()), 2, owner);
  }
});

test("a supervisor on another host lives as long as its heart beats", (t) => {
  const spool = temporaryFolder(t);
  symlinkSync("1 1 boot other-host", join(spool, "supervisor.lock.1"));
  writeFileSync(join(spool, "heartbeat"), "");
  assert.equal(acquireLock(spool, clock.now()), undefined);
  assert.equal(acquireLock(spool, clock.now() + 121_000), 2);
});

test("a released lock is free, and its number is never given twice", (t) => {
  const spool = temporaryFolder(t);
  const first = acquireLock(spool, clock.now())!;
  releaseLock(spool, first);
  assert.equal(holderOf(spool, clock.now()).alive, false);
  const second = acquireLock(spool, clock.now())!;
  assert.ok(second > first);
  // The one that let go cannot let go of its successor's.
  releaseLock(spool, first);
  assert.equal(rulingGeneration(spool), second);
});

test("a log folds whole lines, whatever a crash left between them", (t) => {
  const path = join(temporaryFolder(t), "log.jsonl");
  const start = { k: "start", task: 1, at: 5, host: "h", boot: "b" } as const;
  appendLines(path, [start], false);
  writeFileSync(path, '{"k":"end","task":1,"at":6,"sta', { flag: "a" });
  assert.deepEqual(readTrace(path).tasks.get(1)?.end, undefined);
  closeTornLine(path);
  appendLines(path, [{ k: "throttle", at: 7, limit: 3 }, { ...start, task: 2 }], true);
  const trace = readTrace(path);
  assert.equal(trace.limit, 3);
  assert.deepEqual([...trace.tasks.keys()], [1, 2]);
  assert.deepEqual(trace.tasks.get(1)?.start, start);
});

test("a job of which only the folder exists is no job, and its id is not given again", async (t) => {
  const spool = temporaryFolder(t);
  makeSpool(spool);
  assert.equal(takeJobId(spool), "1");
  assert.equal(takeJobId(spool), "2");
  const scheduler = createLocalScheduler({ spool, supervisor: ["/nonexistent"], clock });
  const look = await scheduler.look({
    jobs: [{ jobId: "1", jobName: "a" }, { jobId: "../1", jobName: "b" }],
    wanted: () => [],
    since: 0,
  });
  assert.deepEqual([look.queue.answered, look.inQueue.size], [true, 0]);
});

test("a look at 10,000 ended tasks reads two files and is quick", async (t) => {
  const spool = temporaryFolder(t);
  makeSpool(spool);
  const tasks = Array.from({ length: 10_000 }, (_, i) => i);
  const job = jobFile(takeJobId(spool), { tasks });
  writeJob(spool, job, new Uint8Array());
  for (const k of ["start", "end"] as const) {
    appendLines(
      logPath(spool, job.id),
      tasks.map((task) => {
        return k === "start"
          ? { k, task, at: 1_000, host: "some-node-name", boot: bootId() }
          : { k, task, at: 3_500, state: "failed", raw: "FAILED", exitCode: 3, maxRssBytes: 1e9 };
      }),
      false,
    );
  }
  const scheduler = createLocalScheduler({ spool, supervisor: ["/nonexistent"], clock });
  const began = performance.now();
  const look = await scheduler.look({
    jobs: [{ jobId: job.id, jobName: job.jobName }],
    wanted: (inQueue) => [...inQueue.values()],
    since: 0,
  });
  const tookMs = performance.now() - began;
  assert.equal(look.inAccounting.size, 10_000);
  const last = look.inAccounting.get(taskKey(job.id, 9_999));
  assert.deepEqual([last?.exitCode, last?.usage?.elapsedSeconds], [3, 2.5]);
  // Generous, for a busy machine: it takes some 50 ms.
  assert.ok(tookMs < 1_000, `${tookMs} ms`);
});

test("a look that cannot read says so instead of seeing no jobs", async (t) => {
  const spool = temporaryFolder(t);
  makeSpool(spool);
  mkdirSync(join(spool, "jobs", "1", "job.json"), { recursive: true });
  const scheduler = createLocalScheduler({ spool, supervisor: ["/nonexistent"], clock });
  const jobs = [{ jobId: "1", jobName: "a" }];
  const look = await scheduler.look({ jobs, wanted: () => [], since: 0 });
  assert.equal(look.queue.answered === false && look.queue.reason, "unreachable");
  assert.equal((await scheduler.find("a", 0)).conclusive, false);
});

test("what could never run is rejected with the reason, before anything is written", async (t) => {
  const spool = join(temporaryFolder(t), "spool");
  const folder = temporaryFolder(t);
  const script = join(folder, "s.sh");
  writeFileSync(script, "exit 0\n");
  const scheduler = createLocalScheduler({ spool, supervisor: localSupervisor(), clock });
  const { id: _, slots: __, submittedAt: ___, ...good } = jobFile("1", { cwd: folder });
  const request = {
    ...good,
    script,
    resources: { cpusPerTask: 1, memoryMiB: 0, timeSeconds: null, extraArgs: [] } as never,
    maxConcurrent: undefined,
    signal: undefined,
  };
  const wrong = [
    [{ tasks: [] }, /no task/],
    [{ tasks: [1, 1] }, /task 1 /],
    [{ tasks: [2, 1] }, /task 1 /],
    [{ tasks: [0.5] }, /task 0.5 /],
    [{ cwd: join(folder, "none") }, /none" cannot be entered \(ENOENT\)/],
    [{ cwd: script }, /is not a folder/],
    [{ environment: { "A=B": "1" } }, /"A=B"/],
    [{ environment: { A: "1\0" } }, /"A"/],
    [{ signal: { name: "NOPE", seconds: 1 } }, /signal "NOPE"/],
  ] as const;
  for (const [change, message] of wrong) {
    await assert.rejects(scheduler.submit({ ...request, ...change }), (error) => {
      assert.ok(error instanceof SchedulerError && error.kind === "rejected");
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(() => readFileSync(spool), { code: "ENOENT" });
});

test("a supervisor that cannot be started is told, and the job is not called rejected", async (t) => {
  const spool = join(temporaryFolder(t), "spool");
  const folder = temporaryFolder(t);
  const script = join(folder, "s.sh");
  writeFileSync(script, "exit 0\n");
  const scheduler = createLocalScheduler({ spool, supervisor: ["/nonexistent/herd"], clock });
  const { id: _, slots: __, submittedAt: ___, ...good } = jobFile("1", { cwd: folder });
  const resources = { cpusPerTask: 1, memoryMiB: 0, timeSeconds: null, extraArgs: [] } as never;
  const more = { script, resources, maxConcurrent: undefined, signal: undefined };
  await assert.rejects(scheduler.submit({ ...good, ...more }), (error) => {
    return error instanceof SchedulerError && error.kind === "unreachable";
  });
  assert.deepEqual((await scheduler.find("name-1", 0)).jobIds, ["1"]);
});

test("a submit that saw the supervisor alive is run by it, at whatever step of its leaving", async (t) => {
  // The clock is asked at every step of a round: the n-th question is the moment of the submit.
  for (let nth = 1; nth <= 12; nth++) {
    const spool = temporaryFolder(t);
    makeSpool(spool);
    const began = clock.now();
    let asked = 0;
    let sawAlive: boolean | undefined;
    const submitting: Clock = {
      sleep: clock.sleep,
      now() {
        const now = clock.now();
        if (now - began >= 20 && ++asked === nth) {
          const script = new TextEncoder().encode(`echo ran >>'${spool}/ran'`);
          writeJob(spool, jobFile(takeJobId(spool)), script);
          sawAlive = holderOf(spool, now).alive;
        }
        return now;
      },
    };
    const signal = new AbortController().signal;
    await runSupervisor({ spool, clock: submitting, signal, idleMs: 25 });
    if (sawAlive === undefined) {
      assert.ok(nth > 4, "the submit never came");
      break;
    }
    // Who sees no supervisor starts one.
    if (!sawAlive) await runSupervisor({ spool, clock, signal, idleMs: 5 });
    assert.equal(readFileSync(join(spool, "ran"), "utf8"), "ran\n", `at step ${nth}`);
    assert.equal(holderOf(spool, clock.now()).alive, false);
  }
});

test("a throttle of an unknown job or below 1 is rejected", async (t) => {
  const spool = temporaryFolder(t);
  const scheduler = createLocalScheduler({ spool, supervisor: ["/nonexistent"], clock });
  for (const [jobId, limit] of [["7", 3], ["7", 0], ["../x", undefined]] as const) {
    await assert.rejects(scheduler.throttle(jobId, limit), { name: "SchedulerError" });
  }
});
