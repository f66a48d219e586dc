import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { codeOf } from "../../base/files.ts";
import type { SeenState } from "../../sweep/sighting.ts";

/** One line of a job's log. Times in milliseconds since the epoch. */
export type LogLine =
  /** Written and synced before the task is started: what has no such line never ran. */
  | { k: "start"; task: number; at: number; host: string; boot: string }
  /** The signal before the time limit is about to be sent. */
  | { k: "signal"; task: number; at: number }
  /** The supervisor is about to end it. */
  | { k: "stop"; task: number; at: number; why: StopReason }
  | EndLine
  | { k: "throttle"; at: number; limit: number | null };

export type StopReason = "timeout" | "cancel" | "memory";

export interface EndLine {
  k: "end";
  task: number;
  at: number;
  state: SeenState;
  raw: string;
  /** Why it could not be started. */
  detail?: string | undefined;
  exitCode?: number | undefined;
  /** Signal number. */
  signal?: number | undefined;
  /** Largest sum seen; undefined when it was over before the first look. */
  maxRssBytes?: number | undefined;
  cpuSeconds?: number | undefined;
}

/** What became of one task. A task without a trace waits. */
export interface TaskTrace {
  start: Extract<LogLine, { k: "start" }> | undefined;
  signalled: boolean;
  stop: { at: number; why: StopReason } | undefined;
  end: EndLine | undefined;
}

export interface JobTrace {
  tasks: ReadonlyMap<number, TaskTrace>;
  /** How many at once; undefined: as submitted, null: no limit. */
  limit: number | null | undefined;
}

/** Folds a job's log. No log yet: no traces. A line cut by a crash is skipped. */
export function readTrace(path: string): JobTrace {
  const tasks = new Map<number, TaskTrace>();
  let limit: number | null | undefined;
  for (const line of readLines(path)) {
    if (line.k === "throttle") {
      limit = line.limit;
      continue;
    }
    let trace = tasks.get(line.task);
    if (trace === undefined) {
      trace = { start: undefined, signalled: false, stop: undefined, end: undefined };
      tasks.set(line.task, trace);
    }
    if (line.k === "start") trace.start = line;
    else if (line.k === "signal") trace.signalled = true;
    else if (line.k === "stop") trace.stop = { at: line.at, why: line.why };
    else trace.end = line;
  }
  return { tasks, limit };
}

/**
 * Appends lines in one write. `durable` waits for the disk: a start that a power
 * cut takes back would be run a second time.
 */
export function appendLines(path: string, lines: readonly LogLine[], durable: boolean): void {
  if (lines.length === 0) return;
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const file = openSync(path, "a", 0o600);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Ends a line that a killed writer left open, so that the next one stands alone. */
export function closeTornLine(path: string): void {
  const text = readText(path);
  if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n");
}

function readLines(path: string): LogLine[] {
  const text = readText(path);
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as LogLine];
    } catch {
      return [];
    }
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}
