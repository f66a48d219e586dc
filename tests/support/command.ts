import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { dispatch } from "../../commands/dispatch.ts";
import { TABLE } from "../../commands/table.ts";
import { createSystemClock } from "../../lib/base/clock.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { exitCodeOf, explain } from "../../lib/base/explain.ts";
import { type CaptureOptions, createCapturedTerminal } from "./captured-terminal.ts";
import { removeTree } from "./remove-tree.ts";

/** Commands find their own program by it: the local scheduler's supervisor is to be herd, not this test. */
process.argv[1] = fileURLToPath(new URL("../../main.ts", import.meta.url));

export interface CommandOptions extends CaptureOptions {
  cwd?: string;
  clock?: Clock;
  signal?: AbortSignal;
}

export interface CommandSaid {
  /** What the process would exit with. */
  code: number;
  stdout: string;
  stderr: string;
  /** What the command threw, if it did. */
  error: unknown;
}

/** Runs a command line in this process, with its output captured. Errors become exit codes as in `start`. */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandSaid> {
  const terminal = createCapturedTerminal(options);
  let code: number;
  let error: unknown;
  try {
    code = await dispatch(argv, {
      out: terminal.out,
      log: { path: undefined, write: () => {} },
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
      cwd: options.cwd ?? process.cwd(),
      clock: options.clock ?? createSystemClock(),
      signal: options.signal ?? new AbortController().signal,
      table: TABLE,
    });
  } catch (thrown) {
    error = thrown;
    code = exitCodeOf(thrown);
    if (argv.includes("--json")) terminal.out.json(explain(thrown, "json"));
    terminal.out.printError(`Error: ${explain(thrown, "terminal")}`);
    // A bug is easier to find with its stack.
    if (code === 70) terminal.out.printError(explain(thrown, "log"));
  }
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr(), error };
}

/** Runs a command with --json that must exit with `code`, and gives back its document. */
// deno-lint-ignore no-explicit-any
export async function runJson<T = any>(
  argv: readonly string[],
  options: CommandOptions & { code?: number } = {},
): Promise<T> {
  const said = await runCommand([...argv, "--json"], options);
  assert.equal(
    said.code,
    options.code ?? 0,
    `herd ${argv.join(" ")}\n${said.stdout}${said.stderr}`,
  );
  return JSON.parse(said.stdout) as T;
}

export interface TestWorkspace {
  path: string;
  write(file: string, text: string, mode?: number): void;
  read(file: string): string;
}

/** Calls `use` with a sweep on the local scheduler in a folder of its own, removed afterwards. */
export async function inSweep(
  files: { yaml: string; launcher?: string },
  use: (workspace: TestWorkspace) => Promise<void>,
): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), "herd-command-"));
  const write: TestWorkspace["write"] = (file, text, mode) => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
    if (mode !== undefined) chmodSync(join(path, file), mode);
  };
  write("hyperherd.yaml", files.yaml);
  write("launch.sh", files.launcher ?? "#!/bin/bash\ntrue\n", 0o755);
  try {
    await use({ path, write, read: (file) => readFileSync(join(path, file), "utf8") });
  } finally {
    // The supervisor sees that its spool is gone, ends what still runs, and ends.
    removeTree(path);
  }
}

/** A sweep of `n` trials `x=1` to `x=n` on the local scheduler. `more` is YAML at the top level. */
export function localYaml(n: number, more = ""): string {
  const values = Array.from({ length: n }, (_, i) => i + 1).join(", ");
  return `name: test-sweep
scheduler: local
local: {slots: 4}
launcher: ./launch.sh
slurm: {mem: 64M, time: 10}
grid: all
parameters:
  x: {type: discrete, values: [${values}]}
${more}`;
}

/** Asks `status --json` until it is as wanted; with the last answer in the error when it never is. */
export async function untilStatus(
  workspace: string,
  wanted: (statuses: readonly string[]) => boolean,
  timeoutMs = 30_000,
): Promise<string[]> {
  const until = Date.now() + timeoutMs;
  const clock = createSystemClock();
  for (;;) {
    const { trials } = await runJson<{ trials: { status: string }[] }>(["status", workspace]);
    const statuses = trials.map(({ status }) => status);
    if (wanted(statuses)) return statuses;
    if (Date.now() > until) throw new Error(`Not as wanted after ${timeoutMs} ms: ${statuses}`);
    await clock.sleep(100);
  }
}
