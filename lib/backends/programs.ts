import { randomUUID } from "node:crypto";
import { runSession, type SessionEnd } from "../base/session.ts";
import type { Work } from "../tasks/backend.ts";
import type { WrapSandbox } from "../tasks/wrap-sandbox.ts";
import { endMarked, MARK } from "./end-marked.ts";

export interface ProgramRun {
  argv: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Beside the task's folder. Absolute paths. */
  reads?: readonly string[];
  writes?: readonly string[];
  /** A file that it reads as its standard input; absent: nothing. */
  input?: string;
  timeoutMs?: number;
  /** How long what it left running may go on after its end. Milliseconds. */
  leftMs: number;
  signal: AbortSignal;
  onOutput(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

/** Programs of one attempt, each within its sandbox. */
export interface Programs {
  /** Runs one to its end; nothing of it is left then. Never throws. */
  run(run: ProgramRun): Promise<SessionEnd | { refused: string }>;
  /** Resolves when none runs, also when nobody waited for one. */
  settled(): Promise<void>;
}

/** A redirection within herd's own words: no pipe of ours that a program might not read. */
const FROM_FILE = ["/bin/sh", "-c", 'exec <"$0" && exec "$@"'] as const;

export function createPrograms(
  { wrap, graceMs, work, guarded = false }: {
    wrap: WrapSandbox;
    graceMs: number | undefined;
    /** They end with this process, however that ends. */
    guarded?: boolean;
    work: Pick<Work, "folder" | "sandbox" | "env">;
  },
): Programs {
  const running = new Set<Promise<unknown>>();

  async function run(one: ProgramRun): Promise<SessionEnd | { refused: string }> {
    const { folder, sandbox } = work;
    const { reads = [], writes = [] } = one;
    const wrapped = wrap(one.argv, { sandbox, folder, reads, writes });
    if ("refused" in wrapped) return wrapped;
    const mark = randomUUID();
    const argv = one.input === undefined
      ? wrapped.argv
      : [...FROM_FILE, one.input, ...wrapped.argv];
    const end = await runSession(argv, {
      cwd: folder,
      env: { ...work.env, ...one.env, [MARK]: mark },
      timeoutMs: one.timeoutMs,
      ...(graceMs === undefined ? {} : { graceMs }),
      leftMs: one.leftMs,
      guarded,
      signal: one.signal,
      onOutput: one.onOutput,
    });
    await endMarked(mark);
    return end;
  }

  return {
    run(one) {
      const ended = run(one).finally(() => running.delete(ended));
      running.add(ended);
      return ended;
    },
    async settled() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}
