import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../lib/base/clock.ts";
import { runProcess } from "../../lib/base/process.ts";
import type { JobRequest } from "../../lib/schedulers/scheduler.ts";
import { createSlurmScheduler } from "../../lib/schedulers/slurm/scheduler.ts";
import { type Harness, schedulerContract } from "./scheduler.ts";
import { removeTree } from "../support/remove-tree.ts";

const SKIPS = [
  {
    case: "exit codes above 127 are told as they are",
    reason: "sacct folds codes to seven bits; the job's own record has the true one",
  },
  {
    case: "a job survives the process that submitted it",
    reason: "the job is slurmctld's as soon as it has an id",
  },
];

// A command that answers fast or not at all: without a controller sinfo takes nine seconds.
const sinfo = await runProcess(["sinfo", "-h", "-o", "%P"], { timeoutMs: 15_000 });
if (sinfo.ok && sinfo.stdout.trim() !== "") schedulerContract("slurm", makeHarness, SKIPS);
else {
  const skip = `sinfo does not answer (${sinfo.spawnError ?? (sinfo.stderr.trim() || "timeout")})`;
  test("slurm: the scheduler contract", { skip }, () => {});
}

function makeHarness(): Promise<Harness> {
  const workdir = mkdtempSync(join(tmpdir(), "herd slurm ü "));
  const scheduler = createSlurmScheduler({
    run: runProcess,
    clock: createSystemClock(),
    uid: process.getuid!(),
    environment: process.env,
  });
  return Promise.resolve({
    scheduler,
    workdir,
    directives,
    async cleanup({ force }) {
      const left = await jobsIn(workdir);
      if (left.length > 0) await runProcess(["scancel", ...left]);
      removeTree(workdir);
      if (!force) assert.deepEqual(left, [], "jobs are left");
    },
    timing: { limitSeconds: 60, signalSeconds: 30, hurry },
  });
}

/** Array ids of the jobs that wait or run in this folder. */
async function jobsIn(workdir: string): Promise<string[]> {
  const ended = await runProcess(["squeue", "-h", "-t", "PD,R", "-o", "%F|%Z"]);
  const lines = ended.stdout.split("\n").filter((line) =>
    line.slice(line.indexOf("|") + 1) === workdir
  );
  return [...new Set(lines.map((line) => line.slice(0, line.indexOf("|"))))];
}

/** Brings the limit near: a minute is the shortest that SLURM keeps, and it looks every 30 s. */
async function hurry(jobId: string): Promise<void> {
  const soon = await runProcess(["date", "-d", "+1 sec", "+%FT%T"]);
  const argv = ["scontrol", "update", `JobId=${jobId}`, `EndTime=${soon.stdout.trim()}`];
  const ended = await runProcess(argv);
  assert.equal(ended.ok, true, ended.stderr);
}

function directives({ resources, output, error, signal }: JobRequest): string[] {
  const seconds = resources.timeSeconds ?? 0;
  const lines = [
    `--mem=${resources.memoryMiB}M`,
    `--time=${Math.ceil(seconds / 60)}`,
    `--output=${quote(output)}`,
    `--error=${quote(error)}`,
    "--open-mode=append",
  ];
  if (signal !== undefined) lines.push(`--signal=B:${signal.name}@${signal.seconds}`);
  return lines.map((line) => `#SBATCH ${line}`);
}

/** By sbatch's rules, which are not the shell's. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
