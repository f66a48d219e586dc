import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "../../lib/base/process.ts";
import type { JobRequest, Scheduler } from "../../lib/schedulers/scheduler.ts";
import { removeTree } from "../support/remove-tree.ts";
import type { Harness } from "./scheduler.ts";

/** What no adapter of SLURM can hold, wherever its programs run. */
export const SLURM_SKIPS = [
  {
    case: "exit codes above 127 are told as they are",
    reason: "sacct folds codes to seven bits; the job's own record has the true one",
  },
  {
    case: "a job survives the process that submitted it",
    reason: "the job is slurmctld's as soon as it has an id",
  },
];

/** `folder`: where its tasks work in a folder of their own, on every machine the same path. */
export function slurmHarness(scheduler: Scheduler, folder: string): Harness {
  const workdir = mkdtempSync(join(folder, "herd slurm ü "));
  return {
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
  };
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
