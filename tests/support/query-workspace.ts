import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dispatch } from "../../commands/dispatch.ts";
import { TABLE } from "../../commands/table.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { createSystemClock } from "../../lib/base/clock.ts";
import { exitCodeOf } from "../../lib/base/explain.ts";
import { openOutside } from "../../lib/daemon/open-outside.ts";
import type { Outside } from "../../lib/daemon/outside.ts";
import type { Ending, Phase, Usage } from "../../lib/sweep/attempt.ts";
import { planRun } from "../../lib/sweep/run-plan.ts";
import { createCapturedTerminal } from "./captured-terminal.ts";
import { removeTree } from "./remove-tree.ts";

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
  error: Error | undefined;
  json(): unknown;
}

/** What became of a trial that was submitted. */
export interface Ran {
  index: number;
  phase?: Phase;
  cause?: Ending["cause"];
  exitCode?: number;
  schedulerState?: string;
  startedAt?: number;
  endedAt?: number;
  usage?: Partial<Usage>;
}

export interface QueryWorkspace {
  root: string;
  /** Runs a command in this process, in the workspace. */
  herd(argv: readonly string[], more?: HerdOptions): Promise<Said>;
  /** Records that a run submitted these trials as `submission`, and what became of them. */
  ran(list: readonly Ran[], submission?: string): Promise<void>;
  /** Writes a file below the workspace, or below `.hyperherd` when it begins with `.hyperherd`. */
  write(path: string, text: string, mode?: number): void;
  append(path: string, text: string): void;
  outside(): Outside;
}

export interface HerdOptions {
  clock?: Clock;
  signal?: AbortSignal;
  env?: Record<string, string>;
  /** Makes standard output a terminal. */
  columns?: number;
  /** Called with what is on standard output so far, whenever something is written. */
  onOutput?: (stdout: string) => void;
}

export const LAUNCHER = '#!/bin/bash\nprintf "<%s>\\n" "$1" "${@:2}"\n';

/** A workspace with a hostile name, real files and the local scheduler, gone after the test. */
export async function inWorkspace(
  yaml: string,
  use: (workspace: QueryWorkspace) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "herd q %j 'ü\" "));
  const write: QueryWorkspace["write"] = (path, text, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
  };
  const outside = () =>
    openOutside({
      workspace: root,
      env: {},
      clock: createSystemClock(),
      signal: new AbortController().signal,
      self: ["herd"],
      onWarning: () => {},
    });
  try {
    write("hyperherd.yaml", yaml);
    write("launch.sh", LAUNCHER, 0o755);
    await use({
      root,
      write,
      append: (path, text) => appendFileSync(join(root, path), text),
      outside,
      herd: (argv, more) => runHerd(root, argv, more),
      ran: (list, submission) => record(outside(), list, submission),
    });
  } finally {
    removeTree(root);
  }
}

async function runHerd(
  cwd: string,
  argv: readonly string[],
  more: HerdOptions = {},
): Promise<Said> {
  const size = more.columns === undefined ? {} : { size: { columns: more.columns, rows: 24 } };
  const terminal = createCapturedTerminal({ env: { NO_COLOR: "1", ...more.env }, ...size });
  const { onOutput } = more;
  const out = onOutput === undefined ? terminal.out : {
    ...terminal.out,
    write(text: string) {
      terminal.out.write(text);
      onOutput(terminal.stdout());
    },
  };
  let code: number;
  let error: Error | undefined;
  try {
    code = await dispatch(argv, {
      out,
      log: { path: undefined, write() {} },
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...more.env },
      cwd,
      clock: more.clock ?? createSystemClock(),
      signal: more.signal ?? new AbortController().signal,
      table: TABLE,
    });
  } catch (thrown) {
    error = thrown as Error;
    code = exitCodeOf(thrown);
  }
  const stdout = terminal.stdout();
  return { code, stdout, stderr: terminal.stderr(), error, json: () => JSON.parse(stdout) };
}

async function record(outside: Outside, list: readonly Ran[], submission = "s1"): Promise<void> {
  await outside.change("run", (_perform, parts) => {
    const request = {
      indices: undefined,
      pins: [],
      force: true,
      skip: false,
      changed: "keep",
    } as const;
    const plan = planRun({ ...outside.sweep(), state: parts.state(), request });
    if ("refused" in plan) throw new Error(plan.reason);
    parts.append(plan.happenings);
    parts.append([
      {
        type: "submission-intended",
        submission,
        scheduler: "local",
        jobName: `hyperherd_t_${submission}`,
        fixed: plan.definition.fixed,
        tasks: list.map(({ index }) => ({ task: index, trial: index, attempt: 1, as: "x" })),
        timeSeconds: 3600,
      },
      { type: "submission-accepted", submission, jobId: `${submission}job` },
      {
        type: "attempts-changed",
        changes: list.map((one) => ({
          submission,
          task: one.index,
          phase: one.phase ?? "ended",
          startedAt: one.startedAt ?? 1_700_000_000_000,
          endedAt: one.phase === undefined
            ? one.endedAt ?? 1_700_000_000_000 + (one.usage?.elapsedSeconds ?? 90) * 1000
            : null,
          usageDue: false,
          ...(one.schedulerState === undefined ? {} : { schedulerState: one.schedulerState }),
          ...(one.usage === undefined ? {} : {
            usage: {
              elapsedSeconds: undefined,
              maxRssBytes: undefined,
              aveRssBytes: undefined,
              requestedMemoryBytes: undefined,
              cpuSeconds: undefined,
              allocatedCpus: undefined,
              ...one.usage,
            },
          }),
          ...(one.phase === undefined
            ? {
              ending: {
                cause: one.cause ?? "completed",
                exitCode: one.exitCode,
                signal: undefined,
                source: "both" as const,
              },
            }
            : {}),
        })),
      },
    ]);
    return Promise.resolve();
  });
}

/** A clock that runs many times as fast as the machine's. */
export function quickClock(times: number): Clock {
  const start = Date.now();
  const { sleep } = createSystemClock();
  return {
    now: () => start + (Date.now() - start) * times,
    sleep: (ms, signal) => sleep(ms / times, signal),
  };
}
