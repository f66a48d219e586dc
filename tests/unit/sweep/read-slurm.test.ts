import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOf, noticesOf, read, refuses, REST } from "../../support/reading.ts";

function slurm(text: string) {
  return read(`slurm: ${text}${REST}`).slurm;
}

function extra(arg: string): string {
  return `slurm: {extra_args: [${JSON.stringify(arg)}]}${REST}`;
}

test("every field of slurm is read", () => {
  assert.deepEqual(
    slurm(`
  partition: gpu,cpu
  account: lab-1
  qos: normal
  constraint: "[a100|h100]&ib"
  nodes: 1-4
  ntasks: 8
  cpus_per_task: 4
  mem: 1500MB
  time: 1-12:00:00
  gres: gpu:a100:2
  gpus: a100:2
  exclude: [n1, "n[3-5]"]
  requeue: true
  mail: {user: me@site.org, type: [end, fail]}
  max_concurrent: 10
  signal: SIGUSR1@120
  export: [HF_HOME, WANDB_MODE, HF_HOME]
  host: ana@login.example.org:2222
  path: ~/sweeps/one/
  extra_args: ["--reservation=x", " --exclusive "]`),
    {
      partition: "gpu,cpu",
      account: "lab-1",
      qos: "normal",
      constraint: "[a100|h100]&ib",
      nodes: "1-4",
      ntasks: 8,
      cpusPerTask: 4,
      memoryMiB: 1500,
      timeSeconds: 129_600,
      gres: "gpu:a100:2",
      gpus: "a100:2",
      exclude: "n1,n[3-5]",
      requeue: true,
      mailUser: "me@site.org",
      mailType: "END,FAIL",
      maxConcurrent: 10,
      signal: { name: "USR1", seconds: 120 },
      export: ["HF_HOME", "WANDB_MODE"],
      host: "ana@login.example.org:2222",
      path: "~/sweeps/one",
      extraArgs: ["--reservation=x", "--exclusive"],
    },
  );
});

test("a host is one word that ssh takes for no option, a folder leads nowhere else", () => {
  refuses([
    ["slurm: {host: -oProxyCommand=x}", "1:15 Cannot read slurm.host: found"],
    ["slurm: {host: a b}", '1:15 Cannot read slurm.host: found "a b", expected a host that ssh'],
    ["slurm: {host: [a]}", "1:15 Cannot read slurm.host: found a list"],
    ["slurm: {path: ../other}", '1:15 Cannot read slurm.path: found "../other", expected a folder'],
    ["slurm: {path: ~ben/x}", "1:15 Cannot read slurm.path: found"],
    ["slurm: {path: /}", "1:15 Cannot read slurm.path: found"],
    ['slurm: {path: "a\\nb"}', "1:15 Cannot read slurm.path: found"],
  ]);
});

test("G.1.10: time and memory mean the same with and without quotes", () => {
  const table: readonly [string, number | null][] = [
    ["10:00:00", 36_000],
    ["01:00:00", 3600],
    ["90", 5400],
    ["1:30", 120],
    ["1-12", 129_600],
    ["UNLIMITED", null],
  ];
  for (const [time, seconds] of table) {
    assert.equal(slurm(`{time: ${time}}`).timeSeconds, seconds, time);
    assert.equal(slurm(`{time: "${time}"}`).timeSeconds, seconds, time);
    assert.deepEqual(noticesOf(`slurm: {time: ${time}}${REST}`), []);
  }
  for (const [memory, mib] of [["8000", 8000], ["0", 0], ["2T", 2_097_152]] as const) {
    assert.equal(slurm(`{mem: ${memory}}`).memoryMiB, mib);
    assert.equal(slurm(`{mem: "${memory}"}`).memoryMiB, mib);
  }
  refuses([
    [
      "slurm: {time: 2h}",
      '1:15 Cannot read slurm.time: found "2h", expected 90 (minutes), "MM:SS"',
    ],
    ["slurm: {time: 1.5}", "1:15 Cannot read slurm.time: found 1.5, expected 90 (minutes)"],
    ["slurm: {time: [1]}", "1:15 Cannot read slurm.time: found a list"],
    ["slurm: {mem: 8X}", '1:14 Cannot read slurm.mem: found "8X", expected 8000 (mebibytes)'],
    ["slurm: {mem: -1}", "1:14 Cannot read slurm.mem: found -1, expected 8000 (mebibytes)"],
  ]);
});

test("a text for SLURM is one word that opens nothing else", () => {
  for (const key of ["partition", "account", "qos", "constraint", "gres", "exclude"]) {
    const column = 11 + key.length;
    for (
      const hostile of [
        "a b",
        "a\n#SBATCH --wrap=x",
        "-p",
        "--wrap=x",
        "a'b",
        'a"b',
        "a\\b",
        "a#b",
        "a\u0000",
      ]
    ) {
      const text = `slurm: {${key}: ${JSON.stringify(hostile)}}`;
      refuses([[text, `1:${column} Cannot read slurm.${key}: found `]]);
    }
  }
});

test("numbers and counts of slurm are checked", () => {
  refuses([
    ["slurm: {max_concurrent: 0}", "1:25 Cannot read slurm.max_concurrent: found 0, expected a w"],
    ["slurm: {cpus_per_task: 1.5}", "1:24 Cannot read slurm.cpus_per_task: found 1.5"],
    ["slurm: {ntasks: many}", '1:17 Cannot read slurm.ntasks: found "many"'],
    ["slurm: {nodes: 0}", "1:16 Cannot read slurm.nodes: found 0"],
    ["slurm: {nodes: 4-1}", '1:16 Cannot read slurm.nodes: found "4-1"'],
    ["slurm: {gpus: 0}", "1:15 Cannot read slurm.gpus: found 0"],
    ["slurm: {gpus: a100}", '1:15 Cannot read slurm.gpus: found "a100"'],
    ["slurm: {requeue: maybe}", '1:18 Cannot read slurm.requeue: found "maybe", expected true or'],
    ["slurm: {exclude: []}", "1:18 Cannot read slurm.exclude: found an empty list"],
    ["slurm: {cpu_per_task: 1}", '1:9 Unknown key "cpu_per_task" in slurm, allowed are partition'],
    ["slurm: 3", "1:8 Cannot read slurm: found 3, expected a mapping"],
  ]);
  assert.equal(slurm("{nodes: 2}").nodes, "2");
  assert.equal(slurm("{nodes: 2-2}").nodes, "2");
  assert.equal(slurm("{gpus: 4}").gpus, "4");
  assert.equal(slurm("{requeue: no}").requeue, false);
});

test("mail is an address, a type or both", () => {
  assert.deepEqual([slurm("{mail: a@b.c}").mailUser, slurm("{mail: a@b.c}").mailType], [
    "a@b.c",
    "END,FAIL",
  ]);
  assert.equal(slurm("{mail: {type: ALL}}").mailUser, undefined);
  assert.equal(
    slurm("{mail: {user: me, type: 'BEGIN, TIME_LIMIT_90'}}").mailType,
    "BEGIN,TIME_LIMIT_90",
  );
  refuses([
    ["slurm: {mail: a b}", '1:15 Cannot read slurm.mail: found "a b"'],
    ["slurm: {mail: {}}", '1:9 Missing key "user" in slurm.mail'],
    ["slurm: {mail: {type: OFTEN}}", '1:22 Cannot read slurm.mail.type: found "OFTEN"'],
    ["slurm: {mail: {to: me}}", '1:9 Missing key "user" in slurm.mail', '1:16 Unknown key "to"'],
  ]);
});

test("signal is a name that a trainer can catch, and seconds before the limit", () => {
  assert.deepEqual(slurm("{signal: TERM}").signal, { name: "TERM", seconds: 60 });
  refuses([
    ["slurm: {signal: KILL@60}", '1:17 Cannot read slurm.signal: found "KILL@60"'],
    ["slurm: {signal: USR1@0}", '1:17 Cannot read slurm.signal: found "USR1@0"'],
    ["slurm: {signal: USR1@99999}", '1:17 Cannot read slurm.signal: found "USR1@99999"'],
    ["slurm: {signal: B:USR1@60}", '1:17 Cannot read slurm.signal: found "B:USR1@60"'],
    [
      "slurm: {signal: USR1@600, time: 10}",
      '1:17 Cannot read slurm.signal: found "USR1@600", expec',
    ],
  ]);
});

test("export lists names of variables and nothing else", () => {
  refuses([
    ["slurm: {export: [ALL]}", '1:18 Cannot export "ALL"'],
    ["slurm: {export: [A=1]}", '1:18 Cannot export "A=1"'],
    ["slurm: {export: HOME}", '1:17 Cannot read slurm.export: found "HOME", expected a list'],
  ]);
});

test("an extra argument that sets what herd owns is refused, however it is written", () => {
  const owned = [
    "--array=0-3",
    "--arr=0-3",
    "-a 0-3",
    "-a0-3",
    "--job-name=x",
    "--job-name x",
    "-J x",
    "-Jx",
    "-HJ x",
    "--output=x",
    "-o x",
    "--error=x",
    "--err x",
    "-e x",
    "--parsable",
    "--wrap=x",
    "--export=ALL",
    "--export-file=x",
    "--open-mode=truncate",
    "--chdir=/",
    "-D /",
    "-D/",
    "--dependency=afterok:1",
    "-d afterok:1",
    "--wait",
    "-W",
    "--test-only",
    "--clusters=all",
    "-M all",
    "--reservation=x --array=1",
    '--reservation=x "--array=1"',
    "--help",
    "-V",
  ];
  for (const arg of owned) {
    refuses([[extra(arg).replace(REST, ""), "1:22 Cannot pass "]]);
  }
});

test("an extra argument is one line that begins with a hyphen", () => {
  for (
    const arg of ["reservation=x", "", "#SBATCH -x", "-", "--", "$(id)", "--a\n--b", "--a\u0000"]
  ) {
    refuses([[extra(arg).replace(REST, ""), "1:22 Cannot read slurm.extra_args[0]: found "]]);
  }
  const fine = [
    "--account=x",
    "-A x",
    "--qos=x",
    "--exclusive",
    "--exclude=n1",
    "--wait-all-nodes=1",
    "-H",
    "--hint=nomultithread",
    "--comment=x",
    "--nice=100",
    "-C a100",
    "--mem-per-cpu=4G",
    "--verbose",
  ];
  for (const arg of fine) {
    assert.deepEqual(read(extra(arg)).slurm.extraArgs, [arg]);
    assert.deepEqual(noticesOf(extra(arg)), [], arg);
  }
});

test("an extra argument that herd has a field for is told", () => {
  for (
    const [arg, field] of [["--time=3", "time"], ["-t 3", "time"], ["--mem=3G", "mem"], [
      "-p x",
      "partition",
    ]] as const
  ) {
    assert.match(noticesOf(extra(arg))[0]!, new RegExp(`^1:22 Found .* write it as "${field}"`));
  }
});

test("extra_args that sbatch would split are refused, with how to quote them", () => {
  for (
    const arg of [
      "--comment=hello world",
      "--reservation=a b",
      "-wnode1 node2",
      "--exclusive user",
      "--nice 5",
      "-H x",
      "--comment 'a b' c",
    ]
  ) {
    const error = errorOf(extra(arg));
    assert.match(error.message, /to sbatch: it takes "\w+" for an option of its own/, arg);
    assert.match(error.hint ?? "", /Put quotes inside/);
  }
  assert.match(errorOf(extra("--comment='a")).message, /expected as many closing quotes/);
  for (
    const arg of [
      '--comment="hello world"',
      "--comment='hello world' --exclusive",
      "--reservation course",
      "-w node1 --exclusive",
      "--comment=hello\\ world",
      "--exclusive # the whole node",
    ]
  ) {
    assert.deepEqual(read(extra(arg)).slurm.extraArgs, [arg]);
  }
});
