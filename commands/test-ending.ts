import { constants } from "node:os";
import { UserError } from "../lib/base/errors.ts";
import type { SessionEnd } from "../lib/base/session.ts";

/** As `timeout` of the coreutils says it. */
const TIMED_OUT = 124;

/** The exit code that a shell would see: the launcher's own, 128 and the number for a signal. */
export function exitCodeOf({ exitCode, signal, timedOut, spawnError }: SessionEnd): number {
  if (spawnError !== undefined) {
    throw new UserError(`Cannot start the launcher: bash could not be run (${spawnError})`);
  }
  if (timedOut) return TIMED_OUT;
  if (exitCode !== undefined) return exitCode;
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[signal ?? ""] ?? 0);
}

/** How it ended, in a few words. */
export function endingText(end: SessionEnd): string {
  const seconds = `${(end.durationMs / 1000).toFixed(1)} s`;
  if (end.timedOut) return `ended by --timeout after ${seconds}`;
  if (end.signal !== undefined) return `killed by ${end.signal} after ${seconds}`;
  return end.exitCode === 0 ? `done after ${seconds}` : `exit ${end.exitCode} after ${seconds}`;
}

export function endingFields(end: SessionEnd): Record<string, unknown> {
  return {
    exit_code: end.exitCode ?? null,
    signal: end.signal?.replace(/^SIG/, "") ?? null,
    timed_out: end.timedOut,
    duration_seconds: Math.round(end.durationMs) / 1000,
  };
}

/** Keeps the end of a stream: what a launcher said last says why it failed. */
export function createKeeper(most: number): { add(bytes: Uint8Array): void; text(): string } {
  let kept = new Uint8Array(0);
  return {
    add(bytes) {
      const joined = Buffer.concat([kept, bytes]);
      kept = joined.length > most ? new Uint8Array(joined.subarray(-most)) : new Uint8Array(joined);
    },
    text: () => new TextDecoder().decode(kept),
  };
}
