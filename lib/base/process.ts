import { spawn } from "node:child_process";

/** How a child process ended. Success and failure have the same shape. */
export interface Ended {
  argv: readonly string[];
  /** Undefined when a signal ended it or it never started. */
  exitCode: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  canceled: boolean;
  /** Why it could not be started, such as `ENOENT`. */
  spawnError: string | undefined;
  /** On another computer only: why nobody knows whether it ran or how it ended. */
  lost?: string;
  durationMs: number;
  /** True for exit code 0 and nothing else. */
  ok: boolean;
}

export interface RunOptions {
  cwd?: string;
  /** The whole environment of the child; by default this process's own. */
  env?: Record<string, string>;
  timeoutMs?: number;
  input?: string;
  signal?: AbortSignal;
  /** Bytes kept of each stream; more is dropped. */
  maxBytes?: number;
}

/** A function that runs one program: the local machine here, ssh elsewhere. */
export type Runner = (argv: readonly string[], options?: RunOptions) => Promise<Ended>;

/** Runs a program to its end. Never throws: whatever happens is in the result. */
export function runProcess(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const started = performance.now();
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  return new Promise((resolve) => {
    let timedOut = false;
    let canceled = false;
    let closed = false;
    let spawnError: string | undefined;
    const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
    const child = spawn(argv[0] ?? "", argv.slice(1), {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    for (const name of ["stdout", "stderr"] as const) {
      let bytes = 0;
      child[name]?.on("data", (chunk: Uint8Array) => {
        bytes += chunk.byteLength;
        if (bytes <= maxBytes) kept[name].push(chunk);
      });
    }
    // A child that closes its input early is told apart by its exit code, not by EPIPE.
    child.stdin?.on("error", () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);
    // Not child.kill: under Deno the second one does nothing, and the first one colours the exit.
    const end = (signal: "SIGTERM" | "SIGKILL") => {
      try {
        if (child.pid !== undefined && !closed) process.kill(child.pid, signal);
      } catch {
        // It ended in this very moment.
      }
    };
    const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => {
      timedOut = true;
      end("SIGKILL");
      // A child of the child's may hold the pipes open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, options.timeoutMs);
    const cancel = () => {
      canceled = true;
      end("SIGTERM");
    };
    options.signal?.addEventListener("abort", cancel, { once: true });
    if (options.signal?.aborted) cancel();
    const finish = (code: number | null, signal: string | null) => {
      closed = true;
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", cancel);
      resolve({
        argv,
        exitCode: code ?? undefined,
        signal: signal ?? undefined,
        stdout: new TextDecoder().decode(Buffer.concat(kept.stdout)),
        stderr: new TextDecoder().decode(Buffer.concat(kept.stderr)),
        timedOut,
        canceled,
        spawnError,
        durationMs: performance.now() - started,
        ok: code === 0 && !timedOut && !canceled,
      });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      spawnError = error.code ?? error.message;
      finish(null, null);
    });
    // Its pid may be another's once it is reaped, also while somebody holds its pipes open.
    child.on("exit", () => closed = true);
    child.on("close", finish);
  });
}
