import { writeSync } from "node:fs";
import { codeOf } from "../base/files.ts";

/** Text to a worker that may be frozen. */
export interface AttemptOutput {
  /** Resolves when all of it is written, or nobody reads any more. */
  write(text: string): Promise<void>;
  /** The worker has read so many bytes in all. */
  heard(total: number): void;
}

/** The least that a pipe of Linux holds; usually it is sixteen times that. Bytes. */
const WINDOW = 4096;
const FULL_MS = 20;

/**
 * Never has more on its way than any pipe holds, so that writing never waits: a process that hangs
 * in a write to a frozen worker cannot end its agents. (Deno writes to a pipe in the one thread,
 * whatever it is asked.) The worker tells how far it has read.
 */
export function createAttemptOutput(descriptor: number): AttemptOutput {
  const queue: { bytes: Uint8Array; done: () => void }[] = [];
  let sent = 0;
  let heard = 0;
  let again: ReturnType<typeof setTimeout> | undefined;

  function pump(): void {
    clearTimeout(again);
    try {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        const room = WINDOW - (sent - heard);
        if (room <= 0) return;
        const written = writeSync(descriptor, next.bytes.subarray(0, room));
        sent += written;
        next.bytes = next.bytes.subarray(written);
        if (next.bytes.length === 0) queue.shift()!.done();
      }
    } catch (error) {
      if (codeOf(error) === "EAGAIN") again = setTimeout(pump, FULL_MS);
      else for (const { done } of queue.splice(0)) done();
    }
  }

  return {
    write: (text) =>
      new Promise((done) => {
        queue.push({ bytes: Buffer.from(text), done });
        pump();
      }),
    heard(total) {
      // More than was sent would open the window too far.
      heard = Math.min(Math.max(heard, total), sent);
      pump();
    },
  };
}
