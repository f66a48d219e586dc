import { statSync } from "node:fs";
import { createSystemClock } from "../lib/base/clock.ts";
import { SchedulerError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { exitCodeOf, explain, kindOf } from "../lib/base/explain.ts";
import { isHangupIgnored } from "../lib/base/hangup.ts";
import { createFileLog, isDebugging, type Log, logPath } from "../lib/base/log.ts";
import { createOutput } from "../lib/base/output.ts";
import { terminalQuestion } from "../lib/base/question.ts";
import { createTerminal, type Terminal } from "../lib/base/terminal.ts";
import { dispatch } from "./dispatch.ts";
import { TABLE } from "./table.ts";

const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.terminated };

/** Runs the program in this process and resolves to its exit code. Never throws. */
export async function start(argv: readonly string[], table = TABLE): Promise<number> {
  const env = process.env;
  const ending = listenForEnd(() => out.close());
  const out: Terminal = createTerminal({
    env,
    stdout: createOutput(1, () => ending.end(EXIT.brokenPipe)),
    stderr: createOutput(2),
    question: terminalQuestion(),
  });
  const clock = createSystemClock();
  const log = createFileLog(logPath(env), clock, isDebugging(env) ? "debug" : "info");
  const surroundings = {
    out,
    log,
    env,
    clock,
    signal: ending.signal,
    table,
  };
  try {
    const code = await dispatch(argv, { ...surroundings, cwd: currentFolder() });
    return ending.code() ?? code;
  } catch (error) {
    return report(error, { argv, out, log, env, ended: ending.code() });
  } finally {
    out.close();
    ending.stop();
  }
}

/** Throws UserError when somebody removed the folder in which the shell still is. */
function currentFolder(): string {
  try {
    const folder = process.cwd();
    statSync(folder);
    return folder;
  } catch (error) {
    throw new UserError("Cannot use the current folder: it was removed, or may not be entered", {
      hint: "Change to a folder that exists, such as with cd",
      cause: error,
    });
  }
}

interface Ending {
  signal: AbortSignal;
  end(code: number): void;
  /** The exit code that ended the program early; the first cause wins. */
  code(): number | undefined;
  stop(): void;
}

/** Turns signals into an abort; the second Ctrl-C ends the process at once, as the first one asked. */
function listenForEnd(beforeDeath: () => void): Ending {
  const controller = new AbortController();
  let code: number | undefined;
  const end = (wanted: number) => {
    code ??= wanted;
    controller.abort();
  };
  const heard = Object.entries(SIGNALS).filter(([name]) => name !== "SIGHUP" || !isHangupIgnored());
  const listeners = heard.map(([name, wanted]) => {
    const listener = () => {
      if (code === undefined) return end(wanted);
      beforeDeath();
      process.removeAllListeners(name);
      process.kill(process.pid, name);
    };
    process.on(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    end,
    code: () => code,
    stop: () => listeners.forEach(({ name, listener }) => process.removeListener(name, listener)),
  };
}

interface Report {
  argv: readonly string[];
  out: Terminal;
  log: Log;
  env: NodeJS.ProcessEnv;
  ended: number | undefined;
}

function report(error: unknown, { argv, out, log, env, ended }: Report): number {
  if (ended === EXIT.brokenPipe) return ended;
  const kind = kindOf(error);
  if (ended !== undefined && kind === "interrupted") {
    out.close();
    if (ended === EXIT.interrupted) out.printError("Interrupted");
    return ended;
  }
  const bug = kind === "unexpected";
  if (bug || error instanceof SchedulerError) {
    log.write("error", explain(error, "terminal"), { kind, argv, stack: explain(error, "log") });
  }
  out.close();
  try {
    if (argv.includes("--json")) out.json(explain(error, "json"));
    out.printError(textFor(error, { out, log, env, bug }));
  } catch {
    // Nothing can be written; the exit code still tells.
  }
  return ended ?? exitCodeOf(error);
}

function textFor(
  error: unknown,
  { out, log, env, bug }: Pick<Report, "out" | "log" | "env"> & { bug: boolean },
): string {
  const { red, dim, yellow } = out.errorPaint;
  const [first, ...rest] = explain(error, "terminal").split("\n");
  const lines = [`${red("Error:")} ${first}`];
  for (const line of rest) lines.push(line.startsWith("Hint: ") ? yellow(line) : line);
  if (isDebugging(env)) lines.push(dim(explain(error, "log")));
  else if (bug) lines.push(`Hint: ${whereToLook(log)}`);
  return lines.join("\n");
}

function whereToLook(log: Log): string {
  return log.path === undefined
    ? "Set HERD_DEBUG=1 to see the details; no log could be written"
    : `See the log ${log.path}, or set HERD_DEBUG=1`;
}
