import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

/** A process of its own session that goes on when this one ends. */
export interface Detached {
  pid: number;
  /** How it ended; only while this process lives, and it keeps nobody waiting. */
  exited: Promise<{ exitCode: number | undefined; signal: string | undefined }>;
}

export interface DetachOptions {
  cwd: string;
  /** The child's whole environment, passed as it is; by default ours without Bun's switches. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Paths; the output ones are made when missing and appended to. By default /dev/null. */
  stdin?: string | undefined;
  stdout?: string | undefined;
  stderr?: string | undefined;
}

/**
 * Starts a program in a new session, with its streams on files: no terminal, no
 * pipe and no exit of ours ends it. Throws when a file cannot be opened or the
 * program cannot be started.
 */
export function spawnDetached(argv: readonly string[], options: DetachOptions): Detached {
  const files: number[] = [];
  const open = (path: string | undefined, flags: string) => {
    if (path === undefined) return "ignore" as const;
    const file = openSync(path, flags, 0o644);
    files.push(file);
    return file;
  };
  try {
    const child = spawn(argv[0] ?? "", argv.slice(1), {
      cwd: options.cwd,
      env: { ...(options.env ?? withoutBunSwitches(process.env)) },
      detached: true,
      stdio: [open(options.stdin, "r"), open(options.stdout, "a"), open(options.stderr, "a")],
    });
    const exited = new Promise<Awaited<Detached["exited"]>>((resolve) => {
      child.on("exit", (code, signal) => {
        resolve({ exitCode: code ?? undefined, signal: signal ?? undefined });
      });
    });
    // Without a listener the failure below would be thrown a second time, later, at nobody.
    child.on("error", () => {});
    if (child.pid === undefined) {
      throw new Error(`Cannot start "${argv[0]}" in "${options.cwd}": no such program or folder`);
    }
    child.unref();
    return { pid: child.pid, exited };
  } finally {
    for (const file of files) closeSync(file);
  }
}

/**
 * BUN_OPTIONS loads code into, and BUN_BE_BUN replaces, every compiled Bun
 * program that inherits it: never handed to a copy of ourselves.
 */
export function withoutBunSwitches(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && name !== "BUN_OPTIONS" && name !== "BUN_BE_BUN") kept[name] = value;
  }
  return kept;
}
