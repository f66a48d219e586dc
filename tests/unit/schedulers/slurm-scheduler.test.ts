import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SchedulerError } from "../../../lib/base/errors.ts";
import { runProcess } from "../../../lib/base/process.ts";
import type { JobRequest, Scheduler } from "../../../lib/schedulers/scheduler.ts";
import { cancelNames } from "../../../lib/schedulers/slurm/control.ts";
import { createSlurmScheduler } from "../../../lib/schedulers/slurm/scheduler.ts";
import { removeTree } from "../../support/remove-tree.ts";

/** What one of SLURM's programs prints and how it ends. */
interface Script {
  out?: string;
  err?: string;
  code?: number;
  /** Further lines of shell. */
  does?: string;
}

interface Bench {
  scheduler: Scheduler;
  /** Arguments of every call so far, program first. */
  calls(): string[][];
  /** Environment of the latest call of a program. */
  environmentOf(program: string): Map<string, string>;
  set(programs: Record<string, Script>): void;
  folder: string;
}

/** Tiny executables alone on the PATH stand for SLURM's programs. */
function bench(
  t: { after(fn: () => void): void },
  programs: Record<string, Script>,
  options: { environment?: Record<string, string>; timeoutMs?: number } = {},
): Bench {
  const folder = mkdtempSync(join(tmpdir(), "herd-slurm-"));
  t.after(() => removeTree(folder));
  function set(list: Record<string, Script>): void {
    for (const [name, { out = "", err = "", code = 0, does = "" }] of Object.entries(list)) {
      const path = join(folder, name);
      writeFileSync(`${path}.out`, out);
      writeFileSync(`${path}.err`, err);
      writeFileSync(
        path,
        `#!/bin/bash\nprintf '%s\\0' ${name} "$@" >>'${folder}/calls'; echo >>'${folder}/calls'\n` +
          `/usr/bin/env -0 >'${path}.env'\n${does}\n/bin/cat '${path}.out'; /bin/cat '${path}.err' >&2\nexit ${code}\n`,
      );
      chmodSync(path, 0o755);
    }
  }
  set(programs);
  writeFileSync(join(folder, "calls"), "");
  const scheduler = createSlurmScheduler({
    run: runProcess,
    clock: { now: () => 1_800_000_000_000, sleep: () => Promise.resolve() },
    uid: 1000,
    environment: { PATH: folder, ...options.environment },
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  return {
    scheduler,
    set,
    folder,
    calls: () =>
      readFileSync(join(folder, "calls"), "utf8").split("\0\n").slice(0, -1)
        .map((line) => line.split("\0")),
    environmentOf: (program) =>
      new Map(
        readFileSync(join(folder, `${program}.env`), "utf8").split("\0").slice(0, -1).map(
          (line) => {
            const at = line.indexOf("=");
            return [line.slice(0, at), line.slice(at + 1)];
          },
        ),
      ),
  };
}

function job(folder: string, change: Partial<JobRequest> = {}): JobRequest {
  return {
    submission: "n0nce",
    jobName: "hyperherd_x_n0nce",
    script: `${folder}/job.sbatch`,
    tasks: [0, 1, 2, 7],
    resources: {
      partition: "short",
      account: undefined,
      qos: undefined,
      constraint: undefined,
      nodes: undefined,
      ntasks: undefined,
      cpusPerTask: 1,
      memoryMiB: 100,
      timeSeconds: 60,
      gres: undefined,
      gpus: undefined,
      exclude: undefined,
      requeue: undefined,
      mailUser: undefined,
      mailType: undefined,
      extraArgs: [],
    },
    maxConcurrent: 2,
    after: [],
    cwd: folder,
    environment: { HOME: "/home/x" },
    output: "/ws/%a.out",
    error: "/ws/%a.err",
    signal: undefined,
    ...change,
  };
}

const QUESTION = {
  jobs: [{ jobId: "9", jobName: "mine" }],
  wanted: () => [{ jobId: "9", task: 1 }],
  since: 1_800_000_000_000 - 3_600_000,
};

const RUNNING = "9|0|RUNNING|0|1795213867|1795217467|0|n1|None|mine|\n";
const DONE = "9_1|COMPLETED|0:0|1|2|1|1|1|100M|00:01|||n1|mine\n";

test("one look is one squeue and one sacct, whatever the number of jobs", async (t) => {
  const { scheduler, calls } = bench(t, { squeue: { out: RUNNING }, sacct: { out: DONE } });
  const jobs = Array.from({ length: 500 }, (_, i) => ({ jobId: `${9 + i}`, jobName: "mine" }));
  const wanted = () => jobs.map(({ jobId }) => ({ jobId, task: 1 }));
  const look = await scheduler.look({ ...QUESTION, jobs, wanted });
  assert.deepEqual(calls().map(([program]) => program), ["squeue", "sacct"]);
  assert.equal(look.at, 1_800_000_000_000);
  assert.deepEqual([look.queue.answered, look.accounting.answered], [true, true]);
  assert.equal(look.inQueue.get("9_0")!.state, "running");
  assert.equal(look.inAccounting.get("9_1")!.state, "completed");
});

test("sacct is not run when no task needs it", async (t) => {
  const { scheduler, calls } = bench(t, { squeue: { out: RUNNING }, sacct: {} });
  const look = await scheduler.look({ ...QUESTION, wanted: () => [] });
  assert.deepEqual(calls().map(([program]) => program), ["squeue"]);
  assert.equal(look.accounting.answered, false);
  assert.ok(!look.accounting.answered && look.accounting.reason === "not-asked");
});

test("G.1.5: a silent controller is no empty queue, and accounting is asked all the same", async (t) => {
  for (
    const err of [
      "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n",
      "slurm_load_jobs error: Socket timed out on send/recv operation\n",
    ]
  ) {
    const { scheduler } = bench(t, {
      squeue: { err, code: 1, out: RUNNING },
      sacct: { out: DONE },
    });
    let given: unknown;
    const look = await scheduler.look({
      ...QUESTION,
      wanted: (inQueue, queue) => {
        given = [inQueue.size, queue.answered];
        return [{ jobId: "9", task: 1 }];
      },
    });
    assert.deepEqual(given, [0, false]);
    assert.ok(!look.queue.answered && look.queue.reason === "unreachable");
    assert.match(look.queue.message, /Unable to contact|Socket timed out/);
    assert.equal(look.inQueue.size, 0);
    assert.equal(look.inAccounting.get("9_1")!.state, "completed");
  }
});

test("a program that hangs is given up and counts as silence", async (t) => {
  const { scheduler } = bench(t, {
    squeue: { does: "exec /bin/sleep 300" },
    sacct: {},
  }, { timeoutMs: 200 });
  const look = await scheduler.look({ ...QUESTION, wanted: () => [] });
  assert.ok(!look.queue.answered && look.queue.reason === "unreachable");
  assert.match(look.queue.message, /squeue did not answer within/);
});

test("accounting that is off, missing or down is told apart", async (t) => {
  const { scheduler, set, folder } = bench(t, {
    squeue: { out: RUNNING },
    sacct: { err: "Slurm accounting storage is disabled\n", code: 1 },
  });
  const reason = async () => {
    const { accounting } = await scheduler.look(QUESTION);
    return accounting.answered ? "answered" : accounting.reason;
  };
  assert.equal(await reason(), "absent");
  set({
    sacct: { err: "sacct: error: Problem talking to the database: Connection refused\n", code: 1 },
  });
  assert.equal(await reason(), "unreachable");
  rmSync(join(folder, "sacct"));
  assert.equal(await reason(), "absent");
});

test("a row of another job that has the number now is not ours", async (t) => {
  const { scheduler } = bench(t, {
    squeue: { out: RUNNING.replace("mine", "stranger") },
    sacct: { out: DONE.replace("mine", "stranger") + DONE.replace("9_1", "9_2") },
  });
  const look = await scheduler.look(QUESTION);
  assert.equal(look.inQueue.size, 0);
  assert.deepEqual([...look.inAccounting.keys()], ["9_2"]);
  const named = await scheduler.look({ ...QUESTION, jobs: [{ jobId: "9", jobName: "" }] });
  assert.equal(named.inQueue.size, 1);
});

test("after a first look at the whole job accounting is asked for single tasks, until one has no row", async (t) => {
  const { scheduler, calls, set } = bench(t, { squeue: {}, sacct: { out: DONE } });
  const asked = () =>
    calls().filter(([program]) => program === "sacct").map((argv) => argv[argv.indexOf("-j") + 1]);
  await scheduler.look(QUESTION);
  await scheduler.look(QUESTION);
  set({ sacct: { out: "" } });
  await scheduler.look(QUESTION);
  set({ sacct: { out: DONE } });
  await scheduler.look(QUESTION);
  assert.deepEqual(asked(), ["9", "9_1", "9_1", "9"]);
});

test("the user's own filters do not reach the questions, epoch times do", async (t) => {
  const { scheduler, environmentOf } = bench(
    t,
    { squeue: { out: RUNNING }, sacct: { out: DONE } },
    {
      environment: {
        SQUEUE_PARTITION: "gpu",
        SACCT_FORMAT: "jobid",
        SLURM_CONF: "/etc/other.conf",
        SLURM_TIME_FORMAT: "relative",
      },
    },
  );
  await scheduler.look(QUESTION);
  for (const program of ["squeue", "sacct"]) {
    const environment = environmentOf(program);
    assert.equal(environment.get("SLURM_TIME_FORMAT"), "%s");
    assert.equal(environment.get("SLURM_BITSTR_LEN"), "0");
    assert.equal(environment.get("SLURM_CONF"), "/etc/other.conf");
    assert.ok(!environment.has("SQUEUE_PARTITION") && !environment.has("SACCT_FORMAT"));
  }
});

test("submit: what decides identity and files stands in the arguments, the id is read", async (t) => {
  const { scheduler, calls, set, folder } = bench(t, { sbatch: { out: "42\n" } });
  assert.deepEqual(await scheduler.submit(job(folder, { after: ["7", "8"] })), { jobId: "42" });
  assert.deepEqual(calls()[0], [
    "sbatch",
    "--parsable",
    "--job-name=hyperherd_x_n0nce",
    "--array=0-2,7%2",
    "--output=/ws/%a.out",
    "--error=/ws/%a.err",
    "--open-mode=append",
    "--export=ALL",
    "--dependency=afterany:7:8",
    `${folder}/job.sbatch`,
  ]);
  set({ sbatch: { out: "43;cluster2\n", err: "sbatch: a word of the site\n" } });
  assert.deepEqual(await scheduler.submit(job(folder)), { jobId: "43" });
});

test("submit: the job sees its own environment, what finds the cluster, and nothing of an enclosing job", async (t) => {
  const { scheduler, environmentOf, folder } = bench(t, { sbatch: { out: "42\n" } }, {
    environment: {
      SLURM_CONF: "/etc/c2.conf",
      DISCORD_TOKEN: "secret",
      SBATCH_PARTITION: "gpu",
      SBATCH_ACCOUNT: "lab",
      SBATCH_WAIT: "1",
      SBATCH_MEM_PER_CPU: "4G",
      SBATCH_OUTPUT: "/dev/null",
      SLURM_RESTART_COUNT: "3",
    },
  });
  await scheduler.submit(job(folder, {
    environment: {
      HOME: "/home/x",
      SLURM_RESTART_COUNT: "3",
      SLURM_ARRAY_TASK_ID: "5",
      HERD_TASK: "5",
    },
  }));
  const environment = environmentOf("sbatch");
  for (const name of ["_", "SHLVL", "PWD", "OLDPWD"]) environment.delete(name);
  assert.deepEqual([...environment].sort(), [
    ["HOME", "/home/x"],
    ["PATH", folder],
    ["SBATCH_ACCOUNT", "lab"],
    ["SLURM_CONF", "/etc/c2.conf"],
  ]);
});

/** Texts of real refusals and outages (facts 1.8 and 1.13) with their exit codes. */
const ANSWERS: [kind: "rejected" | "unreachable", code: number, err: string][] = [
  [
    "rejected",
    1,
    "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified",
  ],
  ["rejected", 1, "sbatch: error: Batch job submission failed: Invalid job array specification"],
  [
    "rejected",
    1,
    "sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: Requested node configuration is not available",
  ],
  [
    "rejected",
    1,
    "sbatch: error: Batch job submission failed: Invalid generic resource (gres) specification",
  ],
  [
    "rejected",
    1,
    "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
  ],
  [
    "rejected",
    1,
    "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)",
  ],
  ["rejected", 1, "sbatch: error: Batch job submission failed: Job dependency problem"],
  ["rejected", 1, "sbatch: error: Unable to open file /x/job.sbatch"],
  ["rejected", 1, "sbatch: error: Batch script contains DOS line breaks (\\r\\n)"],
  [
    "rejected",
    1,
    "sbatch: error: Please use our portal\nsbatch: error: Batch job submission failed: Unspecified error",
  ],
  ["rejected", 255, "sbatch: unrecognized option '--frob'"],
  ["rejected", 255, "sbatch: error: Invalid --time specification"],
  [
    "unreachable",
    1,
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
  ],
  [
    "unreachable",
    1,
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
  ],
  [
    "unreachable",
    1,
    "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\nsbatch: error: Batch job submission failed: Resource temporarily unavailable",
  ],
  [
    "unreachable",
    1,
    "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received",
  ],
  ["unreachable", 1, "sbatch: error: Batch job submission failed: Unexpected message received"],
  [
    "unreachable",
    1,
    'sbatch: error: Munge encode failed: Failed to access "/run/munge/munge.socket.2"\nsbatch: fatal: Unable to create job',
  ],
  ["unreachable", 255, "ssh: connect to host login port 22: Connection refused"],
  ["unreachable", 255, "kex_exchange_identification: read: the other side hung up"],
  [
    "unreachable",
    1,
    'sbatch: error: slurm_set_addr: Unable to resolve "localhost"\nsbatch: error: Unable to establish control machine address\nsbatch: error: Batch job submission failed: No error',
  ],
  ["unreachable", 1, ""],
  ["unreachable", 0, ""],
];

test("G.1.7: only SLURM's own no is a rejection; any other failure may have submitted", async (t) => {
  const { scheduler, set, folder } = bench(t, {});
  for (const [kind, code, err] of ANSWERS) {
    set({ sbatch: { code, err } });
    await assert.rejects(scheduler.submit(job(folder)), (error: unknown) => {
      assert.ok(error instanceof SchedulerError);
      assert.equal(error.kind, kind, err);
      assert.match(error.message, /^Cannot submit "hyperherd_x_n0nce": .+[^.\n]$/);
      return true;
    });
  }
});

test("G.1.7: an sbatch that is killed or never comes back may have submitted", async (t) => {
  for (const does of ["kill -9 $$", "exec /bin/sleep 300"]) {
    const { scheduler, folder } = bench(t, { sbatch: { does } }, { timeoutMs: 300 });
    await assert.rejects(scheduler.submit(job(folder)), {
      name: "SchedulerError",
      kind: "unreachable",
    });
  }
});

test("without an sbatch nothing was submitted", async (t) => {
  const { scheduler, folder } = bench(t, {});
  await assert.rejects(scheduler.submit(job(folder)), {
    kind: "rejected",
    message: /sbatch cannot be run \(ENOENT\)/,
  });
});

test("find: both views are asked, similar names are not taken", async (t) => {
  const { scheduler, set } = bench(t, {
    squeue: { out: "42|hx|\n43|hx2|\n42|hx|\n" },
    sacct: { out: "42_[0-3]|hx\n42_1|hx\n40_2|hx\n" },
  });
  const since = 1_800_000_000_000;
  assert.deepEqual(await scheduler.find("hx", since), {
    jobIds: ["42", "40"],
    conclusive: true,
    detail: "",
  });
  set({ squeue: { code: 1, err: "squeue: error: Unable to contact slurm controller\n" } });
  const found = await scheduler.find("hx", since);
  assert.deepEqual(found.jobIds, ["42", "40"]);
  assert.equal(found.conclusive, false);
  assert.match(found.detail, /queue: Unable to contact/);
  set({ squeue: {}, sacct: { code: 1, err: "Slurm accounting storage is disabled\n" } });
  assert.equal((await scheduler.find("hx", since)).conclusive, true);
  set({ sacct: { code: 1, err: "sacct: error: Problem talking to the database\n" } });
  assert.equal((await scheduler.find("hx", since)).conclusive, false);
});

test("cancel: one call names every task by its array", async (t) => {
  const { scheduler, calls } = bench(t, { scancel: {} });
  const tasks = [["9", 3], ["9", 0], ["9", 1], ["12", 5]].map(([jobId, task]) => ({
    jobId: jobId as string,
    task: task as number,
  }));
  assert.deepEqual(await scheduler.cancel(tasks), { ok: true, detail: "" });
  assert.deepEqual(await scheduler.cancel([]), { ok: true, detail: "" });
  assert.deepEqual(calls(), [["scancel", "9_[0-1,3]", "12_[5]"]]);
});

test("cancel: a no and an outage are told, what is over is not", async (t) => {
  const { scheduler, set } = bench(t, {});
  const cancel = async (code: number, err: string) => {
    set({ scancel: { code, err } });
    return await scheduler.cancel([{ jobId: "9", task: 0 }]);
  };
  const denied = "scancel: error: Kill job error on job id 163: Access/permission denied\n";
  assert.deepEqual(await cancel(210, denied), {
    ok: false,
    detail: "Kill job error on job id 163: Access/permission denied",
  });
  assert.equal((await cancel(8, "scancel: error: Unable to contact slurm controller\n")).ok, false);
  assert.equal((await cancel(140, "")).ok, false);
  const over =
    "scancel: error: Kill job error on job id 9_0: Job/step already completing or completed\n";
  assert.equal((await cancel(1, over)).ok, true);
  assert.equal((await cancel(1, over + denied)).ok, false);
});

test("cancel: ten thousand scattered tasks go in calls of bearable length and none is lost", () => {
  const tasks = Array.from({ length: 60_000 }, (_, i) => ({ jobId: `${i % 3}`, task: 2 * i }));
  const groups = cancelNames(tasks);
  assert.ok(groups.every((names) => names.join(" ").length <= 100_001));
  const counts = groups.flat().map((name) => name.replace(/^\d+_/, "").split(",").length);
  assert.equal(counts.reduce((sum, each) => sum + each, 0), 60_000);
  assert.ok(groups.flat().every((name) => /^\d_\[\d+(,\d+)*\]$/.test(name)));
});

test("throttle: a number, none, an array that is over, a no and an outage", async (t) => {
  const { scheduler, set, calls } = bench(t, { scontrol: {} });
  await scheduler.throttle("9", 4);
  await scheduler.throttle("9", undefined);
  assert.deepEqual(calls(), [
    ["scontrol", "update", "JobId=9", "ArrayTaskThrottle=4"],
    ["scontrol", "update", "JobId=9", "ArrayTaskThrottle=0"],
  ]);
  set({ scontrol: { code: 1, err: "slurm_update error: Invalid job id specified\n" } });
  await scheduler.throttle("9", 4);
  set({ scontrol: { code: 1, err: "439_0-1: Job has already finished\n(null): No error\n" } });
  await scheduler.throttle("9", 4);
  set({ scontrol: { code: 1, err: "slurm_update error: Access/permission denied\n" } });
  await assert.rejects(scheduler.throttle("9", 4), { kind: "rejected" });
  set({ scontrol: { code: 1, err: "slurm_update error: Unexpected message received\n" } });
  await assert.rejects(scheduler.throttle("9", 4), { kind: "unreachable" });
});

test("G.2.19: limits are what the site says, its QOS included where it is enforced", async (t) => {
  const config = "MaxArraySize            = 20001\nMaxJobCount             = 50000\n" +
    "AccountingStorageType   = accounting_storage/slurmdbd\n" +
    "AccountingStorageEnforce = associations,limits,qos\nSLURM_VERSION           = 22.05.8\n";
  const partition =
    "PartitionName=low Default=YES QoS=N/A DefaultTime=NONE MaxTime=01:00:00 State=UP MaxMemPerNode=UNLIMITED\n";
  const both =
    `case "$2" in config) printf '%s' '${config}';; *) printf '%s' '${partition}';; esac`;
  const programs = {
    scontrol: { does: both },
    sinfo: { out: "low|8|8000|2|(null)\n" },
    squeue: { out: "9_1\n9_2\n10\n" },
    id: { out: "alice\n" },
    sacctmgr: {
      does: `case "$4" in assoc) echo 'lab||tight|||00:30:00';; *) echo 'tight|5|||';; esac`,
    },
  };
  const { scheduler, set } = bench(t, programs);
  const limits = await scheduler.limits({ partition: "low" });
  assert.equal(limits.maxArraySize, 20001);
  assert.equal(limits.maxSubmit, 5);
  assert.equal(limits.submittedNow, 3);
  assert.equal(limits.maxTimeSeconds, 1800);
  assert.equal(limits.maxMemoryMiB, 8000);
  assert.equal(limits.maxCpusPerNode, 8);
  assert.equal(limits.accounting, true);
  set({ sacctmgr: { code: 1 } });
  assert.equal((await scheduler.limits()).maxSubmit, 49_999);
  set({ scontrol: { code: 1, err: "Unable to contact slurm controller\n" } });
  await assert.rejects(scheduler.limits(), { name: "SchedulerError", kind: "unreachable" });
});
