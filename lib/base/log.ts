import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** The program's diary for whoever looks for a fault; people's own output goes through the terminal. */
export interface Log {
  write(level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** Where it is kept, to tell the user; undefined when nothing could be kept. */
  readonly path: string | undefined;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The full file is kept as `PATH.1`, so that a log takes at most twice this, in bytes. */
const MOST_BYTES = 4 * 1024 * 1024;

/** `$XDG_STATE_HOME/herd/herd.log`, by default under `~/.local/state`; undefined without a home. */
export function logPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const state = env["XDG_STATE_HOME"] || (env["HOME"] ? join(env["HOME"], ".local/state") : "");
  return state.startsWith("/") ? join(state, "herd", "herd.log") : undefined;
}

/**
 * A log of JSON Lines, one write per entry. It never throws: a full or missing
 * home directory is no reason to stop; `path` is undefined until it can be written again.
 */
export function createFileLog(
  path: string | undefined,
  clock: Clock,
  least: LogLevel = "info",
): Log {
  let kept = path;
  return {
    get path() {
      return kept;
    },
    write(level, message, facts = {}) {
      if (path === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
      const time = new Date(clock.now()).toISOString();
      try {
        append(path, `${JSON.stringify({ time, level, pid: process.pid, message, ...facts })}\n`);
        kept = path;
      } catch {
        kept = undefined;
      }
    },
  };
}

function append(path: string, line: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MOST_BYTES) renameSync(path, `${path}.1`);
  appendFileSync(path, line, { mode: 0o600 });
}

/** Whether the user wants to see the details of errors. HyperHerd's variable counts, too. */
export function isDebugging(env: Readonly<Record<string, string | undefined>>): boolean {
  return Boolean(env["HERD_DEBUG"] || env["HYPERHERD_DEBUG"]);
}
