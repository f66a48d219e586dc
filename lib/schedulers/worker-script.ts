import { UserError } from "../base/errors.ts";
import { shellQuote } from "../base/text.ts";

export interface WorkerScriptInput {
  worker: string;
  /** The pool's folder, on a file system that the nodes have too. */
  pool: string;
  /** This worker's own folder. */
  folder: string;
  /** The words that start herd. */
  herd: readonly string[];
  slots: number;
  labels: readonly string[];
  partition: string | undefined;
  timeMinutes: number;
  /** Each one word, such as `--mem=8G`. */
  options: readonly string[];
  /** Seconds before the end of its time at which SLURM warns the worker. */
  leadSeconds: number;
  /** What the worker sees beside the names that every worker needs. */
  variables: Readonly<Record<string, string>>;
}

/** In the worker's folder: a job that starts and finds it ends at once. */
export const VOID_FILE = "void";

/**
 * The batch script of a worker: the worker itself takes the shell's place, so that it is what SLURM
 * warns and ends. Of two jobs for one worker the second does nothing.
 */
export function makeWorkerScript(input: WorkerScriptInput): string {
  const { worker, pool, folder, herd, slots, labels, variables } = input;
  for (const word of [pool, folder, ...herd, ...Object.values(variables)]) {
    if (/\0/.test(word)) {
      throw new UserError("Cannot make the script of a worker: a path has a zero byte in it");
    }
  }
  const words = [
    ...herd,
    "worker",
    ...["--name", worker, "--pool", pool, "--slots", `${slots}`],
    ...labels.flatMap((label) => ["--label", label]),
    "--alone",
  ];
  return [
    "#!/bin/bash",
    "#SBATCH --nodes=1",
    "#SBATCH --ntasks=1",
    `#SBATCH --time=${timeText(input.timeMinutes)}`,
    ...(input.partition === undefined ? [] : [`#SBATCH --partition=${input.partition}`]),
    ...input.options.map((option) => `#SBATCH ${option}`),
    // Last, so that they hold: a job that came back would be a second life of its worker.
    "#SBATCH --no-requeue",
    `#SBATCH --signal=B:USR2@${input.leadSeconds}`,
    "umask 077",
    `folder=${shellQuote(folder)}`,
    `[ ! -e "$folder/${VOID_FILE}" ] || exit 0`,
    'if ! mkdir "$folder/claim" 2>/dev/null; then [ -e "$folder/claim/$SLURM_JOB_ID" ] || exit 0; fi',
    ': >"$folder/claim/$SLURM_JOB_ID"',
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}`),
    `exec ${words.map(shellQuote).join(" ")}`,
    "",
  ].join("\n");
}

/** `D-HH:MM:SS` of minutes; SLURM counts whole minutes. */
function timeText(minutes: number): string {
  const whole = Math.max(1, Math.ceil(minutes));
  const two = (value: number) => `${value}`.padStart(2, "0");
  return `${Math.floor(whole / 1440)}-${two(Math.floor(whole / 60) % 24)}:${two(whole % 60)}:00`;
}
