import { UserError } from "../base/errors.ts";
import { compactRanges, shellQuote } from "../base/text.ts";
import type { Resources } from "../sweep/config.ts";
import body from "./task.sh" with { type: "text" };

/** What a batch script is made of. Paths are absolute unless said otherwise. */
export interface ScriptInput {
  sweepName: string;
  /** Nonce of the submission. */
  submission: string;
  jobName: string;
  workspace: string;
  /**
   * As written, relative to the workspace; run as `bash <launcher> "<overrides>"`, with the
   * tokens one by one behind it when the launcher's text holds `@:2`.
   */
  launcher: string;
  /** The side table that `makeTable` made. */
  table: string;
  /** Task of the table's first line. */
  firstTask: number;
  /** Array task ids, ascending. */
  tasks: readonly number[];
  maxConcurrent: number | undefined;
  /** Folder of the records, `<task>.tsv` each. */
  eventsDir: string;
  /** While this file exists, a task that starts ends at once and runs nothing. */
  voidMarker: string;
  logsDir: string;
  /** Patterns of the files that SLURM writes, made by `logPattern`. */
  output: string;
  error: string;
  /** Path of the herd executable for trainers, as `HERD_BIN`. */
  herd: string | undefined;
  /** Seconds between two touches of the record; 30 by default. */
  heartbeatSeconds?: number;
  resources: Resources;
  signal: { name: string; seconds: number } | undefined;
}

/** One line of the side table: what one task runs. */
export interface TableRow {
  task: number;
  trial: number;
  /** 1 for a trial's first attempt. */
  attempt: number;
  /** Base name under which the logs are to be found too, when the task's number is not the trial's. */
  log: string | undefined;
  experimentName: string;
  /** Overrides one by one; joined by spaces they are the launcher's first argument. */
  tokens: readonly string[];
}

/** A longer array specification stands only in sbatch's own arguments, so that the script stays small. */
const LONGEST_SPEC = 1000;

/**
 * The batch script of one submission, for `sbatch` and (run by bash with
 * `HERD_TASK` set) for the local scheduler. Its size does not depend on the
 * number of trials. Needs bash 4.2 and coreutils on the node, nothing else.
 * Throws UserError for what no `#SBATCH` line can say.
 */
export function makeScript(input: ScriptInput): string {
  const assignments: Record<string, string> = {
    sweep: input.sweepName,
    submission: input.submission,
    workspace: input.workspace,
    // A name that begins with a dash would be read as an option of bash.
    launcher: input.launcher.startsWith("-") ? `./${input.launcher}` : input.launcher,
    table: input.table,
    first: `${input.firstTask}`,
    events: input.eventsDir,
    void: input.voidMarker,
    logs: input.logsDir,
    herd: input.herd ?? "",
    heartbeat: `${input.heartbeatSeconds ?? 30}`,
    signals: trapped(input.signal?.name).join(" "),
  };
  for (const [name, value] of Object.entries(assignments)) refuseBytes(name, value, /\0/);
  const lines = Object.entries(assignments).map(([name, value]) => `${name}=${shellQuote(value)}`);
  return ["#!/bin/bash", ...directives(input), "", ...lines, "", body].join("\n");
}

/**
 * The side table: line n (from 0) is the task `rows[0].task` + n, tab-separated,
 * with `\\`, `\n`, `\t` and `\r` escaped; tasks without a row are blank lines.
 * Rows come in ascending order of task. Throws UserError for a NUL byte.
 */
export function makeTable(rows: readonly TableRow[]): string {
  const lines: string[] = [];
  let next = rows[0]?.task ?? 0;
  for (const row of rows) {
    if (row.task < next) throw new RangeError(`Rows out of order at task ${row.task}`);
    for (; next < row.task; next++) lines.push("");
    const fields = [
      `${row.task}`,
      `${row.trial}`,
      `${row.attempt}`,
      row.log ?? "",
      row.experimentName,
      ...row.tokens,
    ];
    lines.push(fields.map((field) => encode(row.trial, field)).join("\t"));
    next++;
  }
  return lines.map((line) => `${line}\n`).join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
};

function encode(trial: number, field: string): string {
  refuseBytes(`the overrides of trial ${trial}`, field, /\0/);
  return field.replace(/[\\\n\t\r]/g, (found) => ESCAPES[found]!);
}

/** What sbatch is told on its command line too, where no `SBATCH_…` variable overrides it. */
export function arraySpec(tasks: readonly number[], maxConcurrent: number | undefined): string {
  return compactRanges(tasks) + (maxConcurrent ? `%${maxConcurrent}` : "");
}

/**
 * Pattern of a log file for `--output`: `%` of the folder doubled, `name` as it
 * is (`%a` is the task id). Throws UserError for a folder that SLURM cannot
 * write such files to: after a backslash anywhere it replaces no `%a`.
 */
export function logPattern(directory: string, name: string): string {
  if (/[\\\n\r]/.test(directory)) {
    throw new UserError(
      `Cannot write logs to ${
        JSON.stringify(directory)
      }: SLURM cannot name files in a folder with a backslash or line break in its path`,
      { hint: "Move the workspace to another path" },
    );
  }
  return `${directory.replaceAll("%", "%%")}/${name}`;
}

function directives(input: ScriptInput): string[] {
  const { resources: wanted, signal } = input;
  const spec = arraySpec(input.tasks, input.maxConcurrent);
  const options: [string, string | number | undefined][] = [
    ["job-name", input.jobName],
    ["array", spec.length > LONGEST_SPEC ? undefined : spec],
    ["chdir", input.workspace],
    ["output", input.output],
    ["error", input.error],
    ["open-mode", "append"],
    ["export", "ALL"],
    ["partition", wanted.partition],
    ["account", wanted.account],
    ["qos", wanted.qos],
    ["constraint", wanted.constraint],
    ["nodes", wanted.nodes],
    ["ntasks", wanted.ntasks],
    ["cpus-per-task", wanted.cpusPerTask],
    ["mem", wanted.memoryMiB === 0 ? "0" : `${wanted.memoryMiB}M`],
    ["time", wanted.timeSeconds === null ? "UNLIMITED" : Math.ceil(wanted.timeSeconds / 60)],
    ["gres", wanted.gres],
    ["gpus", wanted.gpus],
    ["exclude", wanted.exclude],
    ["mail-user", wanted.mailUser],
    ["mail-type", wanted.mailType],
    ["signal", signal && `B:${signalName(signal.name)}@${signal.seconds}`],
  ];
  const lines = options.flatMap(([name, value]) =>
    value === undefined ? [] : [`#SBATCH --${name}=${directiveQuote(name, `${value}`)}`]
  );
  if (wanted.requeue !== undefined) {
    lines.push(`#SBATCH --${wanted.requeue ? "requeue" : "no-requeue"}`);
  }
  // The user's own words come last, because of two equal options sbatch takes the later one.
  for (const argument of wanted.extraArgs) {
    refuseBytes("extra_args", argument, /[\0\n\r]/);
    lines.push(`#SBATCH ${argument}`);
  }
  return lines;
}

/**
 * Quotes by sbatch's rules, which are not the shell's: inside double quotes a
 * backslash protects itself and the quote, a `#` outside begins a comment, and
 * a backslash before a space outside does not help.
 */
function directiveQuote(name: string, value: string): string {
  refuseBytes(name, value, /[\0\n\r]/);
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

function refuseBytes(what: string, value: string, forbidden: RegExp): void {
  if (!forbidden.test(value)) return;
  throw new UserError(
    `Cannot write the batch script: ${what} is ${JSON.stringify(value)}, ` +
      `which holds a ${/\0/.test(value) ? "NUL byte" : "line break"}`,
  );
}

const SIGNALS = ["TERM", "INT", "HUP", "USR1", "USR2", "XCPU"];

/** Signals that the script passes on, with the one that the user chose. */
function trapped(chosen: string | undefined): string[] {
  if (chosen === undefined) return SIGNALS;
  const name = signalName(chosen);
  return SIGNALS.includes(name) || name === "KILL" || name === "STOP"
    ? SIGNALS
    : [...SIGNALS, name];
}

function signalName(name: string): string {
  const bare = name.toUpperCase().replace(/^SIG/, "");
  if (!/^[A-Z0-9]+$/.test(bare)) {
    throw new UserError(`Cannot write the batch script: ${JSON.stringify(name)} is not a signal`, {
      hint: "Signals are named like USR1, USR2, TERM, INT or HUP",
    });
  }
  return bare;
}
