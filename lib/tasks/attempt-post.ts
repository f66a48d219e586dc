import { write } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { codeOf } from "../base/files.ts";
import type { AttemptMessage } from "./attempt-message.ts";

/** At most so often. */
const PROGRESS_MS = 500;
const PROGRESS_LENGTH = 200;

export interface Post {
  /** Resolves when it is written. */
  say(message: AttemptMessage): Promise<void>;
  /** The last word only, where they come faster than they can be told. */
  progress(phase: string): void;
  /** Tells no more progress. */
  close(): void;
}

/** Lines to the worker, in order. */
export function createPost(
  writeLine: (line: string) => Promise<void>,
  clock: Clock,
): Post {
  let last: Promise<void> = Promise.resolve();
  let phase: string | undefined;
  let telling = false;

  function say(message: AttemptMessage): Promise<void> {
    // Who does not read any more is gone, and the dead-man's switch knows.
    return last = last.then(() => writeLine(JSON.stringify(message))).catch(() => {});
  }

  async function tell(): Promise<void> {
    telling = true;
    while (phase !== undefined && !over.signal.aborted) {
      const text = phase.slice(0, PROGRESS_LENGTH);
      phase = undefined;
      await say({ progress: text });
      await clock.sleep(PROGRESS_MS, over.signal).catch(() => {});
    }
    telling = false;
  }

  const over = new AbortController();
  return {
    say,
    progress(next) {
      phase = next;
      if (!telling) void tell();
    },
    close: () => over.abort(),
  };
}

const FULL_MS = 20;

/**
 * Writes lines to a file descriptor without holding up the process: a worker that is frozen does
 * not read, and the dead-man's switch must work all the same.
 */
export function createLineWriter(descriptor: number): (line: string) => Promise<void> {
  return async (line) => {
    const bytes = Buffer.from(`${line}\n`);
    for (let at = 0; at < bytes.length;) {
      try {
        at += await writeSome(descriptor, bytes.subarray(at));
      } catch (error) {
        if (codeOf(error) !== "EAGAIN") throw error;
        await new Promise((resolve) => setTimeout(resolve, FULL_MS));
      }
    }
  };
}

function writeSome(descriptor: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, written) => error ? reject(error) : resolve(written));
  });
}
