import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";

export interface LineOptions {
  cwd: string;
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  /** All that it reads. */
  input: string;
  signal: AbortSignal;
  /** Each line of its output without its end, as it comes. */
  onLine(line: string): void;
  /** From being asked to end (SIGTERM) to being ended (SIGKILL). */
  graceMs?: number;
}

/** How it ended; what it wrote to standard output went to `onLine`. */
export interface LinesEnd {
  exitCode: number | undefined;
  signal: string | undefined;
  canceled: boolean;
  /** Why it could not be started, such as `ENOENT`. */
  spawnError: string | undefined;
  /** The end of what it wrote to standard error. */
  stderr: string;
}

/** Runs one program and hands its lines on. */
export type LineRunner = (argv: readonly string[], options: LineOptions) => Promise<LinesEnd>;

/** A longer line is cut: no program may fill the memory of a daemon. Characters. */
const LINE_LIMIT = 4 * 1024 * 1024;
const STDERR_KEPT = 8 * 1024;
const GRACE_MS = 3_000;

/**
 * Runs a program in a group of its own and hands on its output line by line. When
 * it has ended, or is canceled, everything of its group ends with it.
 * Never throws: whatever happens is in the result.
 */
export function runLines(argv: readonly string[], options: LineOptions): Promise<LinesEnd> {
  return new Promise((resolve) => {
    let canceled = false;
    let stderr = "";
    let force: ReturnType<typeof setTimeout> | undefined;
    const lines = createLineSplitter(options.onLine);
    const child = spawn(argv[0] ?? "", argv.slice(1), {
      cwd: options.cwd,
      env: options.env,
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: what it starts ends with it, and Ctrl-C reaches the daemon alone.
      detached: true,
    });
    const end = (signal: "SIGTERM" | "SIGKILL") => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // Nobody of the group is left.
      }
    };
    const cancel = () => {
      canceled = true;
      end("SIGTERM");
      force = setTimeout(() => end("SIGKILL"), options.graceMs ?? GRACE_MS);
    };
    const finish = (code: number | null, signal: string | null, spawnError?: string) => {
      clearTimeout(force);
      options.signal.removeEventListener("abort", cancel);
      lines.end();
      resolve({
        exitCode: code ?? undefined,
        signal: signal ?? undefined,
        canceled,
        spawnError,
        stderr,
      });
    };
    child.stdout.on("data", (bytes: Buffer) => lines.add(bytes));
    child.stderr.on("data", (bytes: Buffer) => {
      stderr = (stderr + bytes.toString()).slice(-STDERR_KEPT);
    });
    // A child that closes its input early is told apart by its exit code, not by EPIPE.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) finish(null, null, error.code ?? error.message);
    });
    // Before `close`: what it leaves behind may hold the pipes open for ever.
    child.on("exit", () => end("SIGKILL"));
    child.on("close", (code, signal) => finish(code, signal));
    options.signal.addEventListener("abort", cancel, { once: true });
    if (options.signal.aborted) cancel();
  });
}

function createLineSplitter(onLine: (line: string) => void) {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return {
    add(bytes: Buffer): void {
      const parts = (rest + decoder.write(bytes)).split("\n");
      rest = (parts.pop() ?? "").slice(0, LINE_LIMIT);
      for (const part of parts) onLine(part.slice(0, LINE_LIMIT));
    },
    end(): void {
      const last = rest + decoder.end();
      rest = "";
      if (last !== "") onLine(last);
    },
  };
}
