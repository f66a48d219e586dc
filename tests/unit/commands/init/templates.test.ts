import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import {
  type InitPartition,
  renderConfig,
  renderHelper,
  renderLauncher,
  sweepName,
} from "../../../../commands/init/templates.ts";
import { runProcess } from "../../../../lib/base/process.ts";
import { expand } from "../../../../lib/sweep/expand.ts";
import { readConfig } from "../../../../lib/sweep/read-config.ts";

function partition(changes: Partial<InitPartition> = {}): InitPartition {
  return {
    name: "batch",
    isDefault: false,
    up: true,
    maxTimeSeconds: 86_400,
    nodes: 4,
    cpusPerNode: 64,
    memoryMiBPerNode: 256 * 1024,
    gres: undefined,
    ...changes,
  };
}

test("the configuration names the cluster's default partition and keeps within its limits", () => {
  const text = renderConfig({
    name: "my sweep",
    partitions: [
      partition({ name: "long" }),
      partition({
        name: "short",
        isDefault: true,
        maxTimeSeconds: 1800,
        memoryMiBPerNode: 1500,
        gres: "gpu:a100:4",
      }),
    ],
  });
  const config = parse(text);
  assert.equal(config.name, "my-sweep");
  assert.equal(config.scheduler, undefined);
  assert.deepEqual(config.slurm, {
    partition: "short",
    time: "00:30:00",
    mem: "1G",
    cpus_per_task: 1,
  });
  assert.match(
    text,
    /# {3}short \(default\): up to 00:30:00, 4 nodes x 64 CPUs, 1500M each, gpu:a100:4/,
  );
  assert.match(text, /# {3}long: up to 1-00:00:00/);
});

test("without SLURM trials run locally and nothing asks for a partition", () => {
  const config = parse(renderConfig({ name: "x" }));
  assert.equal(config.scheduler, "local");
  assert.equal(config.slurm.partition, undefined);
  assert.equal(config.slurm.time, "04:00:00");
  assert.equal(config.slurm.mem, "8G");
  assert.equal(config.launcher, "launch.sh");
  assert.deepEqual(config.parameters.lr, {
    type: "continuous",
    scale: "log",
    low: 0.00001,
    high: 0.01,
    steps: 5,
  });
});

test("partitions that are down are not chosen while one is up", () => {
  const partitions = [partition({ name: "a", isDefault: true, up: false }), partition()];
  assert.equal(parse(renderConfig({ name: "x", partitions })).slurm.partition, "batch");
  assert.match(renderConfig({ name: "x", partitions }), /a \(default, down\)/);
});

test("hostile names of partitions and files stay one value and one comment line", () => {
  for (
    const hostile of ["no", "1-2", 'a"b\\c', "x\nname: evil", "p # q", "{{time}}", "$(id)", "é$&"]
  ) {
    const text = renderConfig({
      name: "x",
      launcher: hostile,
      partition: hostile,
      partitions: [partition({ name: hostile, gres: "gpu\nname: evil" })],
    });
    const config = parse(text, { version: "1.1" });
    assert.equal(config.name, "x", hostile);
    assert.equal(config.slurm.partition, hostile);
    assert.equal(config.launcher, hostile);
  }
});

test("unknown limits, unlimited time and a hundred partitions are all shown", () => {
  const many = Array.from({ length: 100 }, (_, i) => partition({ name: `p${i}` }));
  const text = renderConfig({ name: "x", partitions: many, maxTimeSeconds: null });
  assert.match(text, /and 88 more: see sinfo/);
  const odd = partition({
    maxTimeSeconds: null,
    cpusPerNode: undefined,
    memoryMiBPerNode: undefined,
  });
  assert.match(renderConfig({ name: "x", partitions: [odd] }), /batch: no time limit, 4 nodes\n/);
  const unknown = partition({ maxTimeSeconds: undefined, nodes: 1 });
  assert.match(renderConfig({ name: "x", partitions: [unknown] }), /no time limit known, 1 node x/);
});

test("a sweep's name is made of what file and job names may hold", () => {
  assert.equal(sweepName("My Sweep (2)"), "My-Sweep-2");
  assert.equal(sweepName("größe"), "gro-e");
  assert.equal(sweepName("../../etc"), "etc");
  assert.equal(sweepName("実験"), "sweep");
  assert.equal(sweepName(""), "sweep");
  assert.equal(sweepName("a\nb;$(c)"), "a-b-c");
  assert.equal(sweepName("x".repeat(300)).length, 64);
});

/** The configuration with every commented-out line of YAML in force, apart from the keys named. */
function uncommented(text: string, without: readonly string[]): string {
  return text.slice(text.indexOf("\nslurm:")).split("\n").reduce((done, line) => {
    const [, indent = "", yaml = ""] = /^( *)# ( *(?:- |[a-z_]+:).*)$/.exec(line) ?? [];
    // The list of what `grid` may be is prose.
    const prose = yaml.startsWith("  grid:") || without.some((key) => yaml.startsWith(`${key}:`));
    return `${done}\n${yaml === "" || prose ? line : indent + yaml}`;
  }, text.slice(0, text.indexOf("\nslurm:")));
}

test("the configuration is read without a word, and so is every commented example in it", () => {
  const facts = { name: "x", partition: "batch" };
  const plain = readConfig(renderConfig(facts), { file: "hyperherd.yaml" });
  assert.deepEqual(plain.notices, []);
  assert.equal(expand(plain.config).trials.length, 5);

  const text = uncommented(renderConfig(facts), ["trials", "samples", "seed"]);
  const { config, notices } = readConfig(text, { file: "hyperherd.yaml" });
  assert.deepEqual(notices, []);
  assert.deepEqual(config.parameters.map(({ name }) => name), ["lr", "optimizer", "layers"]);
  assert.equal(config.repeats?.count, 3);
  assert.deepEqual(config.zip, [["optimizer", "layers"]]);
  assert.equal(config.conditions.length, 3);
  assert.equal(config.conditions[2]!.slurm.memoryMiB, 32 * 1024);
  assert.deepEqual(config.staticOverrides, ["epochs=100", "data_dir=/scratch/data"]);
  assert.equal(config.halving?.mode, "asha");
  assert.deepEqual(config.slurm.signal, { name: "USR1", seconds: 120 });
  assert.deepEqual(config.slurm.export, ["WANDB_API_KEY"]);
  assert.equal(config.slurm.requeue, true);
  assert.equal(config.slurm.maxConcurrent, 20);
  assert.equal(config.discord.guildId, "123456789012345678");
  // 5 rates, 2 pairs, 3 repeats, without the hot sgd of the large net (2 rates).
  assert.equal(expand(config).trials.length, 5 * 2 * 3 - 2 * 3);
  const sampling = text.replace(/^grid: all$/m, "grid: random\nsamples: 7\nseed: 1");
  const random = sampling.replace(/^zip:\n.*\n/m, "").replace(/^repeats: 3$/m, "");
  const drawn = expand(readConfig(random, { file: "hyperherd.yaml" }).config);
  assert.equal(drawn.counts.combinations, 7);
});

test("the comment on the learning rate tells the values that are tried", () => {
  const text = renderConfig({ name: "x" });
  const told = /scale: log +# (.*)/.exec(text)![1]!.split(", ").map(Number);
  const tried = expand(readConfig(text, { file: "x" }).config).trials
    .map(({ params }) => Number(params["lr"]));
  assert.deepEqual(tried.map((value) => Number(value.toPrecision(2))), told);
});

test("a sweep's name made of any folder's name is one that the reader takes", () => {
  for (
    const name of ["My Sweep (2)", "-x-", "..", "実験", "a".repeat(300), "2024_run.3", "no", "~"]
  ) {
    readConfig(renderConfig({ name }), { file: "hyperherd.yaml" });
  }
});

test("the launcher hands every override on whole, whatever is in it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herd launcher "));
  try {
    writeFileSync(join(folder, "launch.sh"), renderLauncher(), { mode: 0o755 });
    writeFileSync(join(folder, "python"), '#!/bin/bash\nprintf "%s\\0" "$PWD" "$@"\n', {
      mode: 0o755,
    });
    const tokens = [
      "experiment_name=x",
      "a=b c",
      "q=\"'",
      "s=$(touch pwned);`id`",
      "n=1\n2",
      "g=*",
      "e=",
    ];
    const ended = await runProcess([join(folder, "launch.sh"), tokens.join(" "), ...tokens], {
      cwd: "/",
      env: { PATH: `${folder}:${process.env["PATH"]}` },
    });
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.deepEqual(ended.stdout.split("\0"), [folder, "train.py", ...tokens, ""]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the launcher and the helper carry what the package promises", () => {
  assert.match(renderLauncher(), /^#!\/bin\/bash\n/);
  assert.match(renderHelper(), /def log_result\(name, value, step=None, \*, strict=True/);
});

test("the memory is that of one CPU, in whole units, and at least 1G where a node has it", () => {
  const cases: [number | undefined, number | undefined, string][] = [
    [8000, 8, "1G"],
    [64_000, 16, "3G"],
    [256 * 1024, 64, "4G"],
    [30_000, 18, "1536M"],
    [1500, 64, "1G"],
    [500, 2, "500M"],
    [2 ** 22, 8, "8G"],
    [8000, undefined, "7G"],
    [undefined, 8, "8G"],
  ];
  for (const [memoryMiBPerNode, cpusPerNode, mem] of cases) {
    const text = renderConfig({
      name: "x",
      partitions: [partition({ name: "p", memoryMiBPerNode, cpusPerNode })],
    });
    assert.equal(parse(text).slurm.mem, mem, `${memoryMiBPerNode} / ${cpusPerNode}`);
  }
  const text = renderConfig({
    name: "x",
    partitions: [partition({ name: "p", memoryMiBPerNode: 8000, cpusPerNode: 8 })],
  });
  assert.match(text, /^ {2}mem: 1G {23}# one CPU's part: a node has 8000M for 8 CPUs\n/m);
});
