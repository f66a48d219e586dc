import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import {
  logPattern,
  makeScript,
  makeTable,
  type ScriptInput,
  type TableRow,
} from "../../../lib/schedulers/script.ts";
import type { Resources } from "../../../lib/sweep/config.ts";
import { parseRecord } from "../../../lib/sweep/record.ts";
import type { JobRecord } from "../../../lib/sweep/sighting.ts";
import { removeTree } from "../../support/remove-tree.ts";

const GOLDEN = new URL("../../fixtures/slurm-22.05/job.sbatch", import.meta.url);

const RESOURCES: Resources = {
  partition: "short",
  account: undefined,
  qos: undefined,
  constraint: undefined,
  nodes: undefined,
  ntasks: undefined,
  cpusPerTask: 1,
  memoryMiB: 100,
  timeSeconds: 3600,
  gres: undefined,
  gpus: undefined,
  exclude: undefined,
  requeue: undefined,
  mailUser: undefined,
  mailType: undefined,
  extraArgs: [],
};

function inputFor(workspace: string, change: Partial<ScriptInput> = {}): ScriptInput {
  return {
    sweepName: "digits",
    submission: "n0nce",
    jobName: "digits-n0nce",
    workspace,
    launcher: "launch.sh",
    table: `${workspace}/table.tsv`,
    firstTask: 0,
    tasks: [0],
    maxConcurrent: undefined,
    eventsDir: `${workspace}/events`,
    voidMarker: `${workspace}/void`,
    logsDir: `${workspace}/logs`,
    output: logPattern("/data/my sweep/logs", "%a.out"),
    error: logPattern("/data/my sweep/logs", "%a.err"),
    herd: "/opt/herd",
    resources: RESOURCES,
    signal: undefined,
    ...change,
  };
}

const ROW: TableRow = {
  task: 0,
  trial: 0,
  attempt: 1,
  log: undefined,
  experimentName: "lr-1",
  tokens: ["experiment_name=lr-1", "lr=1"],
};

interface Bench {
  folder: string;
  start(task: number, environment?: Record<string, string>): Run;
  record(task: number): JobRecord;
}

interface Run {
  child: ChildProcess;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** A workspace in a temp folder with a launcher, run through the real bash. */
function bench(
  t: { after(fn: () => void): void },
  options: {
    launcher?: string;
    rows?: TableRow[];
    input?: Partial<ScriptInput>;
    folderName?: string;
  },
): Bench {
  const top = mkdtempSync(join(tmpdir(), "herd-script-"));
  t.after(() => {
    chmodSync(top, 0o755);
    removeTree(top);
  });
  const folder = join(top, options.folderName ?? "ws");
  for (const each of ["events", "logs"]) mkdirSync(join(folder, each), { recursive: true });
  const rows = options.rows ?? [ROW];
  writeFileSync(join(folder, "table.tsv"), makeTable(rows));
  writeFileSync(join(folder, "launch.sh"), options.launcher ?? "exit 0\n");
  const tasks = rows.map((row) => row.task);
  const input = inputFor(folder, { firstTask: tasks[0]!, tasks, ...options.input });
  writeFileSync(join(folder, "job.sbatch"), makeScript(input));
  return {
    folder,
    start(task, environment = {}) {
      const child = spawn("bash", [join(folder, "job.sbatch")], {
        cwd: "/",
        env: { PATH: process.env.PATH!, HERD_TASK: `${task}`, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
      });
      t.after(() => killTree(child.pid!));
      const text = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (chunk) => text.stdout += chunk);
      child.stderr.setEncoding("utf8").on("data", (chunk) => text.stderr += chunk);
      const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((done) =>
        child.on("close", (code) => done({ code, ...text }))
      );
      return { child, ended };
    },
    record(task) {
      const path = join(folder, "events", `${task}.tsv`);
      return parseRecord(readFileSync(path, "utf8"), { submission: "n0nce", task, aliveAt: 0 });
    },
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds();) {
    if (Date.now() > deadline) throw new Error(`Never seen: ${what}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}

function seen(path: string, text: string): () => boolean {
  return () => existsSync(path) && readFileSync(path, "utf8").includes(text);
}

test("the script is the golden one, header and body", () => {
  const script = makeScript(inputFor("/data/my sweep", {
    tasks: [0, 1, 2, 7],
    maxConcurrent: 5,
    signal: { name: "USR1", seconds: 120 },
    resources: {
      ...RESOURCES,
      account: "lab",
      qos: "high",
      constraint: "a100&ib",
      nodes: "1-4",
      ntasks: 2,
      memoryMiB: 8192,
      timeSeconds: null,
      gres: "gpu:2",
      gpus: "a100:1",
      exclude: "n[1-3]",
      requeue: false,
      mailUser: "a@b.org",
      mailType: "END,FAIL",
      extraArgs: ["--exclusive=user", "--hint=nomultithread"],
    },
  }));
  if (process.env.HERD_UPDATE_GOLDEN) writeFileSync(GOLDEN, script);
  assert.equal(script, readFileSync(GOLDEN, "utf8"));
});

test("G.2.18: the script does not grow with the number of trials and stays under 8 KB", () => {
  const sparse = Array.from({ length: 10_000 }, (_, i) => 2 * i);
  const one = makeScript(inputFor("/ws"));
  const dense = makeScript(inputFor("/ws", { tasks: sparse.map((_, i) => i) }));
  assert.ok(one.length < 8192, `${one.length}`);
  assert.ok(dense.length - one.length < 10, `${dense.length}`);
  assert.ok(makeScript(inputFor("/ws", { tasks: sparse })).length < 8192);
});

test("memory 0 asks for all of a node's memory and whole minutes are rounded up", () => {
  const resources = { ...RESOURCES, memoryMiB: 0, timeSeconds: 61, requeue: true };
  const script = makeScript(inputFor("/ws", { resources }));
  assert.match(script, /^#SBATCH --mem=0$/m);
  assert.match(script, /^#SBATCH --time=2$/m);
  assert.match(script, /^#SBATCH --requeue$/m);
  assert.doesNotMatch(script, /--signal/);
});

test("G.1.15: a line break cannot inject a directive", () => {
  const bad: Partial<ScriptInput>[] = [
    { jobName: "x\n#SBATCH --mem=1" },
    { workspace: "/a\nb" },
    { resources: { ...RESOURCES, extraArgs: ["--x\ntouch /tmp/evil"] } },
    { resources: { ...RESOURCES, partition: "a\rb" } },
    { signal: { name: "USR1\ntrue", seconds: 1 } },
    { sweepName: "a\0b" },
  ];
  for (const change of bad) {
    assert.throws(() => makeScript(inputFor("/ws", change)), UserError, JSON.stringify(change));
  }
});

test("a folder that SLURM cannot expand %a in is refused, a percent sign is doubled", () => {
  assert.throws(() => logPattern("/a\\b", "%a.out"), UserError);
  assert.throws(() => logPattern("/a\nb", "%a.out"), UserError);
  assert.equal(logPattern("/a%b", "%a.out"), "/a%%b/%a.out");
});

test("G.1.15: hostile tokens, names and paths reach the launcher byte for byte", async (t) => {
  const hostile = [
    "",
    " ",
    "a b",
    "tab\there",
    "line\nbreak\n",
    "\r\n",
    "back\\slash\\n\\t\\c\\0101",
    `quote'"\``,
    "$(touch /tmp/herd-evil) ; rm -rf x & | < > * ? [a] {b,c} ~ ! #",
    "${HOME} $1 %s %b %%",
    "ünïcödé ☃ 𝄞",
    "-n",
    "--",
    "x".repeat(4096),
    "trailing\\",
  ];
  const tokens = ["experiment_name=n", ...hostile.map((value, i) => `v${i}=${value}`), ...hostile];
  const { folder, start, record } = bench(t, {
    folderName: `we ird%a $x#'q"ü\\ $(touch evil)\nline`,
    launcher:
      `printf '%s\\0' "$#" "$1" "\${@:2}" "$PWD" "$HYPERHERD_WORKSPACE" "$HYPERHERD_TRIAL_NAME"` +
      ` "$HYPERHERD_SWEEP_NAME" >"$HYPERHERD_WORKSPACE/got"\n`,
    rows: [{ ...ROW, experimentName: "na\tme\n'", tokens }],
    input: { workspace: "/", sweepName: `s "w' $(x)` },
  });
  const script = readFileSync(join(folder, "job.sbatch"), "utf8");
  // The header refuses a line break in the workspace; the body by itself carries it.
  writeFileSync(
    join(folder, "job.sbatch"),
    script.replace("workspace=/\n", () => `workspace='${folder.replaceAll("'", `'\\''`)}'\n`),
  );
  const { code, stderr } = await start(0).ended;
  assert.equal(code, 0, stderr);
  const got = readFileSync(join(folder, "got"), "utf8").split("\0").slice(0, -1);
  assert.deepEqual(got, [
    `${tokens.length + 1}`,
    tokens.join(" "),
    ...tokens,
    folder,
    folder,
    "na\tme\n'",
    `s "w' $(x)`,
  ]);
  assert.equal(record(0).exitCode, 0);
  assert.deepEqual(readdirSync(folder).sort(), [
    "events",
    "got",
    "job.sbatch",
    "launch.sh",
    "logs",
    "table.tsv",
  ]);
});

test("a launcher that does not ask for the tokens is called with one argument, as HyperHerd does", async (t) => {
  const dump = 'printf "%s\\n" "$#" "$@" "${2:-none}" >"$HYPERHERD_WORKSPACE/got"\n';
  const one = ["1", "experiment_name=lr-1 lr=1", "none"];
  const all = ["3", "experiment_name=lr-1 lr=1", "experiment_name=lr-1", "lr=1"];
  const cases: [string | Uint8Array, string[]][] = [
    [dump, one],
    [`: $* $@\n${dump}`, one],
    [dump.slice(0, -1), one],
    [`${dump}: "\${@:2}"`, [...all, "experiment_name=lr-1"]],
    // Text that is no text in any locale.
    [Buffer.concat([Buffer.from([35, 0xff, 0xfe, 10]), Buffer.from(dump)]), one],
    [
      Buffer.concat([Buffer.from([35, 0xff, 0xfe, 10]), Buffer.from(`: \${@:2}\n${dump}`)]),
      [...all, "experiment_name=lr-1"],
    ],
    [`${"# long\n".repeat(20_000)}${dump}true "\${@:2}"\n`, [...all, "experiment_name=lr-1"]],
  ];
  for (const [launcher, expected] of cases) {
    const { folder, start } = bench(t, {});
    writeFileSync(join(folder, "launch.sh"), launcher);
    const { code, stderr } = await start(0, { LC_ALL: "C.UTF-8" }).ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(readFileSync(join(folder, "got"), "utf8").split("\n").slice(0, -1), expected);
  }
});

test("the trainer sees HyperHerd's variables and herd's, and none of the script's own", async (t) => {
  const { folder, start } = bench(t, {
    launcher: "env -0 >env.txt\nls /proc/self/fd >fds.txt\n",
    rows: [{ ...ROW, task: 5, trial: 1005, attempt: 3 }],
  });
  assert.equal((await start(5, { HERD_RESTART: "2" }).ended).code, 0);
  const lines = readFileSync(join(folder, "env.txt"), "utf8").split("\0");
  const names = lines.filter((line) => /^(HYPER)?HERD_/.test(line)).sort();
  assert.deepEqual(names, [
    "HERD_ATTEMPT=3",
    "HERD_BIN=/opt/herd",
    "HERD_RESTART=2",
    "HYPERHERD_EXPERIMENT_NAME=lr-1",
    "HYPERHERD_SWEEP_NAME=digits",
    "HYPERHERD_TRIAL_ID=1005",
    "HYPERHERD_TRIAL_NAME=lr-1",
    `HYPERHERD_WORKSPACE=${folder}`,
  ]);
  // No pipe of the wrapper's leaks: the same files are open as in a plain child of this process.
  const plain = spawn("bash", ["-c", `ls /proc/self/fd >"$0"`, join(folder, "plain.txt")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  await new Promise((done) => plain.on("close", done));
  assert.equal(
    readFileSync(join(folder, "fds.txt"), "utf8"),
    readFileSync(join(folder, "plain.txt"), "utf8"),
  );
});

test("each task finds its line, gaps in the table are unknown tasks", async (t) => {
  const rows = [3, 4, 9].map((task) => ({
    ...ROW,
    task,
    trial: task + 100,
    tokens: [`t=${task}`],
  }));
  const { folder, start, record } = bench(t, {
    launcher: `echo "$1" >"got.$HYPERHERD_TRIAL_ID"\n`,
    rows,
  });
  assert.equal(readFileSync(join(folder, "table.tsv"), "utf8").split("\n").length, 8);
  for (const task of [3, 4, 9]) {
    assert.equal((await start(task).ended).code, 0);
    assert.equal(readFileSync(join(folder, `got.${task + 100}`), "utf8"), `t=${task}\n`);
  }
  for (const task of [0, 5, 10]) {
    const { code, stderr } = await start(task).ended;
    assert.equal(code, 1);
    assert.match(stderr, /is not in the table of trials/);
    assert.equal(record(task).exitCode, 1);
  }
});

test("a run leaves a whole record: start, true exit code, end", async (t) => {
  for (const code of [0, 3, 127, 128, 137, 255]) {
    const { start, record } = bench(t, { launcher: `exit ${code}\n` });
    const before = Date.now();
    const { code: ended, stdout, stderr } = await start(0).ended;
    assert.equal(ended, code);
    const { startedAt, endedAt, exitCode, node, restart } = record(0);
    assert.equal(exitCode, code);
    assert.ok(startedAt! >= before - 1 && endedAt! >= startedAt! && endedAt! <= Date.now() + 1);
    assert.equal(restart, 0);
    assert.ok(node);
    for (const text of [stdout, stderr]) {
      assert.match(
        text,
        /^===== herd: trial 0, attempt 1, job local_0, restart 0, node \S+, \d{4}-\d\d-\d\dT[\d:]{8}[+-]\d{4} =====$/m,
      );
    }
  }
});

test("times are written with a point whatever the locale, and without EPOCHREALTIME too", async (t) => {
  const { folder, start, record } = bench(t, {});
  const script = readFileSync(join(folder, "job.sbatch"), "utf8");
  for (const clock of ["1795195420,250000", "1795195420\u066b250000"]) {
    writeFileSync(
      join(folder, "job.sbatch"),
      script.replace("t=$EPOCHREALTIME", () => `t=${clock}`),
    );
    await start(0, { LC_ALL: "C.UTF-8" }).ended;
    assert.equal(record(0).startedAt, 1795195420250);
  }
  writeFileSync(join(folder, "job.sbatch"), script.replace("t=$EPOCHREALTIME", "t="));
  const before = Date.now();
  await start(0).ended;
  assert.ok(record(0).startedAt! >= before - 1);
});

test("under SLURM the array's id, the task and the restart count are taken from it", async (t) => {
  const { start, record, folder } = bench(t, {});
  const slurm = {
    SLURM_ARRAY_JOB_ID: "77",
    SLURM_ARRAY_TASK_ID: "0",
    SLURM_JOB_ID: "80",
    SLURM_RESTART_COUNT: "2",
    SLURMD_NODENAME: "n42",
  };
  const { stdout } = await start(0, { HERD_TASK: "", ...slurm }).ended;
  assert.match(stdout, /job 77_0, restart 2, node n42,/);
  assert.equal(record(0).restart, 2);
  assert.equal(record(0).node, "n42");
  assert.match(
    readFileSync(join(folder, "events", "0.tsv"), "utf8"),
    /\t77_0\t2\tstart\thost=n42\tpid=\d+\t\.\n/,
  );
});

/** The script, looking at control groups of a file's making instead of the system's. */
function withGroups(folder: string, groups: string, files: Readonly<Record<string, string>>): void {
  writeFileSync(join(folder, "groups"), groups);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, "fs", name, ".."), { recursive: true });
    writeFileSync(join(folder, "fs", name), text);
  }
  const script = readFileSync(join(folder, "job.sbatch"), "utf8")
    .replaceAll("/proc/self/cgroup", join(folder, "groups"))
    .replaceAll("/sys/fs/cgroup", join(folder, "fs"));
  writeFileSync(join(folder, "job.sbatch"), script);
}

const UNDER_SLURM = {
  HERD_TASK: "",
  SLURM_ARRAY_JOB_ID: "77",
  SLURM_ARRAY_TASK_ID: "0",
  SLURM_JOB_ID: "80",
};

test("the peak of the job's own control group is told with its end", async (t) => {
  const cases = [
    {
      groups: "9:name=systemd:/\n4:memory:/slurm_n1/uid_0/job_80/step_batch/task_0\n0::/\n",
      file: "memory/slurm_n1/uid_0/job_80/memory.max_usage_in_bytes",
    },
    {
      groups: "5:cpu,memory:/slurm/uid_0/job_80\n",
      file: "memory/slurm/uid_0/job_80/memory.max_usage_in_bytes",
    },
    {
      groups: "0::/system.slice/slurmstepd.scope/job_80/step_batch/user/task_0\n",
      file: "system.slice/slurmstepd.scope/job_80/memory.peak",
    },
  ];
  for (const { groups, file } of cases) {
    const { folder, start, record } = bench(t, { launcher: "exit 3\n" });
    withGroups(folder, groups, { [file]: "104857600\n" });
    const { code, stderr } = await start(0, UNDER_SLURM).ended;
    assert.equal(code, 3, stderr);
    assert.equal(record(0).peakBytes, 104857600, groups);
    assert.equal(record(0).exitCode, 3);
    const text = readFileSync(join(folder, "events", "0.tsv"), "utf8");
    assert.equal(text.match(/\trc=3\tpeak=104857600\t\.\n/g)?.length, 2, text);
    assert.doesNotMatch(stderr, /memory/);
  }
});

test("no peak is told of a group that is not the job's own, or where there is none", async (t) => {
  const own = "4:memory:/slurm_n1/uid_0/job_80/step_batch\n";
  const file = "memory/slurm_n1/uid_0/job_80/memory.max_usage_in_bytes";
  const cases: [string, Record<string, string>, Record<string, string>][] = [
    ["4:memory:/user.slice\n", { "memory/user.slice/memory.max_usage_in_bytes": "5\n" }, {}],
    [own.replace("job_80", "job_8"), { [file.replace("job_80", "job_8")]: "5\n" }, {}],
    [own, {}, {}],
    [own, { [file]: "max\n" }, {}],
    [own, { [file]: "" }, {}],
    // The local scheduler's trials in somebody's allocation.
    [own, { [file]: "5\n" }, { HERD_TASK: "0" }],
    [own.replace("job_80", "job_"), { [file.replace("job_80", "job_")]: "5\n" }, {
      SLURM_JOB_ID: "",
    }],
  ];
  for (const [groups, files, environment] of cases) {
    const { folder, start, record } = bench(t, { launcher: "exit 3\n" });
    withGroups(folder, groups, files);
    const { code, stderr } = await start(0, { ...UNDER_SLURM, ...environment }).ended;
    assert.equal(code, 3, stderr);
    assert.equal(record(0).exitCode, 3);
    assert.equal("peakBytes" in record(0), false, groups);
    assert.doesNotMatch(stderr, /memory|groups|No such file/);
  }
});

test("outside an array it runs nothing and says so", async (t) => {
  const { start, folder } = bench(t, {});
  for (const task of ["", "x", "-1", "007", "1;2"]) {
    const { code, stderr } = await start(0, { HERD_TASK: task }).ended;
    assert.equal(code, 1);
    assert.match(stderr, /one task of a job array/);
  }
  assert.deepEqual(readdirSync(join(folder, "events")), []);
});

test("a submission that was given up runs nothing when it arrives after all", async (t) => {
  const { folder, start, record } = bench(t, { launcher: "touch ran\n" });
  writeFileSync(join(folder, "void"), "");
  const { code } = await start(0).ended;
  assert.equal(code, 75, "an end that is seen before its record is no success");
  assert.equal(existsSync(join(folder, "ran")), false);
  assert.equal(record(0).voided, true);
  assert.equal(record(0).startedAt, undefined);
});

test("a missing workspace, launcher or table is said and ends with 127", async (t) => {
  const cases: { input?: Partial<ScriptInput>; says: RegExp; remove?: string }[] = [
    {
      input: { workspace: "/nowhere/at all" },
      says: /Cannot enter the workspace "\/nowhere\/at all"/,
    },
    { input: { launcher: "no.sh" }, says: /Cannot read the launcher "no\.sh"/ },
    { remove: "table.tsv", says: /Cannot read the table of trials .*table\.tsv"/ },
  ];
  for (const { input, says, remove } of cases) {
    const { folder, start, record } = bench(t, input ? { input } : {});
    if (remove) rmSync(join(folder, remove));
    const { code, stderr } = await start(0).ended;
    assert.equal(code, 127);
    assert.match(stderr, says);
    assert.equal(record(0).exitCode, 127);
    assert.ok(record(0).endedAt);
  }
});

test("a record that cannot be written does not stop the trial", async (t) => {
  const { folder, start } = bench(t, {
    launcher: "touch ran\nexit 5\n",
    input: { eventsDir: "/proc/nowhere" },
  });
  const { code, stderr } = await start(0).ended;
  assert.equal(code, 5);
  assert.ok(existsSync(join(folder, "ran")));
  assert.doesNotMatch(stderr, /proc\/nowhere/);
});

test("a torn record is closed by the next run", async (t) => {
  const { folder, start, record } = bench(t, { launcher: "exit 4\n" });
  writeFileSync(join(folder, "events", "0.tsv"), "1795195420.1\tlocal_0\t0\tdone\trc=1");
  await start(0).ended;
  assert.equal(record(0).exitCode, 4);
  assert.ok(record(0).startedAt);
});

test("G.2.19: logs of a shifted task are found under the trial's own number", async (t) => {
  const rows = [{ ...ROW, task: 5, trial: 1005, log: "1005" }];
  const { folder } = bench(t, { rows });
  const logs = join(folder, "logs");
  writeFileSync(join(logs, "1005.out"), "an older attempt\n");
  const script = join(folder, "job.sbatch");
  const shell = `exec bash '${script}' >>'${logs}/n.5.out' 2>>'${logs}/n.5.err'`;
  for (let run = 0; run < 2; run++) {
    const child = spawn("bash", ["-c", shell], {
      env: { PATH: process.env.PATH!, HERD_TASK: "5" },
    });
    await new Promise((done) => child.on("close", done));
  }
  assert.equal(readlinkSync(join(logs, "1005.out")), "n.5.out");
  assert.equal(readlinkSync(join(logs, "1005.err")), "n.5.err");
  assert.match(readFileSync(join(logs, "1005.out"), "utf8"), /(.*trial 1005.*\n){2}/);
  assert.equal(readFileSync(join(logs, "1005.out.before-n0nce"), "utf8"), "an older attempt\n");
  assert.ok(lstatSync(join(logs, "1005.out")).isSymbolicLink());
});

test("a trainer under a plain bash launcher gets TERM, saves, and its own code comes through", async (t) => {
  const { folder, start, record } = bench(t, {
    launcher: `bash "$HYPERHERD_WORKSPACE/trainer.sh"\ncode=$?\necho after >after\nexit $code\n`,
  });
  writeFileSync(
    join(folder, "trainer.sh"),
    `trap 'echo saved >saved; exit 42' TERM\necho ready >ready\nwhile :; do read -t 0.05 <> <(:); done\n`,
  );
  const { child, ended } = start(0);
  await until("ready", seen(join(folder, "ready"), "ready"));
  process.kill(child.pid!, "SIGTERM");
  assert.equal((await ended).code, 42);
  assert.equal(readFileSync(join(folder, "saved"), "utf8"), "saved\n");
  assert.ok(existsSync(join(folder, "after")));
  assert.deepEqual(record(0).signals, ["TERM"]);
  assert.equal(record(0).exitCode, 42);
});

test("a trainer that does not catch TERM is ended by it, with the code that says so", async (t) => {
  for (
    const launcher of [
      "sleep 300 & echo ready >ready; wait $!\n",
      "echo ready >ready\nexec sleep 300\n",
    ]
  ) {
    const { folder, start, record } = bench(t, { launcher });
    const { child, ended } = start(0);
    await until("ready", seen(join(folder, "ready"), "ready"));
    process.kill(child.pid!, "SIGTERM");
    assert.equal((await ended).code, 143);
    assert.equal(record(0).exitCode, 143);
  }
});

test("a launcher that ends in the moment in which its script is told to end is never waited for in vain", async (t) => {
  // As SLURM does it: all processes of a job are told, one right after the other.
  const { folder, start, record } = bench(t, {
    launcher: "trap 'exit 143' TERM\necho $$ >ready\nwhile :; do sleep 0.01; done\n",
  });
  const ready = join(folder, "ready");
  for (let round = 0; round < 40; round++) {
    const { child, ended } = start(0);
    await until("ready", () => existsSync(ready) && readFileSync(ready, "utf8").endsWith("\n"));
    const launcher = Number(readFileSync(ready, "utf8"));
    const told = [launcher, ...childrenOf(launcher)];
    for (const pid of told) if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGTERM");
    // The window in which bash loses a child is narrow, so it is looked for in several places.
    const end = performance.now() + (round % 20) / 10;
    while (performance.now() < end);
    process.kill(child.pid!, "SIGTERM");
    let timer: ReturnType<typeof setTimeout>;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Round ${round} hangs`)), 15_000);
    });
    assert.equal((await Promise.race([ended, late]).finally(() => clearTimeout(timer))).code, 143);
    assert.equal(record(0).exitCode, 143);
    rmSync(ready);
  }
});

test("USR1, USR2 and HUP reach who catches them and kill nobody else", async (t) => {
  const { folder, start, record } = bench(t, {
    launcher: `sleep 300 & bash "$HYPERHERD_WORKSPACE/trainer.sh"\ncode=$?\nkill $!\nexit $code\n`,
  });
  writeFileSync(
    join(folder, "trainer.sh"),
    `for s in USR1 USR2 HUP; do trap "echo $s >>got; n=\\$((n + 1))" $s; done\n` +
      `echo ready >ready\nwhile [ "\${n:-0}" -lt 3 ]; do read -t 0.05 <> <(:); done\nexit 7\n`,
  );
  const { child, ended } = start(0);
  await until("ready", seen(join(folder, "ready"), "ready"));
  for (const signal of ["USR1", "USR2", "HUP"] as const) {
    process.kill(child.pid!, `SIG${signal}`);
    await until(signal, seen(join(folder, "got"), signal));
  }
  assert.equal((await ended).code, 7);
  assert.deepEqual(record(0).signals, ["USR1", "USR2", "HUP"]);
});

test("another signal of the user's choice is passed on as well", async (t) => {
  const { folder, start, record } = bench(t, {
    launcher: `trap 'exit 9' QUIT\necho ready >ready\nwhile :; do read -t 0.05 <> <(:); done\n`,
    input: { signal: { name: "SIGQUIT", seconds: 60 } },
  });
  assert.match(readFileSync(join(folder, "job.sbatch"), "utf8"), /^#SBATCH --signal="?B:QUIT@60/m);
  const { child, ended } = start(0);
  await until("ready", seen(join(folder, "ready"), "ready"));
  process.kill(child.pid!, "SIGQUIT");
  assert.equal((await ended).code, 9);
  assert.deepEqual(record(0).signals, ["QUIT"]);
});

test("after TERM the script waits for the group, though the launcher is gone", async (t) => {
  const { folder, start, record } = bench(t, {
    launcher: `bash "$HYPERHERD_WORKSPACE/trainer.sh" &\ntrap 'exit 1' TERM\nwait\n`,
  });
  writeFileSync(
    join(folder, "trainer.sh"),
    `trap 'on=1' TERM\necho ready >ready\n` +
      `until [ -n "$on" ] && [ -e go ]; do read -t 0.05 <> <(:); done\necho saved >saved\n`,
  );
  const { child, ended } = start(0);
  await until("ready", seen(join(folder, "ready"), "ready"));
  process.kill(child.pid!, "SIGTERM");
  const events = join(folder, "events", "0.tsv");
  await until("the launcher's end", seen(events, "\tdone\trc=1\t"));
  assert.equal(record(0).exitCode, 1);
  assert.equal(record(0).endedAt, undefined);
  writeFileSync(join(folder, "go"), "");
  assert.equal((await ended).code, 1);
  assert.ok(existsSync(join(folder, "saved")));
  assert.ok(record(0).endedAt);
});

test("two signals in a row and one during the last moments do not change the code", async (t) => {
  const { folder, start, record } = bench(t, {
    launcher: `trap 'n=$((n + 1)); echo "$n" >>got' TERM USR1\necho ready >ready\n` +
      `while [ "\${n:-0}" -lt 2 ]; do read -t 0.05 <> <(:); done\nexit 11\n`,
  });
  const { child, ended } = start(0);
  await until("ready", seen(join(folder, "ready"), "ready"));
  process.kill(child.pid!, "SIGUSR1");
  await until("first", seen(join(folder, "got"), "1"));
  process.kill(child.pid!, "SIGTERM");
  assert.equal((await ended).code, 11);
  assert.equal(record(0).exitCode, 11);
});

test("a launcher that is stopped and continued keeps its code", async (t) => {
  const { folder, start } = bench(t, {
    launcher:
      `echo $$ >pid.new; mv pid.new pid\nuntil [ -e go ]; do read -t 0.05 <> <(:); done\nexit 6\n`,
  });
  const { ended } = start(0);
  await until("pid", () => existsSync(join(folder, "pid")));
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  process.kill(pid, "SIGSTOP");
  await until("stopped", () => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") T "));
  writeFileSync(join(folder, "go"), "");
  process.kill(pid, "SIGCONT");
  assert.equal((await ended).code, 6);
});

test("the heartbeat touches the record and is gone when the script is killed", async (t) => {
  const { folder, start } = bench(t, {
    launcher: "echo $$ >pid.new; mv pid.new pid\nexec sleep 300\n",
    input: { heartbeatSeconds: 1 },
  });
  const { child, ended } = start(0);
  const events = join(folder, "events", "0.tsv");
  await until("pid", () => existsSync(join(folder, "pid")));
  utimesSync(events, 1000, 1000);
  await until("a beat", () => statSync(events).mtimeMs > 1_000_000);
  const launcher = Number(readFileSync(join(folder, "pid"), "utf8"));
  const helpers = childrenOf(child.pid!).filter((pid) => pid !== launcher);
  assert.equal(helpers.length, 1);
  process.kill(child.pid!, "SIGKILL");
  await until("the helper's end", () => helpers.every((pid) => !existsSync(`/proc/${pid}`)));
  process.kill(launcher, "SIGKILL");
  await ended;
});

test("what the launcher left running does not hold the script, and is ended", async (t) => {
  const { folder, start } = bench(t, {
    launcher: "sleep 300 </dev/null >/dev/null 2>&1 &\necho $! >pid\nexit 3\n",
  });
  // Ten seconds for it to end by itself, shortened for the test.
  const script = readFileSync(join(folder, "job.sbatch"), "utf8");
  writeFileSync(join(folder, "job.sbatch"), script.replace("    20) kill", "    1) kill"));
  assert.equal((await start(0).ended).code, 3);
  const left = Number(readFileSync(join(folder, "pid"), "utf8"));
  assert.ok(
    !existsSync(`/proc/${left}`) || readFileSync(`/proc/${left}/stat`, "utf8").includes(") Z "),
  );
});

function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? (readFileSync(path, "utf8").match(/\d+/g) ?? []).map(Number) : [];
}

function killTree(pid: number): void {
  for (const child of childrenOf(pid)) killTree(child);
  if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGKILL");
}
