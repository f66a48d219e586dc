import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createSystemClock } from "../../lib/base/clock.ts";
import { SchedulerError } from "../../lib/base/errors.ts";
import { runProcess } from "../../lib/base/process.ts";
import type { JobRequest, Scheduler, TaskRef } from "../../lib/schedulers/scheduler.ts";
import type { Resources } from "../../lib/sweep/config.ts";
import { type Look, type SeenState, type Sighting, taskKey } from "../../lib/sweep/sighting.ts";

/** What a scheduler's own test file hands to the suite, new for each case. */
export interface Harness {
  scheduler: Scheduler;
  /** A folder that tasks and this process share. */
  workdir: string;
  /** Fails when something was left running; forced, it ends that without a word. */
  cleanup: (options: { force: boolean }) => Promise<void>;
  /** A program that submits the JobRequest on its standard input, prints the job id and ends. */
  submitter?: readonly string[];
  /** Lines after the first one of each script, where the scheduler reads what it is asked for there. */
  directives?: (request: JobRequest) => readonly string[];
  /** The shortest limits that the scheduler keeps; `hurry` brings a running job's limit near. */
  timing: {
    limitSeconds: number;
    signalSeconds: number;
    hurry?: (jobId: string) => Promise<void>;
  };
}

type Case = (bench: Bench) => Promise<void>;

const clock = createSystemClock();
const PATIENCE_MS = 120_000;
const ENDS: ReadonlySet<SeenState> = new Set<SeenState>([
  ...["completed", "failed", "out-of-memory", "timeout", "cancelled", "preempted"] as const,
  ...["node-failure", "deadline", "launch-failure"] as const,
]);
/** Prints which task it is, on every scheduler. */
const TASK = "task=${HERD_TASK:-$SLURM_ARRAY_TASK_ID}";

/** Holds one scheduler to the port. A skip names its case exactly and says why. */
export function schedulerContract(
  name: string,
  make: (t: TestContext) => Promise<Harness>,
  skips: readonly { case: string; reason: string }[] = [],
): void {
  for (const skip of skips) {
    if (!(skip.case in CASES)) throw new Error(`The contract has no case "${skip.case}" to skip`);
  }
  for (const [title, run] of Object.entries(CASES)) {
    const skip = skips.find((one) => one.case === title)?.reason;
    test(`${name}: ${title}`, skip === undefined ? {} : { skip }, async (t) => {
      const harness = await make(t);
      try {
        await run(createBench(harness));
      } catch (error) {
        await harness.cleanup({ force: true });
        throw error;
      }
      await harness.cleanup({ force: false });
    });
  }
}

export interface Bench extends Harness {
  /** Writes a batch script and asks for tasks of it; `more` overrules. */
  request(body: string, more?: Partial<JobRequest>, resources?: Partial<Resources>): JobRequest;
  submit(body: string, more?: Partial<JobRequest>, resources?: Partial<Resources>): Promise<string>;
  /** Submits what `request` made, perhaps changed. */
  send(request: JobRequest): Promise<string>;
  /** Lets looks ask for a job that somebody else submitted. */
  adopt(jobId: string, jobName: string): void;
  look(...jobIds: string[]): Promise<Look>;
  /** Looks until the test holds, or fails telling what was seen last. */
  until(jobIds: string[], what: string, holds: (look: Look) => boolean): Promise<Look>;
  /** Looks until all these tasks have ended; their last sightings. */
  ends(jobId: string, tasks: readonly number[]): Promise<Sighting[]>;
  file(name: string): string;
  text(name: string): string;
}

/** What the cases, and tests of one scheduler alone, work with. */
export function createBench(harness: Harness): Bench {
  const { scheduler, workdir } = harness;
  const nonce = Math.random().toString(36).slice(2, 10);
  let scripts = 0;
  const file = (name: string) => join(workdir, name);
  const names = new Map<string, string>();
  const bench: Bench = {
    ...harness,
    file,
    text: (name) => existsSync(file(name)) ? readFileSync(file(name), "utf8") : "",
    request(body, more = {}, resources = {}) {
      const script = file(`script-${++scripts}.sh`);
      const request: JobRequest = {
        submission: `contract-${nonce}-${scripts}`,
        jobName: `contract-${nonce}-${scripts}`,
        script,
        tasks: [0],
        resources: { ...RESOURCES, ...resources },
        maxConcurrent: undefined,
        after: [],
        cwd: workdir,
        environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
        output: `${workdir.replaceAll("%", "%%")}/%a.out`,
        error: `${workdir.replaceAll("%", "%%")}/%a.err`,
        signal: undefined,
        ...more,
      };
      const directives = harness.directives?.(request) ?? [];
      writeFileSync(script, ["#!/bin/bash", ...directives, TASK, body, ""].join("\n"));
      return request;
    },
    submit: (body, more, resources) => bench.send(bench.request(body, more, resources)),
    async send(request) {
      const { jobId } = await scheduler.submit(request);
      names.set(jobId, request.jobName);
      return jobId;
    },
    adopt(jobId, jobName) {
      names.set(jobId, jobName);
    },
    look(...jobIds) {
      return scheduler.look({
        jobs: jobIds.map((jobId) => ({ jobId, jobName: names.get(jobId) ?? `contract-${nonce}` })),
        wanted: (inQueue) => {
          const refs = new Map<string, TaskRef>();
          for (const { jobId, task } of inQueue.values()) {
            refs.set(taskKey(jobId, task), { jobId, task });
          }
          // What left the queue is known to accounting alone.
          for (const jobId of jobIds) {
            for (const task of [0, 1, 2, 3]) refs.set(taskKey(jobId, task), { jobId, task });
          }
          return [...refs.values()];
        },
        since: clock.now() - 600_000,
      });
    },
    async until(jobIds, what, holds) {
      const deadline = clock.now() + PATIENCE_MS;
      for (;;) {
        const look = await bench.look(...jobIds);
        if (holds(look)) return look;
        if (clock.now() > deadline) {
          const seen = [...look.inQueue.values(), ...look.inAccounting.values()].slice(0, 20)
            .map((one) =>
              `${taskKey(one.jobId, one.task)} ${one.view} ${one.raw} ${one.reason ?? ""}`
            );
          assert.fail(`Waited in vain for: ${what}. Seen last: ${JSON.stringify(seen)}`);
        }
        await clock.sleep(100);
      }
    },
    async ends(jobId, tasks) {
      const look = await bench.until(
        [jobId],
        `the end of tasks ${tasks} of ${jobId}`,
        (look) => tasks.every((task) => endIn(look, jobId, task) !== undefined),
      );
      return tasks.map((task) => endIn(look, jobId, task)!);
    },
  };
  return bench;
}

const RESOURCES: Resources = {
  partition: undefined,
  account: undefined,
  qos: undefined,
  constraint: undefined,
  nodes: undefined,
  ntasks: undefined,
  cpusPerTask: 1,
  memoryMiB: 100,
  timeSeconds: 600,
  gres: undefined,
  gpus: undefined,
  exclude: undefined,
  requeue: undefined,
  mailUser: undefined,
  mailType: undefined,
  extraArgs: [],
};

function endIn(look: Look, jobId: string, task: number): Sighting | undefined {
  const key = taskKey(jobId, task);
  return [look.inAccounting.get(key), look.inQueue.get(key)]
    .find((seen) => seen !== undefined && ENDS.has(seen.state));
}

function inState(look: Look, jobId: string, state: SeenState): number {
  return [...look.inQueue.values()].filter((s) => s.jobId === jobId && s.state === state).length;
}

/** Whole numbers 0 to n - 1. */
function tasks(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Most tasks at once, from lines `+` and `-` that the tasks themselves appended. */
function mostAtOnce(text: string): number {
  let now = 0;
  let most = 0;
  for (const line of text.trim().split("\n")) most = Math.max(most, now += line === "+" ? 1 : -1);
  return most;
}

const WAIT_FOR_GO = "until [ -e go ]; do sleep 0.05; done";

const CASES: Record<string, Case> = {
  "a task that exits 0 is completed": async (bench) => {
    const jobId = await bench.submit("echo ran $task", { tasks: [3] });
    const [end] = await bench.ends(jobId, [3]);
    assert.equal(end?.state, "completed");
    assert.equal(end?.exitCode ?? 0, 0);
    assert.ok(end?.startedAt !== undefined && end.endedAt !== undefined);
    assert.ok(end.endedAt >= end.startedAt && Math.abs(clock.now() - end.endedAt) < 300_000);
    assert.match(bench.text("3.out"), /^ran 3$/m);
  },

  "accounting tells what an ended task used": async (bench) => {
    const jobId = await bench.submit("sleep 1");
    await bench.ends(jobId, [0]);
    const look = await bench.until([jobId], "a usage", (look) => {
      return look.inAccounting.get(taskKey(jobId, 0))?.usage?.elapsedSeconds !== undefined;
    });
    const usage = look.inAccounting.get(taskKey(jobId, 0))!.usage!;
    assert.ok(
      usage.elapsedSeconds! >= 0.9 && usage.elapsedSeconds! < 60,
      `${usage.elapsedSeconds}`,
    );
    assert.equal(usage.requestedMemoryBytes, 100 * 1024 * 1024);
    assert.deepEqual(look.accounting, { answered: true });
  },

  "a task that exits 3 has failed with code 3": async (bench) => {
    const [end] = await bench.ends(await bench.submit("exit 3"), [0]);
    assert.equal(end?.state, "failed");
    assert.equal(end?.exitCode, 3);
    assert.ok(!end?.signal);
  },

  "exit codes above 127 are told as they are": async (bench) => {
    const codes = [128, 137, 200, 255];
    const jobId = await bench.submit(`codes=(${codes.join(" ")}); exit \${codes[task]}`, {
      tasks: tasks(codes.length),
    });
    const ends = await bench.ends(jobId, tasks(codes.length));
    assert.deepEqual(ends.map((end) => end.exitCode), codes);
    assert.deepEqual(ends.map((end) => end.state), codes.map(() => "failed"));
    assert.deepEqual(ends.map((end) => end.signal ?? 0), codes.map(() => 0));
  },

  "a task killed by a signal has failed with that signal": async (bench) => {
    const [end] = await bench.ends(await bench.submit("kill -KILL $$"), [0]);
    assert.equal(end?.state, "failed");
    assert.equal(end?.signal, 9);
  },

  "a task over its memory limit is out of memory": async (bench) => {
    const body = `python3 -c 'import time; held = b"x" * (400 << 20); time.sleep(60)'`;
    const jobId = await bench.submit(body, {}, { memoryMiB: 100 });
    const [end] = await bench.ends(jobId, [0]);
    assert.equal(end?.state, "out-of-memory");
  },

  "a task within its memory limit is left alone": async (bench) => {
    const body = `python3 -c 'import time; held = b"x" * (50 << 20); time.sleep(1)'`;
    const [end] = await bench.ends(await bench.submit(body, {}, { memoryMiB: 200 }), [0]);
    assert.equal(end?.state, "completed");
  },

  "a task over its time limit has timed out, even one that ignores TERM": async (bench) => {
    const { limitSeconds, hurry } = bench.timing;
    const body = `[ $task = 0 ] || trap "" TERM; echo $$ >$task.pid
      for i in {1..600}; do sleep 0.5; done`;
    const jobId = await bench.submit(body, { tasks: [0, 1] }, { timeSeconds: limitSeconds });
    await bench.until(
      [jobId],
      "both running",
      () => bench.text("0.pid") + bench.text("1.pid") > "",
    );
    await hurry?.(jobId);
    const ends = await bench.ends(jobId, [0, 1]);
    assert.deepEqual(ends.map((end) => end.state), ["timeout", "timeout"]);
  },

  "a script may finish its work after the TERM of a cancel": async (bench) => {
    const body = `trap 'echo saved >saved; exit 0' TERM; echo $$ >pid
      for i in {1..600}; do sleep 0.1; done`;
    const jobId = await bench.submit(body);
    await bench.until([jobId], "it runs", () => bench.text("pid") !== "");
    await bench.scheduler.cancel([{ jobId, task: 0 }]);
    const [end] = await bench.ends(jobId, [0]);
    assert.equal(end?.state, "cancelled");
    assert.equal(bench.text("saved"), "saved\n");
  },

  "a signal comes before the time limit": async (bench) => {
    const { limitSeconds, signalSeconds } = bench.timing;
    const body = `trap 'echo early >signalled; exit 0' USR1
      for i in {1..1200}; do sleep 0.1; done`;
    const signal = { name: "USR1", seconds: signalSeconds };
    const jobId = await bench.submit(body, { signal }, { timeSeconds: limitSeconds });
    const [end] = await bench.ends(jobId, [0]);
    assert.equal(end?.state, "completed");
    assert.equal(bench.text("signalled"), "early\n");
  },

  "cancel ends a running task and its children": async (bench) => {
    const jobId = await bench.submit("sleep 600 & echo $! >child; wait", { tasks: [0] });
    await bench.until([jobId], "it runs", (look) => {
      return inState(look, jobId, "running") === 1 && bench.text("child") !== "";
    });
    assert.equal((await bench.scheduler.cancel([{ jobId, task: 0 }])).ok, true);
    const [end] = await bench.ends(jobId, [0]);
    assert.equal(end?.state, "cancelled");
    const child = Number(bench.text("child"));
    await bench.until([jobId], "the child's end", () => !isAlive(child));
  },

  "cancel of a queued task keeps it from ever running": async (bench) => {
    const jobId = await bench.submit(`echo $task >>ran; ${WAIT_FOR_GO}`, {
      tasks: [0, 1, 2],
      maxConcurrent: 1,
    });
    await bench.until([jobId], "one runs", () => bench.text("ran") !== "");
    assert.equal((await bench.scheduler.cancel([{ jobId, task: 1 }])).ok, true);
    await bench.until([jobId], "task 1 leaves the queue", (look) => {
      return look.inQueue.get(taskKey(jobId, 1))?.state !== "pending";
    });
    writeFileSync(bench.file("go"), "");
    const ends = await bench.ends(jobId, [0, 2]);
    assert.deepEqual(ends.map((end) => end.state), ["completed", "completed"]);
    assert.equal(bench.text("ran"), "0\n2\n");
  },

  "cancel of an unknown job or task does nothing and does not throw": async (bench) => {
    const jobId = await bench.submit("exit 0");
    await bench.ends(jobId, [0]);
    for (const ref of [{ jobId: "99999999", task: 0 }, { jobId, task: 77 }]) {
      assert.equal(typeof (await bench.scheduler.cancel([ref])).detail, "string");
    }
    assert.equal((await bench.scheduler.cancel([])).ok, true);
    assert.equal((await bench.ends(jobId, [0]))[0]?.state, "completed");
  },

  "cancel of a finished task leaves its end as it was": async (bench) => {
    const jobId = await bench.submit("exit 3");
    await bench.ends(jobId, [0]);
    await bench.scheduler.cancel([{ jobId, task: 0 }]);
    const after = await bench.submit("exit 0");
    await bench.ends(after, [0]);
    const [end] = await bench.ends(jobId, [0]);
    assert.deepEqual([end?.state, end?.exitCode], ["failed", 3]);
  },

  "an array of 50 never exceeds its throttle of 5, and all end": async (bench) => {
    const jobId = await bench.submit("echo + >>log; sleep 0.3; echo - >>log", {
      tasks: tasks(50),
      maxConcurrent: 5,
    }, { memoryMiB: 20 });
    await bench.until(
      [jobId],
      "the end of all 50",
      () => bench.text("log").split("\n").length > 100,
    );
    assert.equal(mostAtOnce(bench.text("log")), 5);
    const ends = await bench.ends(jobId, [0, 1, 2, 3]);
    assert.deepEqual([...new Set(ends.map((end) => end.state))], ["completed"]);
    await bench.until([jobId], "nothing left in the queue", (look) => {
      return inState(look, jobId, "pending") + inState(look, jobId, "running") === 0;
    });
  },

  "a throttle can be raised and lifted": async (bench) => {
    const jobId = await bench.submit(`echo + >>log; ${WAIT_FOR_GO}; echo - >>log`, {
      tasks: tasks(7),
      maxConcurrent: 1,
    }, { memoryMiB: 20 });
    const running = (n: number) =>
      bench.until([jobId], `${n} running`, (look) => inState(look, jobId, "running") === n);
    await running(1);
    await bench.scheduler.throttle(jobId, 3);
    await running(3);
    await bench.scheduler.throttle(jobId, undefined);
    await running(7);
    writeFileSync(bench.file("go"), "");
    await bench.ends(jobId, tasks(7).slice(0, 4));
    await bench.until([jobId], "all seven ended", () => bench.text("log").split("\n").length > 14);
  },

  "a job sees the environment that it was given and none of ours": async (bench) => {
    const given = {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      PLAIN: "value",
      SPACED: "two words, a comma = and $(echo no) `no` ' \" \\",
      UNICODE: "größe ≤ 3 µm",
      EMPTY: "",
    };
    process.env["SECRET_X"] = "of ours";
    try {
      const jobId = await bench.submit("env -0 >environment; cat /dev/stdin | wc -c >stdin", {
        environment: given,
      });
      await bench.ends(jobId, [0]);
    } finally {
      delete process.env["SECRET_X"];
    }
    const seen = new Map(
      bench.text("environment").split("\0").filter((line) => line !== "")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    for (const [name, value] of Object.entries(given)) assert.equal(seen.get(name), value, name);
    const theirs =
      /^(PWD|OLDPWD|SHLVL|_|HERD_TASK|HERD_JOB_ID|SLURM.*|HOME|USER|LOGNAME|SHELL|HOSTNAME|TMPDIR|ENVIRONMENT|LC_ALL|LANG|CUDA_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ROCR_VISIBLE_DEVICES)$/;
    const leaked = [...seen.keys()].filter((name) => !(name in given) && !theirs.test(name));
    assert.deepEqual(leaked, []);
    assert.equal(bench.text("stdin").trim(), "0");
  },

  "output is appended, in folders with hostile names": async (bench) => {
    const folder = bench.file(`a b 'c' "d" 100% $(touch pwned) ; ü`);
    mkdirSync(folder);
    writeFileSync(join(folder, "2.out"), "before\n");
    const pattern = `${folder.replaceAll("%", "%%")}/%a`;
    const jobId = await bench.submit("pwd; echo bad >&2", {
      tasks: [2],
      cwd: folder,
      output: `${pattern}.out`,
      error: `${pattern}.err`,
    });
    const [end] = await bench.ends(jobId, [2]);
    assert.equal(end?.state, "completed");
    assert.equal(readFileSync(join(folder, "2.out"), "utf8"), `before\n${folder}\n`);
    assert.equal(readFileSync(join(folder, "2.err"), "utf8"), "bad\n");
    assert.ok(!existsSync(join(folder, "pwned")) && !existsSync(bench.file("pwned")));
  },

  "a task whose output cannot be written does not run and has ended badly": async (bench) => {
    const jobId = await bench.submit("echo ran >ran", { output: bench.file("missing/%a.out") });
    const [end] = await bench.ends(jobId, [0]);
    assert.ok(end?.state === "launch-failure" || end?.state === "failed", end?.state);
    assert.equal(bench.text("ran"), "");
  },

  "one look tells of 1,000 tasks": async (bench) => {
    const all = tasks(1000);
    const jobId = await bench.submit(WAIT_FOR_GO, { tasks: all, maxConcurrent: 1 });
    const look = await bench.until([jobId], "one running", (look) => {
      return inState(look, jobId, "running") === 1;
    });
    assert.equal(look.queue.answered, true);
    assert.deepEqual(all.filter((task) => !look.inQueue.has(taskKey(jobId, task))), []);
    assert.equal(inState(look, jobId, "pending"), 999);
    assert.ok(look.inQueue.get(taskKey(jobId, 999))?.reason);
    await bench.scheduler.cancel(all.map((task) => ({ jobId, task })));
    await bench.until([jobId], "an empty queue", (look) => {
      return inState(look, jobId, "pending") + inState(look, jobId, "running") === 0;
    });
  },

  "a job is found by its name, and no other": async (bench) => {
    const since = clock.now();
    const request = bench.request("exit 0");
    const none = await bench.scheduler.find(`${request.jobName}-x`, since);
    assert.deepEqual(none.jobIds, []);
    const jobId = await bench.send(request);
    await bench.submit("exit 0");
    const deadline = clock.now() + PATIENCE_MS;
    for (;;) {
      const found = await bench.scheduler.find(request.jobName, since);
      if (found.jobIds.length > 0) {
        assert.deepEqual(found.jobIds, [jobId]);
        break;
      }
      assert.ok(clock.now() < deadline, found.detail);
      await clock.sleep(100);
    }
    await bench.ends(jobId, [0]);
    // Ended jobs are found as well: an orphan may be over when it is looked for.
    assert.deepEqual((await bench.scheduler.find(request.jobName, since)).jobIds, [jobId]);
  },

  "submits at the same moment never share a job id": async (bench) => {
    const ids = await Promise.all(tasks(8).map(() => bench.submit("echo $task >>ran")));
    assert.equal(new Set(ids).size, 8);
    for (const id of ids) assert.equal((await bench.ends(id, [0]))[0]?.state, "completed");
    assert.equal(bench.text("ran"), "0\n".repeat(8));
  },

  "a script that does not exist is rejected and nothing is submitted": async (bench) => {
    const request = bench.request("exit 0", { script: bench.file("none.sh") });
    await assert.rejects(
      bench.scheduler.submit(request),
      (error) => error instanceof SchedulerError && error.kind === "rejected",
    );
    assert.deepEqual((await bench.scheduler.find(request.jobName, 0)).jobIds, []);
  },

  "what was submitted runs, whatever becomes of the script's file": async (bench) => {
    const first = await bench.submit(WAIT_FOR_GO);
    const request = bench.request("echo as submitted >ran", { after: [first] });
    const jobId = await bench.send(request);
    writeFileSync(request.script, "#!/bin/bash\necho changed >ran\n");
    writeFileSync(bench.file("go"), "");
    await bench.ends(jobId, [0]);
    assert.equal(bench.text("ran"), "as submitted\n");
  },

  "a job survives the process that submitted it": async (bench) => {
    assert.ok(bench.submitter, "the harness names no submitter");
    const request = bench.request(`echo $PPID >started; ${WAIT_FOR_GO}; echo done >ended`);
    const ended = await runProcess(bench.submitter, { input: JSON.stringify(request) });
    assert.equal(ended.ok, true, ended.stderr);
    const jobId = ended.stdout.trim();
    bench.adopt(jobId, request.jobName);
    await bench.until([jobId], "it runs", () => bench.text("started") !== "");
    writeFileSync(bench.file("go"), "");
    assert.equal((await bench.ends(jobId, [0]))[0]?.state, "completed");
    assert.equal(bench.text("ended"), "done\n");
  },

  "a job waits for the jobs before it, however they end": async (bench) => {
    const before = await bench.submit(`${WAIT_FOR_GO}; echo first >>order; exit 1`);
    const after = await bench.submit("echo second >>order", { after: [before] });
    // The reason is found when the queue is next gone through.
    await bench.until([before, after], "the first runs, the second says why it waits", (look) => {
      return inState(look, before, "running") === 1 && inState(look, after, "pending") === 1 &&
        look.inQueue.get(taskKey(after, 0))?.reason !== undefined;
    });
    writeFileSync(bench.file("go"), "");
    assert.equal((await bench.ends(after, [0]))[0]?.state, "completed");
    assert.equal(bench.text("order"), "first\nsecond\n");
  },

  "unknown jobs are absent from a look, known ones are told": async (bench) => {
    const jobId = await bench.submit("exit 0");
    await bench.ends(jobId, [0]);
    const look = await bench.look("99999998", jobId);
    assert.equal(look.queue.answered, true);
    const others = [...look.inQueue.values(), ...look.inAccounting.values()]
      .filter((seen) => seen.jobId === "99999998");
    assert.deepEqual(others, []);
    assert.ok(endIn(look, jobId, 0));
  },

  "limits name at least one partition and a positive array size": async (bench) => {
    const limits = await bench.scheduler.limits();
    assert.ok(limits.maxArraySize > 0);
    assert.ok(limits.partitions.length > 0 && limits.partitions.some((one) => one.isDefault));
    assert.ok((limits.maxCpusPerNode ?? 1) >= 1);
  },
};

function isAlive(pid: number): boolean {
  try {
    // A zombie answers kill(0) as well.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
