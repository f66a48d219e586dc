import { statSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { runProcess } from "../base/process.ts";

export interface NewExecutableParts {
  /** Where this program was started from. */
  path: string;
  /** How that file was when this program started, see `executableStamp`. */
  stamp: string;
  clock: Clock;
  say(text: string): void;
}

const LOOK_MS = 5_000;
const PROOF_MS = 30_000;

/** What tells two files of one path apart; empty when there is none. */
export function executableStamp(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    return "";
  }
}

/**
 * Resolves when another executable lies at the path: whole, for two looks saw the same, and one
 * that starts. What does not start is told of once, and waited out. Rejects when the signal aborts.
 */
export async function untilNewExecutable(
  { path, stamp, clock, say }: NewExecutableParts,
  signal: AbortSignal,
): Promise<void> {
  let last = stamp;
  let refused = "";
  for (;;) {
    await clock.sleep(LOOK_MS, signal);
    const now = executableStamp(path);
    const isSteady = now === last;
    last = now;
    if (now === "" || now === stamp || now === refused || !isSteady) continue;
    const { ok } = await runProcess([path, "--version"], { timeoutMs: PROOF_MS });
    if (ok) return;
    refused = now;
    say(`The new file at "${path}" does not start: the worker goes on with the old one`);
  }
}
