import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { codeOf } from "./files.ts";

/** Where text goes: one of the process's two outputs, or a test's memory. */
export interface Output {
  readonly isTerminal: boolean;
  /** Cells and lines of the terminal; undefined when there is none. */
  size(): { columns: number; rows: number } | undefined;
  write(text: string): void;
}

const OUTPUT_NAMES = { 1: "standard output", 2: "standard error" };

/**
 * Standard output (1) or error (2), written synchronously: nothing is lost at
 * exit, and what is printed on both stays in order. `onClosed` is called once
 * when the reader has gone; later text is dropped, since there is nobody to read.
 */
export function createOutput(descriptor: 1 | 2, onClosed: () => void = () => {}): Output {
  let closed = false;
  const stream = () => descriptor === 1 ? process.stdout : process.stderr;
  return {
    isTerminal: isatty(descriptor),
    size() {
      if (!isatty(descriptor)) return undefined;
      const { columns, rows } = stream();
      return columns > 0 ? { columns, rows: rows > 0 ? rows : 24 } : undefined;
    },
    write(text) {
      if (closed || text === "") return;
      try {
        writeAll(descriptor, Buffer.from(text));
      } catch (error) {
        closed = true;
        // EBADF: started with the descriptor closed (`>&-`). EIO: the terminal was hung up.
        if (["EPIPE", "EBADF", "EIO"].includes(codeOf(error) ?? "")) return onClosed();
        throw Object.assign(error as Error, { syscall: "write", path: OUTPUT_NAMES[descriptor] });
      }
    },
  };
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // A pipe that another process made non-blocking and that is full: wait for its reader.
      if (codeOf(error) !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}
