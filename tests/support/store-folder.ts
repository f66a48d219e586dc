import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../lib/base/clock.ts";
import type { Event } from "../../lib/sweep/event.ts";
import type { Fold } from "../../lib/store/journal-reading.ts";
import type { Lease } from "../../lib/store/lease.ts";
import { removeTree } from "./remove-tree.ts";

/** A folder with a hostile name that is gone after the test. */
export async function inFolder(use: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd store %j 'ü\" "));
  try {
    await use(folder);
  } finally {
    removeTree(folder);
  }
}

/** The texts of `noted` events: the smallest fold that shows order, loss and doubling. */
export const notes: Fold<string[]> = {
  version: 1,
  empty: () => [],
  apply(state, event: Event) {
    if (event.what.type === "noted") state.push(event.what.text);
  },
  toPlain: (state) => state,
  fromPlain: (plain) => plain as string[],
};

/** For tests of what does not depend on who else writes. */
export const alwaysHeld: Lease = {
  holder: {
    host: "here",
    pid: 1,
    boot: "",
    start: "",
    space: "",
    purpose: "test",
    at: 0,
    nonce: "",
    beat: 0,
  },
  assertHeld() {},
  release() {},
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Time that moves only when something sleeps, and then at once. */
export function leapingClock(start = Date.UTC(2025, 0, 31)): Clock & { monotonic(): number } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now - start,
    sleep(ms, signal) {
      signal?.throwIfAborted();
      now += ms;
      return Promise.resolve();
    },
  };
}

export interface Child {
  pid: number;
  /** Resolves with the next line that it prints; undefined after its last. */
  line(): Promise<string | undefined>;
  /** Resolves with its exit code; null after a signal. */
  ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** Runs a script of tests/support as a process of its own. */
export function startChild(script: string, ...args: string[]): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ["run", "-A", "--quiet", "--no-check", path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const waiting: ((line: string | undefined) => void)[] = [];
  let rest = "";
  child.stdout.on("data", (chunk: Uint8Array) => {
    const pieces = (rest + new TextDecoder().decode(chunk)).split("\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      const next = waiting.shift();
      if (next === undefined) lines.push(piece);
      else next(piece);
    }
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      for (const next of waiting.splice(0)) next(undefined);
      resolve(code);
    });
  });
  return {
    pid: child.pid!,
    ended,
    line: () => {
      const line = lines.shift();
      if (line !== undefined) return Promise.resolve(line);
      if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(undefined);
      return new Promise((resolve) => waiting.push(resolve));
    },
    // Not `child.kill`: Deno sends a second signal to nobody.
    kill: (signal) => process.kill(child.pid!, signal),
  };
}
