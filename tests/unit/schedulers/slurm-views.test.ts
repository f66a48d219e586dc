import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  parsePartitions,
  parseRules,
  parseSettings,
} from "../../../lib/schedulers/slurm/limits.ts";
import {
  parseBytes,
  parseDuration,
  parseRequestedMemory,
} from "../../../lib/schedulers/slurm/quantities.ts";
import { parseSacct, parseTaskList, sacctArgv } from "../../../lib/schedulers/slurm/sacct.ts";
import { parseSqueue } from "../../../lib/schedulers/slurm/squeue.ts";
import { keyOf } from "../../../lib/schedulers/slurm/task-key.ts";
import { taskKey } from "../../../lib/sweep/sighting.ts";

function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/slurm-22.05/${name}`, import.meta.url), "utf8");
}

function refs(jobId: string, ...tasks: number[]) {
  return tasks.map((task) => ({ jobId, task }));
}

test("the key of a task is the model's", () => {
  assert.equal(keyOf("9", 4), taskKey("9", 4));
});

test("squeue: every task of a real queue is seen with its true exit code", () => {
  const seen = parseSqueue(fixture("squeue.txt"));
  const facts = (task: number) => {
    const { state, exitCode, signal } = seen.get(`254_${task}`)!;
    return [state, exitCode, signal];
  };
  assert.deepEqual(facts(0), ["completed", 0, undefined]);
  assert.deepEqual(facts(1), ["failed", 3, undefined]);
  assert.deepEqual(facts(2), ["failed", 128, undefined]);
  assert.deepEqual(facts(3), ["failed", 137, undefined]);
  // A killed script has the reason JobLaunchFailure, like one that never started.
  assert.deepEqual(facts(4), ["failed", undefined, 9]);
  assert.deepEqual(facts(5), ["out-of-memory", undefined, undefined]);
  assert.equal(facts(6)[0], "cancelled");
  assert.equal(facts(7)[0], "pending");
  assert.deepEqual(facts(8).slice(0, 2), ["timeout", undefined]);
  const launch = seen.get("273_0")!;
  assert.deepEqual([launch.state, launch.exitCode, launch.signal], [
    "launch-failure",
    undefined,
    undefined,
  ]);
});

test("squeue: guesses of the future are not taken for facts", () => {
  const waiting = parseSqueue(fixture("squeue.txt")).get("254_7")!;
  assert.equal(waiting.startedAt, undefined);
  assert.equal(waiting.endedAt, undefined);
  assert.equal(waiting.restarts, 1);
  assert.equal(waiting.reason, "BeginTime");
  const line = "9|1|RUNNING|0|1795213867|1795217467|0|n1|None|x|\n";
  const running = parseSqueue(line).get("9_1")!;
  assert.equal(running.startedAt, 1795213867000);
  assert.equal(running.endedAt, undefined);
  assert.equal(running.reason, undefined);
});

test("squeue: a job name with separators and line breaks spoils no other row", () => {
  const seen = parseSqueue(fixture("squeue.txt"));
  assert.equal(seen.get("256_87")!.jobName, `hherdE_we|ird na"me`);
  assert.equal([...seen.keys()].filter((key) => key.startsWith("256_")).length, 31);
  const text =
    "9|1|RUNNING|0|1|1|0|n1|None|a\nb|\n9|2|RUNNING|0|1|1|0|n1|None|ok|\n12|N/A|RUNNING|0|1|1|0|n1|None|single|\n";
  assert.deepEqual([...parseSqueue(text).keys()], ["9_2"]);
});

test("squeue: a newer SLURM's code:signal form is read too", () => {
  assert.equal(
    parseSqueue("9|1|FAILED|0|1|1|137:0|n1|NonZeroExitCode|x|\n").get("9_1")!.exitCode,
    137,
  );
});

test("sacct: real rows give state, times and usage", () => {
  const seen = parseSacct(fixture("sacct.txt"), []);
  const done = seen.get("254_0")!;
  assert.equal(done.state, "completed");
  assert.equal(done.jobName, "hherdE_mix");
  assert.equal(done.startedAt, 1795213867000);
  assert.equal(done.endedAt, 1795213871000);
  assert.equal(done.node, "n1");
  assert.deepEqual(done.usage, {
    elapsedSeconds: 4,
    maxRssBytes: 70246400,
    aveRssBytes: 70246400,
    requestedMemoryBytes: 100 * 2 ** 20,
    cpuSeconds: 0.136,
    allocatedCpus: 1,
  });
  const states = [1, 2, 3, 4, 5, 6, 7, 8].map((task) => seen.get(`254_${task}`)!.state);
  assert.deepEqual(states, [
    "failed",
    "failed",
    "failed",
    "failed",
    "out-of-memory",
    "cancelled",
    "cancelled",
    "timeout",
  ]);
  assert.equal(seen.get("273_0")!.state, "launch-failure");
  assert.equal(seen.get("273_0")!.signal, undefined);
});

test("sacct: the codes that accounting folds to 0:0 are not called success", () => {
  const seen = parseSacct(fixture("sacct.txt"), []);
  assert.equal(seen.get("254_1")!.exitCode, 3);
  assert.equal(seen.get("254_2")!.exitCode, undefined);
  assert.equal(seen.get("254_4")!.signal, 9);
  assert.equal(seen.get("254_8")!.exitCode, undefined);
});

test("sacct: the job's own row decides, not that of its batch step", () => {
  const seen = parseSacct(fixture("sacct-live.txt"), []);
  assert.equal(seen.get("254_7")!.state, "pending");
  assert.equal(seen.get("254_7")!.startedAt, undefined);
  assert.equal(seen.get("254_8")!.state, "running");
  assert.equal(seen.get("254_8")!.endedAt, undefined);
});

test("sacct: memory that was never sampled is unknown, not 0, and the largest step counts", () => {
  assert.equal(parseSacct(fixture("sacct.txt"), []).get("254_1")!.usage!.maxRssBytes, undefined);
  const text = [
    "9_0|COMPLETED|0:0|1|2|1|4|2|4Gc|01:02.5|||n[1-2]|x",
    "9_0.batch|COMPLETED|0:0|1|2|1|4|2||00:01|10K|10K|n1|batch",
    "9_0.extern|COMPLETED|0:0|1|2|1|4|2||00:01|0|0|n1|extern",
    "9_0.0|COMPLETED|0:0|1|2|1|4|2||00:01|26676K|13000K|n1|step|with|bars",
  ].join("\n");
  const { usage } = parseSacct(text, []).get("9_0")!;
  assert.equal(usage!.maxRssBytes, 26676 * 1024);
  assert.equal(usage!.aveRssBytes, 13000 * 1024);
  assert.equal(usage!.requestedMemoryBytes, 16 * 2 ** 30);
  assert.equal(usage!.cpuSeconds, 62.5);
});

test("sacct: a collapsed row speaks only for wanted tasks without a row of their own", () => {
  const text = [
    "138_[5-19%5]|CANCELLED by 0|0:0|None|1795213902|0|1|1|100M|00:00:00|||None assigned|x",
    "138_5|COMPLETED|0:0|1795213867|1795213871|4|1|1|100M|00:00.136|||n1|x",
  ].join("\n");
  const seen = parseSacct(text, refs("138", 5, 7, 20));
  assert.deepEqual([...seen.keys()].sort(), ["138_5", "138_7"]);
  assert.equal(seen.get("138_5")!.state, "completed");
  assert.equal(seen.get("138_7")!.state, "cancelled");
  assert.equal(seen.get("138_7")!.usage, undefined);
});

test("G.1.12: sparse and cut array lists conclude nothing and break nothing", () => {
  const rest = "|PENDING|0:0|Unknown|Unknown|0|1|1|8000M|00:00:00|||None assigned|x";
  for (const list of ["[2-3,5,8-9,11-12,15,17,21-22", "[1,3,5-6,...]", "[1,3,5...]", "[]", "[a]"]) {
    assert.equal(parseSacct(`57_${list}${rest}`, refs("57", 2, 3, 21)).size, 0, list);
  }
  const holds = parseTaskList("1,3-9:2,20-99%5")!;
  assert.deepEqual([1, 2, 3, 4, 9, 20, 99, 100].filter(holds), [1, 3, 9, 20, 99]);
  const real = parseSacct(fixture("sacct.txt"), refs("256", 87, 2));
  assert.equal(real.get("256_87")!.state, "cancelled");
  assert.equal(real.has("256_2"), false);
});

test("sacct: an interim row under the raw id, with a nonsense name, is passed over", () => {
  assert.match(fixture("sacct-interim.txt"), /^273\|FAILED/);
  assert.equal(parseSacct(fixture("sacct-interim.txt"), refs("273", 0)).size, 0);
});

test("sacct: one call whatever the number of tasks, within the length of an argument", () => {
  const many = Array.from({ length: 40_000 }, (_, i) => ({ jobId: `${1_000_000 + i}`, task: 0 }));
  const argv = sacctArgv(many, () => true, 0);
  assert.ok(argv.every((argument) => argument.length < 131_072));
  assert.ok(argv.filter((argument) => argument === "-j").length < 10);
  const asked = argv.flatMap((argument, i) => argv[i - 1] === "-j" ? argument.split(",") : []);
  assert.equal(asked.length, 40_000);
  const one = sacctArgv(refs("9", 1, 2), () => false, 3_600_000);
  assert.deepEqual(one.slice(0, 8), [
    "sacct",
    "-n",
    "-P",
    "--noconvert",
    "-S",
    "now-25hours",
    "-j",
    "9",
  ]);
  assert.equal(sacctArgv(refs("9", 1, 2), () => true, 0)[7], "9_1,9_2");
});

test("durations and sizes as SLURM writes them", () => {
  assert.equal(parseDuration("1-02:03:04"), 93784);
  assert.equal(parseDuration("01:00:00"), 3600);
  assert.equal(parseDuration("00:01.500"), 1.5);
  assert.equal(parseDuration("UNLIMITED"), null);
  for (const none of ["NONE", "N/A", "", "x"]) assert.equal(parseDuration(none), undefined);
  assert.equal(parseBytes("26676K"), 26676 * 1024);
  assert.equal(parseBytes("1.5G"), 1.5 * 2 ** 30);
  assert.equal(parseBytes("18446744073709551616.00M"), undefined);
  assert.equal(parseRequestedMemory("8Gn", 2, 16), 16 * 2 ** 30);
  assert.equal(parseRequestedMemory("4Gc", 2, 16), 64 * 2 ** 30);
  assert.equal(parseRequestedMemory("8000M", 2, 16), 8000 * 2 ** 20);
});

test("settings and partitions of a real cluster", () => {
  const settings = parseSettings(fixture("scontrol-config.txt"));
  assert.equal(settings.get("MaxArraySize"), "1001");
  assert.equal(settings.get("SLURM_VERSION"), "22.05.8");
  assert.equal(settings.get("AccountingStorageEnforce"), "none");
  assert.deepEqual(parsePartitions(fixture("scontrol-partition.txt"), fixture("sinfo.txt")), [{
    name: "short",
    isDefault: true,
    up: true,
    maxTimeSeconds: 3600,
    defaultTimeSeconds: undefined,
    nodes: 2,
    cpusPerNode: 8,
    memoryMiBPerNode: 8000,
    gres: undefined,
  }]);
});

test("a partition of unlike nodes offers the largest of them, under its own cap", () => {
  const scontrol = "PartitionName=gpu Default=NO QoS=N/A DefaultTime=00:30:00 MaxTime=UNLIMITED " +
    "MaxCPUsPerNode=32 State=DOWN MaxMemPerNode=200000\n";
  const [gpu] = parsePartitions(
    scontrol,
    "gpu|64|256000+|2|gpu:a100:4\ngpu|16|64000|3|gpu:v100:2\nx|1|1|1|(null)\n",
  );
  assert.deepEqual(gpu, {
    name: "gpu",
    isDefault: false,
    up: false,
    maxTimeSeconds: null,
    defaultTimeSeconds: 1800,
    nodes: 5,
    cpusPerNode: 32,
    memoryMiBPerNode: 200000,
    gres: "gpu:a100:4,gpu:v100:2",
  });
});

test("G.2.19: submit limits come from the association, the QOS and the partition's QOS", () => {
  const associations = "lab||normal|500||\nlab|gpu||20||02:00:00\nother||high|7||\n";
  const qos = "normal|100|||\nhigh||50||1-00:00:00\npart|||10|\nunused|1|||\n";
  const submits = (request: Record<string, string>, partition: string[]) =>
    parseRules(associations, qos, request, partition).flatMap(({ maxSubmit }) => maxSubmit ?? [])
      .sort();
  assert.deepEqual(submits({ account: "lab", partition: "cpu" }, []), [100, 500]);
  assert.deepEqual(submits({ account: "lab", partition: "gpu", qos: "high" }, ["part"]), [
    10,
    20,
    50,
    500,
  ]);
  assert.deepEqual(submits({ account: "other" }, []), [50, 7]);
});
