import type { Readable, Writable } from "node:stream";
import { EXEC_AS_LOGIN } from "../deploy/login-shell.ts";
import type { SshHost, SshStream, WindowSize } from "../ssh/ssh-host.ts";
import { unlessAborted } from "../ssh/unless-aborted.ts";

export interface RunThereParts {
  host: SshHost;
  /** What follows `herd` on the command line. */
  words: readonly string[];
  /** Variables for it, such as `NO_COLOR`. */
  env: Readonly<Record<string, string>>;
  input: Readable;
  output: Writable;
  errorOutput: Writable;
  /** The size of the terminal here; undefined: there is none, and none is made there. */
  terminal: TerminalHere | undefined;
  /** Ctrl-C: it is told there, and says how it ended. */
  signal: AbortSignal;
}

export interface TerminalHere {
  term: string;
  size(): WindowSize;
  /** Gives back what ends it. */
  onResize(listener: () => void): () => void;
}

export type ThereEnd =
  | { exitCode: number }
  | { signal: string }
  /** Nobody knows how it ended. */
  | { lost: string }
  /** The output could not be written here, such as by EPIPE, and the program there was ended. */
  | { unwritten: Error };

/** Finds herd where `herd deploy` and people put it, and starts it as a terminal would. */
const SCRIPT = `for p in "$HOME/.local/bin/herd" "$HOME/bin/herd" "$HOME/herd"; do
  [ -f "$p" ] && [ -x "$p" ] && break
  p=herd
done
set -- "$p" "$@"
${EXEC_AS_LOGIN}`;

/** A shell's word for: there is no such program. */
export const NO_PROGRAM = 127;

/** The command line of herd on the host. */
export function herdThere(words: readonly string[]): string[] {
  return ["/bin/sh", "-c", SCRIPT, "sh", ...words];
}

/** Runs herd there, as if it had been typed there. Rejects with SshError when it cannot be started. */
export async function runThere(parts: RunThereParts): Promise<ThereEnd> {
  const { host, words, env, terminal } = parts;
  parts.signal.throwIfAborted();
  const starting = host.stream(herdThere(words), {
    env,
    ...(terminal === undefined ? {} : { pty: { term: terminal.term, ...terminal.size() } }),
  });
  const stream = await unlessAborted(starting, parts.signal).catch((error) => {
    // Before it runs there is nothing to be told.
    starting.then((late) => late.destroy(), () => {});
    throw error;
  });
  const stop = () => stream.kill("INT");
  parts.signal.addEventListener("abort", stop, { once: true });
  if (parts.signal.aborted) stop();
  const unsize = terminal?.onResize(() => stream.resize(terminal.size()));
  const unfeed = feed(parts.input, stream);
  // A reader that goes away is told to the program there as its own would be.
  let unwritten: Error | undefined;
  const giveUp = (error: Error) => {
    unwritten = error;
    // A channel that nobody reads never ends.
    for (const readable of [stream.output, stream.errorOutput]) readable.unpipe?.();
    for (const readable of [stream.output, stream.errorOutput]) readable.resume();
    stream.destroy();
  };
  parts.output.once("error", giveUp);
  parts.errorOutput.once("error", giveUp);
  try {
    stream.output.pipe(parts.output, { end: false });
    stream.errorOutput.pipe(parts.errorOutput, { end: false });
    const { exitCode, signal, lost } = await stream.ended;
    if (unwritten !== undefined) return { unwritten };
    await Promise.all([written(parts.output), written(parts.errorOutput)]);
    if (lost !== undefined) return { lost };
    return exitCode === undefined ? { signal: signal ?? "SIGKILL" } : { exitCode };
  } finally {
    parts.signal.removeEventListener("abort", stop);
    unsize?.();
    unfeed();
  }
}

/** Everything that was given to it has left this process. */
function written(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (output.destroyed) return resolve();
    output.once("close", resolve);
    output.write("", () => resolve());
  });
}

/** What is typed or piped here is read there; the end of it is the end there. */
function feed(input: Readable, { output }: SshStream): () => void {
  // It may end without having read everything.
  output.on("error", () => {});
  const pass = (bytes: Uint8Array) => {
    if (!output.write(bytes)) {
      input.pause();
      output.once("drain", () => input.resume());
    }
  };
  const end = () => output.end();
  input.on("data", pass);
  input.on("end", end);
  return () => {
    input.off("data", pass);
    input.off("end", end);
    input.pause();
  };
}
