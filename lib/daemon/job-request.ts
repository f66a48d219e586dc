import type { JobRequest } from "../schedulers/scheduler.ts";
import type { Resources } from "../sweep/config.ts";

/** Names of the daemon's own environment that a worker job sees; no key and no proxy is among them. */
const SEEN =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|MODULEPATH|MODULESHOME|LMOD_CMD)$/;

export function jobEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const seen = Object.entries(env).filter((one): one is [string, string] =>
    one[1] !== undefined && SEEN.test(one[0])
  );
  return { ...Object.fromEntries(seen), NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" };
}

/** The environment of the scheduler's own programs: what the script says is not to be overridden. */
export function submitEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  { partition, options }: { partition: string | undefined; options: readonly string[] },
): Record<string, string | undefined> {
  const said = new Set([
    "SBATCH_SIGNAL",
    "SBATCH_REQUEUE",
    "SBATCH_NO_REQUEUE",
    ...(partition === undefined ? [] : ["SBATCH_PARTITION"]),
    ...options.map((one) =>
      `SBATCH_${one.slice(2).split("=")[0]!.toUpperCase().replaceAll("-", "_")}`
    ),
  ]);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !said.has(name)));
}

const NO_RESOURCES: Resources = {
  partition: undefined,
  account: undefined,
  qos: undefined,
  constraint: undefined,
  nodes: undefined,
  ntasks: undefined,
  cpusPerTask: 1,
  memoryMiB: 0,
  timeSeconds: null,
  gres: undefined,
  gpus: undefined,
  exclude: undefined,
  requeue: false,
  mailUser: undefined,
  mailType: undefined,
  extraArgs: [],
};

/** An array of one task, so that everything that knows sweeps' jobs knows this one too. */
export function workerRequest(
  { jobName, script, folder, partition, environment }: {
    jobName: string;
    script: string;
    folder: string;
    partition: string | undefined;
    environment: Readonly<Record<string, string>>;
  },
): JobRequest {
  return {
    submission: jobName,
    jobName,
    script,
    tasks: [0],
    resources: { ...NO_RESOURCES, partition },
    maxConcurrent: undefined,
    after: [],
    cwd: folder,
    environment,
    // A `%` in a path would be a pattern to SLURM.
    output: `${folder.replaceAll("%", "%%")}/output.log`,
    error: `${folder.replaceAll("%", "%%")}/output.log`,
    signal: { name: "USR2", seconds: 0 },
  };
}
