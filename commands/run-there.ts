import { isatty } from "node:tty";
import { constants } from "node:os";
import { SchedulerError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { codeOf } from "../lib/base/files.ts";
import type { Context } from "./command.ts";
import { terminalAsker } from "./terminal-asker.ts";
import { typedWords } from "./typed-words.ts";

/** What of the environment here decides how herd there looks. */
const PASSED = ["NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL", "TZ"];

/**
 * `herd --host NAME COMMAND …`: the whole rest of the line is run by the herd of that host, with
 * this terminal, and its exit code is this one's.
 */
export async function runThereCommand(
  host: string,
  words: readonly string[],
  { env, clock, log, signal }: Pick<Context, "env" | "clock" | "log" | "signal">,
): Promise<number> {
  const { createHosts } = await import("../lib/daemon/hosts.ts");
  const { NO_PROGRAM, runThere } = await import("../lib/daemon/run-there.ts");
  await using hosts = createHosts({ env, clock, log, asker: terminalAsker() });
  // Questions are asked before the terminal is given away.
  const there = await hosts.enter(host, signal);
  const { stdin, stdout, stderr } = process;
  const isTerminal = isatty(0) && isatty(1);
  if (isTerminal) stdin.setRawMode(true);
  try {
    const end = await runThere({
      host: there,
      words: typedWords(words),
      env: Object.fromEntries(
        PASSED.flatMap((name) => env[name] === undefined ? [] : [[name, env[name]!]]),
      ),
      input: stdin,
      output: stdout,
      errorOutput: stderr,
      terminal: isTerminal
        ? {
          term: env["TERM"] || "xterm-256color",
          size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
          onResize(listener) {
            stdout.on("resize", listener);
            return () => void stdout.off("resize", listener);
          },
        }
        : undefined,
      signal,
    });
    if ("lost" in end) {
      throw new SchedulerError(
        "unreachable",
        `Cannot tell how it ended on "${host}", nobody knows: ${end.lost}. ` +
          "Look there before you repeat it, such as with herd status",
      );
    }
    if ("unwritten" in end) {
      if (codeOf(end.unwritten) === "EPIPE") return EXIT.brokenPipe;
      throw new UserError(
        `Cannot write what "${host}" printed: ${codeOf(end.unwritten) ?? end.unwritten.message}; ` +
          "the command there was ended",
      );
    }
    if ("signal" in end) return 128 + (signalNumber(end.signal) ?? 0);
    if (end.exitCode === NO_PROGRAM) {
      throw new UserError(`Cannot run herd on "${host}": it is not installed there`, {
        hint: `Put it there: herd deploy ${host}`,
      });
    }
    return end.exitCode;
  } finally {
    if (isTerminal) stdin.setRawMode(false);
    stdin.unref?.();
  }
}

function signalNumber(name: string): number | undefined {
  return (constants.signals as Readonly<Record<string, number>>)[name];
}

/** The host and the rest of a line that begins with `--host`; undefined for any other. */
export function hostOf(
  [first, ...rest]: readonly string[],
): { host: string; words: readonly string[] } | undefined {
  const joined = /^--host=(.*)$/s.exec(first ?? "")?.[1];
  if (joined === undefined && first !== "--host") return undefined;
  const [host, words] = joined === undefined ? [rest[0], rest.slice(1)] : [joined, rest];
  if (host === undefined || host === "" || host.startsWith("-")) {
    throw new UserError("Cannot run a command elsewhere: --host needs the name of a host", {
      hint: "Such as: herd --host login status sweep/",
    });
  }
  if (words.length === 0) {
    throw new UserError(`Cannot run nothing on "${host}": a command is missing`, {
      hint: `Such as: herd --host ${host} status sweep/`,
    });
  }
  return { host, words };
}
