import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../lib/base/clock.ts";
import { runProcess } from "../../lib/base/process.ts";
import type { JobRequest, Scheduler } from "../../lib/schedulers/scheduler.ts";
import { logPattern, makeScript, makeTable } from "../../lib/schedulers/script.ts";
import { createSlurmScheduler } from "../../lib/schedulers/slurm/scheduler.ts";
import type { Resources } from "../../lib/sweep/config.ts";
import { parseRecord } from "../../lib/sweep/record.ts";
import type { JobRecord, Look, Sighting } from "../../lib/sweep/sighting.ts";
import { removeTree } from "../support/remove-tree.ts";

const silent = spawnSync("sinfo", ["-h"], { encoding: "utf8", timeout: 15_000 });
const skip = silent.status === 0 ? false : "no SLURM answers sinfo on this machine";
const conf = process.env.SLURM_CONF ?? "/etc/slurm/slurm.conf";

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
  requeue: true,
  mailUser: undefined,
  mailType: undefined,
  extraArgs: [],
};

function schedulerWith(environment: Record<string, string> = {}): Scheduler {
  return createSlurmScheduler({
    run: runProcess,
    clock: createSystemClock(),
    uid: process.getuid!(),
    environment: { ...process.env, ...environment },
  });
}

type Test = { after(fn: () => void): void };

interface Workspace {
  folder: string;
  jobName: string;
  request(change?: Partial<JobRequest>): JobRequest;
  submit(scheduler: Scheduler, change?: Partial<JobRequest>): Promise<string>;
  record(task: number): JobRecord | undefined;
}

/** A workspace whose path holds what paths may hold; its jobs are cancelled in the end. */
function workspace(
  t: Test,
  launcher: string,
  tasks: number[],
  change: Partial<Resources> = {},
): Workspace {
  const top = mkdtempSync(join(tmpdir(), "hherdE-"));
  const folder = join(top, `we ird%a $x#'q"ü;%%j`);
  for (const each of ["events", "logs"]) mkdirSync(join(folder, each), { recursive: true });
  const nonce = top.slice(-6);
  const jobName = `hherdE_${nonce}`;
  t.after(() => {
    execFileSync("scancel", ["-n", jobName]);
    removeTree(top);
  });
  const resources = { ...RESOURCES, ...change };
  const output = logPattern(join(folder, "logs"), "%a.out");
  const error = logPattern(join(folder, "logs"), "%a.err");
  writeFileSync(join(folder, "launch.sh"), launcher);
  writeFileSync(
    join(folder, "table.tsv"),
    makeTable(tasks.map((task) => ({
      task,
      trial: task,
      attempt: 1,
      log: undefined,
      experimentName: `t-${task}`,
      tokens: [`t=${task}`, "hostile=$(x) 'y\n"],
    }))),
  );
  const script = join(folder, "job.sbatch");
  writeFileSync(
    script,
    makeScript({
      sweepName: "real",
      submission: nonce,
      jobName,
      workspace: folder,
      launcher: "launch.sh",
      table: join(folder, "table.tsv"),
      firstTask: tasks[0]!,
      tasks,
      maxConcurrent: undefined,
      eventsDir: join(folder, "events"),
      voidMarker: join(folder, "void"),
      logsDir: join(folder, "logs"),
      output,
      error,
      herd: undefined,
      heartbeatSeconds: 1,
      resources,
      signal: undefined,
    }),
  );
  const request = (change: Partial<JobRequest> = {}): JobRequest => ({
    submission: nonce,
    jobName,
    script,
    tasks,
    resources,
    maxConcurrent: undefined,
    after: [],
    cwd: folder,
    environment: { PATH: process.env.PATH!, HOME: process.env.HOME! },
    output,
    error,
    signal: undefined,
    ...change,
  });
  return {
    folder,
    jobName,
    request,
    submit: async (scheduler, change) => (await scheduler.submit(request(change))).jobId,
    record: (task) => {
      const path = join(folder, "events", `${task}.tsv`);
      if (!existsSync(path)) return undefined;
      const aliveAt = statSync(path).mtimeMs;
      return parseRecord(readFileSync(path, "utf8"), { submission: nonce, task, aliveAt });
    },
  };
}

/** Looks again and again until the look, or the files, show what is waited for. */
async function lookUntil(
  scheduler: Scheduler,
  job: { jobId: string; jobName: string; tasks: readonly number[] },
  holds: (look: Look) => boolean,
): Promise<Look> {
  const since = Date.now();
  for (;;) {
    const look = await scheduler.look({
      jobs: [job],
      wanted: () => job.tasks.map((task) => ({ jobId: job.jobId, task })),
      since,
    });
    if (holds(look)) return look;
    if (Date.now() - since > 90_000) {
      throw new Error(
        `Never seen: ${JSON.stringify([...look.inQueue.values(), ...look.inAccounting.values()])}`,
      );
    }
    await new Promise((next) => setTimeout(next, 300));
  }
}

const ENDED = new Set<Sighting["state"]>([
  "completed",
  "failed",
  "out-of-memory",
  "timeout",
  "cancelled",
  "preempted",
  "node-failure",
  "deadline",
  "launch-failure",
]);

const LAUNCHER = `
: "\${@:2}"
[ "$2" = "t=$HYPERHERD_TRIAL_ID" ] && [ "$1" = "t=$HYPERHERD_TRIAL_ID hostile=\\$(x) 'y
" ] || exit 99
case $HYPERHERD_TRIAL_ID in
0) exit 0 ;;
1) exit 3 ;;
2) exit 128 ;;
3) exit 137 ;;
4) exec python3 -c 'x = bytearray(400 << 20)' ;;
5) python3 -c 'x = bytearray(400 << 20)'; exit 0 ;;
6) sleep 300 ;;
7) python3 -c '
import signal, sys, time
def save(*_):
    open("saved", "w").close()
    sys.exit(42)
signal.signal(signal.SIGTERM, save)
open("ready", "w").close()
time.sleep(300)' ;;
8) sleep 300 ;;
9) kill -9 $PPID; sleep 300 ;;
10) [ "$HERD_RESTART" = 0 ] && sleep 300; exit 0 ;;
esac
`;

test("every ending is seen as what it was, by both views and the record", { skip }, async (t) => {
  const tasks = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const scheduler = schedulerWith();
  const ws = workspace(t, LAUNCHER, tasks);
  const jobId = await ws.submit(scheduler);
  const job = { jobId, jobName: ws.jobName, tasks };
  const running = (look: Look, task: number) =>
    look.inQueue.get(`${jobId}_${task}`)?.state === "running";
  await lookUntil(
    scheduler,
    job,
    (look) =>
      [6, 8, 10].every((task) => running(look, task)) && existsSync(join(ws.folder, "ready")),
  );
  const soon = new Date(Date.now() + 1000);
  const stamp = execFileSync("date", ["-d", `@${Math.ceil(soon.getTime() / 1000)}`, "+%FT%T"], {
    encoding: "utf8",
  }).trim();
  execFileSync("scontrol", ["update", `JobId=${jobId}_8`, `EndTime=${stamp}`]);
  execFileSync("scontrol", ["requeue", `${jobId}_10`]);
  const cancelled = await scheduler.cancel([{ jobId, task: 6 }, { jobId, task: 7 }]);
  assert.deepEqual(cancelled, { ok: true, detail: "" });
  // Started again in the second of its requeue, slurmd refuses it ("already killed") and SLURM calls it FAILED.
  await lookUntil(scheduler, job, (look) => {
    const ended = ws.record(10)?.endedAt;
    return look.inQueue.get(`${jobId}_10`)?.restarts === 1 &&
      Date.now() > (ended ?? Infinity) + 3000;
  });
  execFileSync("scontrol", ["update", `JobId=${jobId}_10`, "StartTime=now"]);
  const look = await lookUntil(
    scheduler,
    job,
    (look) =>
      tasks.every((task) =>
        [look.inQueue, look.inAccounting].every((view) =>
          ENDED.has(view.get(`${jobId}_${task}`)?.state ?? "pending")
        )
      ),
  );
  const facts = tasks.map((task) => {
    const { state, exitCode } = look.inQueue.get(`${jobId}_${task}`)!;
    return [
      state,
      look.inAccounting.get(`${jobId}_${task}`)!.state,
      exitCode,
      ws.record(task)?.exitCode,
    ];
  });
  assert.deepEqual(facts, [
    ["completed", "completed", 0, 0],
    ["failed", "failed", 3, 3],
    ["failed", "failed", 128, 128],
    ["failed", "failed", 137, 137],
    ["out-of-memory", "out-of-memory", undefined, 137],
    ["out-of-memory", "out-of-memory", undefined, 0],
    ["cancelled", "cancelled", 143, 143],
    ["cancelled", "cancelled", 42, 42],
    ["timeout", "timeout", 143, 143],
    ["failed", "failed", undefined, undefined],
    ["completed", "completed", 0, 0],
  ]);
  assert.deepEqual(ws.record(7)!.signals, ["TERM"]);
  assert.ok(existsSync(join(ws.folder, "saved")));
  assert.equal(look.inQueue.get(`${jobId}_9`)!.signal, 9);
  assert.equal(look.inQueue.get(`${jobId}_10`)!.restarts, 1);
  assert.equal(ws.record(10)!.restart, 1);
  assert.equal(look.inAccounting.get(`${jobId}_6`)!.usage!.requestedMemoryBytes, 100 * 2 ** 20);
  const log = readFileSync(join(ws.folder, "logs", "10.out"), "utf8");
  assert.match(log, /restart 0(.|\n)*restart 1/);
});

test("tasks that are cancelled while they wait are seen as cancelled", { skip }, async (t) => {
  const tasks = [0, 1, 2, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987];
  const scheduler = schedulerWith();
  const ws = workspace(t, "sleep 300\n", tasks);
  const jobId = await ws.submit(scheduler, { maxConcurrent: 1 });
  const job = { jobId, jobName: ws.jobName, tasks };
  const first = await lookUntil(
    scheduler,
    job,
    (look) => look.inQueue.get(`${jobId}_0`)?.state === "running",
  );
  assert.deepEqual(
    [...first.inQueue.values()].map(({ task }) => task).sort((a, b) => a - b),
    tasks,
  );
  assert.equal(first.inQueue.get(`${jobId}_987`)!.state, "pending");
  await scheduler.throttle(jobId, 2);
  await lookUntil(scheduler, job, (look) => look.inQueue.get(`${jobId}_1`)?.state === "running");
  // With a task that is over scontrol complains of it, and changes the rest.
  assert.ok((await scheduler.cancel([{ jobId, task: 0 }])).ok);
  await lookUntil(scheduler, job, (look) => look.inQueue.get(`${jobId}_0`)?.state === "cancelled");
  await scheduler.throttle(jobId, 3);
  await lookUntil(scheduler, job, (look) => look.inQueue.get(`${jobId}_5`)?.state === "running");
  assert.ok((await scheduler.cancel(tasks.map((task) => ({ jobId, task })))).ok);
  const last = await lookUntil(
    scheduler,
    job,
    (look) =>
      look.inQueue.get(`${jobId}_987`)?.state !== "pending" &&
      look.inAccounting.get(`${jobId}_0`)?.state === "cancelled",
  );
  const seen = last.inQueue.get(`${jobId}_987`) ?? last.inAccounting.get(`${jobId}_987`);
  assert.ok(seen === undefined || seen.state === "cancelled", JSON.stringify(seen));
  assert.ok((await scheduler.cancel([{ jobId: "999999", task: 0 }])).ok);
  await scheduler.throttle(jobId, 3);
});

test("G.1.7: an orphan is found by its name at once, a name nobody has is conclusively absent", {
  skip,
}, async (t) => {
  const scheduler = schedulerWith();
  const ws = workspace(t, "sleep 300\n", [0, 1]);
  const jobId = await ws.submit(scheduler);
  assert.deepEqual(await scheduler.find(ws.jobName, Date.now()), {
    jobIds: [jobId],
    conclusive: true,
    detail: "",
  });
  assert.deepEqual((await scheduler.find("hherdE_nobody", Date.now())).jobIds, []);
});

test("a submission that arrives after it was given up runs nothing", { skip }, async (t) => {
  const scheduler = schedulerWith();
  const ws = workspace(t, "touch ran\n", [0]);
  writeFileSync(join(ws.folder, "void"), "");
  const jobId = await ws.submit(scheduler);
  const look = await lookUntil(
    scheduler,
    { jobId, jobName: ws.jobName, tasks: [0] },
    (look) => look.inQueue.get(`${jobId}_0`)?.state === "failed",
  );
  assert.equal(look.inQueue.get(`${jobId}_0`)!.exitCode, 75);
  assert.equal(ws.record(0)!.voided, true);
  assert.equal(existsSync(join(ws.folder, "ran")), false);
});

test(
  "the user's SBATCH_ and SQUEUE_ variables neither rename, redirect nor hide the job",
  { skip },
  async (t) => {
    const scheduler = schedulerWith({
      SBATCH_JOB_NAME: "other",
      SBATCH_OUTPUT: "/dev/null",
      SBATCH_ARRAY_INX: "0-500",
      SBATCH_EXPORT: "NONE",
      SBATCH_MEM_PER_CPU: "50",
      SBATCH_TIMELIMIT: "1",
      SBATCH_WAIT: "1",
      SQUEUE_NAMES: "nobody",
      SQUEUE_FORMAT: "%i",
      SACCT_FORMAT: "jobid",
      HERD_SECRET: "x",
    });
    const ws = workspace(t, `echo "secret=$HERD_SECRET mark=$MARK"\n`, [3]);
    const jobId = await ws.submit(scheduler, {
      environment: { PATH: process.env.PATH!, MARK: "a, b", SLURM_RESTART_COUNT: "9" },
    });
    const job = { jobId, jobName: ws.jobName, tasks: [3] };
    const look = await lookUntil(
      scheduler,
      job,
      (look) => look.inAccounting.get(`${jobId}_3`)?.state === "completed",
    );
    assert.equal(look.inQueue.size, 1);
    assert.match(
      readFileSync(join(ws.folder, "logs", "3.out"), "utf8"),
      /restart 0(.|\n)*^secret= mark=a, b$/m,
    );
  },
);

test("a missing log folder is a launch failure in both views", { skip }, async (t) => {
  const scheduler = schedulerWith();
  const ws = workspace(t, "exit 0\n", [0]);
  const jobId = await ws.submit(scheduler, { output: "/nowhere/%a.out", error: "/nowhere/%a.err" });
  const look = await lookUntil(
    scheduler,
    { jobId, jobName: ws.jobName, tasks: [0] },
    (look) => look.inAccounting.has(`${jobId}_0`),
  );
  assert.equal(look.inQueue.get(`${jobId}_0`)!.state, "launch-failure");
  assert.equal(look.inAccounting.get(`${jobId}_0`)!.state, "launch-failure");
  assert.equal(ws.record(0), undefined);
});

test("SLURM's refusals are refusals", { skip }, async (t) => {
  const scheduler = schedulerWith();
  const { maxArraySize } = await scheduler.limits();
  const refused: [Partial<Resources>, Partial<JobRequest>, RegExp][] = [
    [{ partition: "nope" }, {}, /invalid partition/i],
    [{ memoryMiB: 90_000_000 }, {}, /Memory specification|not available/],
    [{ gres: "nope:1" }, {}, /gres/],
    [{ extraArgs: ["--frobnicate"] }, {}, /unrecognized option/],
    [{}, { tasks: [maxArraySize] }, /Invalid job array specification/],
  ];
  for (const [resources, change, message] of refused) {
    const ws = workspace(t, "exit 0\n", [0], resources);
    await assert.rejects(ws.submit(scheduler, change), {
      name: "SchedulerError",
      kind: "rejected",
      message,
    });
  }
});

test("limits of this cluster are learnt", { skip }, async () => {
  const limits = await schedulerWith().limits();
  const config = execFileSync("scontrol", ["show", "config"], { encoding: "utf8" });
  assert.equal(limits.maxArraySize, Number(/MaxArraySize\s*= (\d+)/.exec(config)![1]));
  assert.equal(limits.accounting, true);
  assert.ok(limits.partitions.some(({ isDefault, up, nodes }) => isDefault && up && nodes > 0));
  assert.ok(limits.maxMemoryMiB! > 0 && limits.maxCpusPerNode! > 0);
  assert.match(limits.version!, /^\d+\.\d+/);
});

/** The cluster's configuration with some settings changed: outages for this test alone. */
function otherConf(t: Test, settings: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "hherdE-conf-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const names = Object.keys(settings);
  const kept = readFileSync(conf, "utf8").split("\n")
    .filter((line) => !names.some((name) => line.startsWith(`${name}=`)));
  const path = join(folder, "slurm.conf");
  writeFileSync(
    path,
    [...kept, ...names.map((name) => `${name}=${settings[name]}`), ""].join("\n"),
  );
  return path;
}

const QUESTION = { jobs: [], wanted: () => [{ jobId: "1", task: 0 }], since: Date.now() };

test(
  "a controller that is dead is silence in the queue, not an empty queue",
  { skip },
  async (t) => {
    const scheduler = schedulerWith({ SLURM_CONF: otherConf(t, { SlurmctldPort: "9" }) });
    const ws = workspace(t, "exit 0\n", [0]);
    const [look, submitted, found, cancelled, limits] = await Promise.all([
      scheduler.look(QUESTION),
      ws.submit(scheduler).catch((error) => error),
      scheduler.find(ws.jobName, Date.now()),
      scheduler.cancel([{ jobId: "1", task: 0 }]),
      scheduler.limits().catch((error) => error),
    ]);
    assert.ok(!look.queue.answered && look.queue.reason === "unreachable");
    assert.match(look.queue.message, /Unable to contact slurm controller/);
    assert.equal(look.accounting.answered, true);
    assert.equal(submitted.kind, "unreachable");
    assert.equal(found.conclusive, false);
    assert.equal(cancelled.ok, false);
    assert.equal(limits.kind, "unreachable");
  },
);

test(
  "a controller that hangs is silence, and a submission to it is of unknown fate",
  { skip },
  async (t) => {
    const server = createServer(() => {});
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    t.after(() => server.close());
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const scheduler = schedulerWith({
      SLURM_CONF: otherConf(t, { SlurmctldPort: `${address.port}` }),
    });
    const ws = workspace(t, "exit 0\n", [0]);
    const [look, submitted] = await Promise.all([
      scheduler.look(QUESTION),
      ws.submit(scheduler).catch((error) => error),
    ]);
    assert.ok(!look.queue.answered && look.queue.reason === "unreachable");
    assert.equal(submitted.kind, "unreachable");
  },
);

test(
  "accounting that is down is silence, accounting that is off is absent; the queue is seen anyway",
  { skip },
  async (t) => {
    const down = schedulerWith({ SLURM_CONF: otherConf(t, { AccountingStoragePort: "9" }) });
    const off = schedulerWith({
      SLURM_CONF: otherConf(t, { AccountingStorageType: "accounting_storage/none" }),
    });
    const looks = await Promise.all([down.look(QUESTION), off.look(QUESTION)]);
    const reasons = looks.map(({ accounting }) => accounting.answered || accounting.reason);
    assert.deepEqual(reasons, ["unreachable", "absent"]);
    assert.deepEqual(looks.map(({ queue }) => queue.answered), [true, true]);
  },
);
