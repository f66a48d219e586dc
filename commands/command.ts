import type { ArgumentSpec, OptionSpec, Values } from "../lib/base/arguments.ts";
import type { Clock } from "../lib/base/clock.ts";
import type { Log } from "../lib/base/log.ts";
import type { Terminal } from "../lib/base/terminal.ts";

/** Options that every command has; the dispatcher adds them. */
export const STANDARD_OPTIONS = [
  { name: "json", description: "Print one JSON document, errors included" },
  { name: "help", short: "h", description: "Show this help" },
] as const satisfies readonly OptionSpec[];

/** What a command works with; nothing else of the process is its business. */
export interface Context<T extends readonly OptionSpec[] = readonly OptionSpec[]> {
  values: Values<T>;
  /** Checked in number against the command's arguments. */
  positionals: readonly string[];
  out: Terminal;
  log: Log;
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  cwd: string;
  clock: Clock;
  /** Aborted by Ctrl-C, SIGTERM, SIGHUP, or when nobody reads the output any more. */
  signal: AbortSignal;
  /** All commands, for those that explain the others. */
  table: readonly Entry[];
  /** Whether to print one JSON document on standard output and nothing else there. */
  json: boolean;
}

export interface Example {
  /** The line as typed, beginning with `herd`. */
  line: string;
  meaning: string;
}

/** A subcommand as data: dispatch, help, completion and docs read the same fields. */
export interface Command<T extends readonly OptionSpec[] = readonly OptionSpec[]> {
  readonly name: string;
  /** What it does, in one line, capital and no period. */
  readonly summary: string;
  /** Paragraphs of help below the summary; lines are shown as they are. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: T;
  readonly examples?: readonly Example[];
  /** Resolves to the exit code; throws what `explain` knows. */
  run(context: Context<T>): Promise<number> | number;
}

/** A line of the table of commands; the module is loaded when it is used, for a fast start. */
export interface Entry {
  readonly name: string;
  /** The heading under which help lists it. */
  readonly group: string;
  /** Not for people: left out of help, suggestions and completions. */
  readonly hidden?: boolean;
  readonly load: () => Promise<{ command: Command }>;
}

/** Gives the command back; it is there so that `values` gets its types from `options`. */
export function defineCommand<const T extends readonly OptionSpec[] = readonly []>(
  command: Command<T>,
): Command<T> {
  return command;
}
