import type { Ended } from "../../base/process.ts";
import { arraySpec } from "../script.ts";
import type { JobRequest } from "../scheduler.ts";
import { said } from "./call.ts";

/** What decides identity and files stands here too: `SBATCH_…` variables override a script's own lines. */
export function sbatchArgv(job: JobRequest): string[] {
  return [
    "sbatch",
    "--parsable",
    `--job-name=${job.jobName}`,
    `--array=${arraySpec(job.tasks, job.maxConcurrent)}`,
    `--output=${job.output}`,
    `--error=${job.error}`,
    "--open-mode=append",
    "--export=ALL",
    ...(job.after.length === 0 ? [] : [`--dependency=afterany:${job.after.join(":")}`]),
    job.script,
  ];
}

/** Variables that herd speaks for, whatever the user's shell says. */
const OWNED = new Set([
  "SBATCH_ARRAY_INX",
  "SBATCH_CLUSTERS",
  "SBATCH_ERROR",
  "SBATCH_EXPORT",
  "SBATCH_INPUT",
  "SBATCH_JOB_NAME",
  "SBATCH_MEM_PER_CPU",
  "SBATCH_MEM_PER_GPU",
  "SBATCH_MEM_PER_NODE",
  "SBATCH_OPEN_MODE",
  "SBATCH_OUTPUT",
  "SBATCH_TIMELIMIT",
  // It would wait for the end of the whole array.
  "SBATCH_WAIT",
]);

/** How SLURM is found, needed by sbatch as by everything else. */
const PASSED = ["SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT", "SLURM_CONF_SERVER"];

/**
 * The environment of sbatch and, by `--export=ALL`, of the job: the job's own,
 * what finds the cluster, and the user's `SBATCH_…` defaults for whatever the
 * sweep does not say. What an enclosing job left (its restart count, its task,
 * its devices) is not this job's.
 */
export function sbatchEnvironment(
  job: JobRequest,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inJob = environment["SLURM_JOB_ID"] !== undefined;
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(job.environment)) {
    if (/^(SLURM|SBATCH)_|^HERD_(TASK|JOB_ID|RESTART|ATTEMPT)$/.test(name)) continue;
    // Of the job that herd runs in: its own folder, gone when it ends, and the devices that it got.
    if (inJob && /^TMPDIR$|_VISIBLE_DEVICES$/.test(name)) continue;
    own[name] = value;
  }
  const configured = setBySweep(job);
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    const kept = name.startsWith("SBATCH_") && !OWNED.has(name) && !configured.has(name);
    if (kept || PASSED.includes(name) || (name === "PATH" && own.PATH === undefined)) {
      own[name] = value;
    }
  }
  return own;
}

function setBySweep({ resources, signal }: JobRequest): Set<string> {
  const { partition, account, qos, constraint, gres, gpus, requeue } = resources;
  const pairs: [string, unknown][] = [
    ["SBATCH_PARTITION", partition],
    ["SBATCH_ACCOUNT", account],
    ["SBATCH_QOS", qos],
    ["SBATCH_CONSTRAINT", constraint],
    ["SBATCH_GRES", gres],
    ["SBATCH_GPUS", gpus],
    ["SBATCH_REQUEUE", requeue],
    ["SBATCH_NO_REQUEUE", requeue],
    ["SBATCH_SIGNAL", signal],
  ];
  return new Set(pairs.flatMap(([name, value]) => value === undefined ? [] : [name]));
}

export type Submission =
  | { kind: "accepted"; jobId: string }
  /** SLURM said no: nothing was submitted. */
  | { kind: "rejected"; message: string }
  /** Nobody knows: a submission whose answer was lost runs all the same. */
  | { kind: "unreachable"; message: string };

/** After these words the job may be in the queue, or a later try may succeed. */
const OUTAGE = new RegExp(
  [
    "unable to (contact|establish|resolve)",
    "getaddrinfo",
    "failed: no error",
    "timed out",
    "timeout",
    "connect failure",
    "connection (refused|reset|closed|failure)",
    "communication",
    "socket",
    "zero bytes",
    "unexpected message",
    "(send|receive) failure",
    "broken pipe",
    "network is unreachable",
    "no route to host",
    "not connected",
    "protocol authentication",
    "authentication credential",
    "munge",
    "temporarily un",
    "standby mode",
    "interrupted",
    "cannot allocate memory",
    "too many open files",
    "insane message length",
    "header lengths",
    "could not resolve",
  ].join("|"),
  "i",
);

/** What sbatch says before it talks to the controller, and its controller's no. */
const REFUSAL =
  /sbatch: (error|fatal): |unrecognized option|invalid option|requires an argument|Batch job submission failed: /i;

/** Reads how sbatch ended. Only words that it said can be a no. */
export function readSubmission(ended: Ended): Submission {
  const message = said(ended);
  // It was never started, so nothing was sent.
  if (ended.spawnError !== undefined) return { kind: "rejected", message };
  if (ended.ok) {
    const id = /^(\d+)(?:;[^\s;]+)?$/m.exec(ended.stdout)?.[1];
    return id === undefined
      ? { kind: "unreachable", message: "sbatch answered without a job id" }
      : { kind: "accepted", jobId: id };
  }
  const killed = ended.timedOut || ended.canceled || ended.exitCode === undefined;
  if (killed || OUTAGE.test(ended.stderr) || !REFUSAL.test(ended.stderr)) {
    return { kind: "unreachable", message };
  }
  return { kind: "rejected", message };
}
