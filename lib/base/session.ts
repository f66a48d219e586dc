import { spawn } from "node:child_process";
import { guarded } from "./guarded.ts";
import { sessionMembers, signalGroups } from "./process-tree.ts";

export interface SessionOptions {
  cwd: string;
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  /** After so long everything is ended. */
  timeoutMs?: number | undefined;
  /** From being asked to end (SIGTERM) to being ended (SIGKILL). */
  graceMs?: number;
  /** How long what the program left behind may go on after its end. */
  leftMs?: number;
  signal: AbortSignal;
  /** What is of its group ends with this process, however that ends. Costs a small shell. */
  guarded?: boolean;
  onOutput(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

/** How the program itself ended; what it left behind has been ended as well. */
export interface SessionEnd {
  exitCode: number | undefined;
  signal: string | undefined;
  timedOut: boolean;
  /** Why it could not be started, such as `ENOENT`. */
  spawnError: string | undefined;
  durationMs: number;
}

/** As long as the batch script waits for what a launcher left running. */
const LEFT_MS = 10_000;
const GRACE_MS = 5_000;
const POLL_MS = 50;

/**
 * Runs a program in a session of its own, without input, and hands its output on
 * as it comes. A timeout or an abort ends the program and all that it started.
 * Never throws: whatever happens is in the result.
 */
export function runSession(argv: readonly string[], options: SessionOptions): Promise<SessionEnd> {
  const { signal, graceMs = GRACE_MS, leftMs = LEFT_MS } = options;
  const started = performance.now();
  return new Promise((resolve) => {
    let timedOut = false;
    let spawnError: string | undefined;
    let ended: { exitCode: number | undefined; signal: string | undefined; at: number } | undefined;
    let piped = true;
    let stopAt: number | undefined;
    let killed = false;
    let done = false;
    const line = options.guarded === true ? guarded(argv) : argv;
    const child = spawn(line[0] ?? "", line.slice(1), {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: options.guarded === true
        ? ["ignore", "pipe", "pipe", "pipe"]
        : ["ignore", "pipe", "pipe"],
      detached: true,
    });
    child.stdio[3]?.on("error", () => {});
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.on("data", (bytes: Uint8Array) => done || options.onOutput(name, bytes));
      child[name]?.on("error", () => {});
    }

    function stop(): void {
      if (stopAt !== undefined || child.pid === undefined) return;
      stopAt = performance.now();
      signalSession(child.pid, "SIGTERM");
    }

    function finish(): void {
      if (done) return;
      done = true;
      clearInterval(poll);
      clearTimeout(limit);
      signal.removeEventListener("abort", stop);
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.stdio[3]?.destroy();
      resolve({
        exitCode: ended?.exitCode,
        signal: ended?.signal,
        timedOut,
        spawnError,
        durationMs: (ended?.at ?? performance.now()) - started,
      });
    }

    function check(): void {
      const now = performance.now();
      if (ended !== undefined) {
        const alive = livingMembers(child.pid!).length > 0;
        if (!alive && (!piped || now - ended.at > leftMs || killed)) return finish();
        if (now - ended.at > leftMs) stop();
      }
      if (stopAt === undefined || now - stopAt < graceMs) return;
      signalSession(child.pid!, "SIGKILL");
      killed = true;
    }

    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      spawnError = error.code ?? error.message;
      finish();
    });
    child.on("exit", (code, by) => {
      ended = { exitCode: code ?? undefined, signal: by ?? undefined, at: performance.now() };
    });
    child.on("close", () => {
      piped = false;
      if (ended !== undefined) check();
    });
    const poll = setInterval(check, POLL_MS);
    const limit = options.timeoutMs === undefined ? undefined : setTimeout(() => {
      timedOut = ended === undefined;
      stop();
    }, options.timeoutMs);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
}

function livingMembers(session: number) {
  return (sessionMembers(new Set([session])).get(session) ?? []).filter(({ zombie }) => !zombie);
}

function signalSession(session: number, name: "SIGTERM" | "SIGKILL"): void {
  signalGroups(livingMembers(session), name);
}
