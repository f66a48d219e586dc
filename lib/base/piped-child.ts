import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Readable } from "node:stream";
import { guarded } from "./guarded.ts";

/** A program that stays and is talked to over its input and output. */
export interface PipedChild {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** False when it does not read what it was sent before, or is gone. */
  write(text: string): boolean;
  /** Nothing more is to be written. */
  closeInput(): void;
  /** How it ended; never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** When all that it wrote has been handed on; not before whoever shares its outputs is gone as well. */
  readonly drained: Promise<void>;
  /**
   * Closes its input, then asks it and all it started to end, then forces them.
   * Resolves when that is done, at once when it was done before.
   */
  end(): Promise<void>;
}

export interface ChildEnd {
  exitCode: number | undefined;
  signal: string | undefined;
  /** Why it could not be started, such as `ENOENT`. */
  spawnError: string | undefined;
}

export interface PipedChildOptions {
  cwd?: string;
  /** The child's whole environment. */
  env: Readonly<Record<string, string>>;
  onOutput(bytes: Uint8Array): void;
  onErrorOutput(bytes: Uint8Array): void;
  /** How long it may take to end by itself, and again after SIGTERM. Milliseconds. */
  graceMs?: number;
  /** It and its group end with this process, however that ends. Costs a small shell. */
  guarded?: boolean;
  /** What it writes faster waits in its pipe, so that it takes no time from others; absent: no limit. */
  bytesPerSecond?: number;
}

/** So much may wait for a child that does not read. Bytes. */
const MOST_WAITING = 8 * 1024 * 1024;

/**
 * Starts a program as the leader of its own process group: `npx`, `uvx` and shells
 * leave the real program behind when only they are ended. Never throws.
 */
export function startPiped(argv: readonly string[], options: PipedChildOptions): PipedChild {
  const line = options.guarded === true ? guarded(argv) : argv;
  const child = spawn(line[0] ?? "", line.slice(1), {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: options.guarded === true ? ["pipe", "pipe", "pipe", "pipe"] : ["pipe", "pipe", "pipe"],
  }) as ChildProcessWithoutNullStreams;
  child.stdio[3]?.on("error", () => {});
  const pid = child.pid;
  let over = false;
  let ending: Promise<void> | undefined;
  const ended = new Promise<ChildEnd>((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (pid !== undefined) return;
      over = true;
      resolve({
        exitCode: undefined,
        signal: undefined,
        spawnError: error.code ?? error.message,
      });
    });
    child.on("exit", (code, signal) => {
      over = true;
      // What it started may hold the pipes for ever, and has nobody left to work for.
      kill("SIGKILL");
      resolve({ exitCode: code ?? undefined, signal: signal ?? undefined, spawnError: undefined });
    });
  });
  const drained = new Promise<void>((resolve) => {
    child.on("error", () => pid === undefined && resolve());
    child.on("close", () => resolve());
  });
  child.stdin.on("error", () => {});
  const brake = createBrake(child.stdout, options.bytesPerSecond ?? Infinity);
  child.stdout.on("data", (bytes: Uint8Array) => {
    options.onOutput(bytes);
    brake(bytes.length);
  });
  child.stderr.on("data", options.onErrorOutput);

  function kill(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  }

  async function finish(): Promise<void> {
    const graceMs = options.graceMs ?? 1500;
    child.stdin.end();
    if (!over) await within(ended, graceMs);
    if (!over) {
      kill("SIGTERM");
      await within(ended, graceMs);
    }
    if (!over) kill("SIGKILL");
    await ended;
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    child.stdio[3]?.destroy();
  }

  return {
    pid,
    ended,
    drained,
    write(text) {
      if (over || ending !== undefined || child.stdin.writableLength > MOST_WAITING) return false;
      child.stdin.write(text);
      return true;
    },
    closeInput: () => void child.stdin.end(),
    end: () => ending ??= finish(),
  };
}

/** How often is looked how much came. Milliseconds. */
const WINDOW_MS = 100;

/** What is called with each piece of a stream pauses it until the next window when it gave too much. */
function createBrake(stream: Readable, perSecond: number): (bytes: number) => void {
  let since = 0;
  let given = 0;
  return (bytes) => {
    const now = performance.now();
    if (now - since >= WINDOW_MS) [since, given] = [now, 0];
    given += bytes;
    if (given * 1000 < perSecond * WINDOW_MS) return;
    stream.pause();
    setTimeout(() => stream.resume(), since + WINDOW_MS - now);
  };
}

/** Waits for `promise`, but no longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([promise, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}
