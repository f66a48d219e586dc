import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { codeOf } from "../base/files.ts";

/** What a log said since the last reading. */
export interface News {
  text: string;
  /** Another file stands there now, or it is shorter than it was: it was read from its start. */
  restarted: boolean;
  /** More is there to be read at once. */
  more: boolean;
}

/** Reads on in a log while others write it, cut it, move it away or put another one in its place. */
export interface LogFollower {
  read(): News;
  close(): void;
}

const MOST_BYTES = 1024 * 1024;

/** `fromByte` is where to begin in the file that is there now; one that comes later is read whole. */
export function createLogFollower(path: string, fromByte: number): LogFollower {
  let decoder = new TextDecoder();
  let file: { descriptor: number; device: number; inode: number } | undefined;
  let at = fromByte;
  // Until something was there, the first file is no new one.
  let seen = fromByte > 0;

  function open(): boolean {
    const descriptor = openIfThere(path);
    if (descriptor === undefined) return false;
    const { dev, ino } = fstatSync(descriptor);
    file = { descriptor, device: dev, inode: ino };
    return true;
  }

  function close(): void {
    if (file !== undefined) closeSync(file.descriptor);
    file = undefined;
  }

  /** Whether the path names another file by now; it is followed only when the old one is read out. */
  function replaced(): boolean {
    const now = statIfThere(path);
    return now !== undefined && file !== undefined &&
      (now.dev !== file.device || now.ino !== file.inode);
  }

  function startAgain(): boolean {
    at = 0;
    decoder = new TextDecoder();
    const before = seen;
    seen = true;
    return before;
  }

  return {
    read() {
      let restarted = false;
      if (file === undefined && !open()) return { text: "", restarted, more: false };
      if (fstatSync(file!.descriptor).size < at) restarted = startAgain();
      let bytes = readOn(file!.descriptor, at);
      if (bytes.length === 0 && replaced()) {
        close();
        if (!open()) return { text: "", restarted, more: false };
        restarted = startAgain();
        bytes = readOn(file!.descriptor, at);
      }
      at += bytes.length;
      if (bytes.length > 0) seen = true;
      const text = decoder.decode(bytes, { stream: true });
      return { text, restarted, more: bytes.length === MOST_BYTES };
    },
    close,
  };
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function statIfThere(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** A network file system says ESTALE for a file that was just replaced. */
function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ESTALE"].includes(codeOf(error) ?? "");
}

function readOn(file: number, at: number): Uint8Array {
  const length = Math.min(MOST_BYTES, fstatSync(file).size - at);
  if (length <= 0) return new Uint8Array(0);
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, at));
}

/** Whether the byte before `size` ends a line, so that what follows begins one. */
export function endsLine(path: string, size: number): boolean {
  const file = size === 0 ? undefined : openIfThere(path);
  if (file === undefined) return true;
  try {
    const last = new Uint8Array(1);
    return readSync(file, last, 0, 1, size - 1) === 0 || last[0] === 10;
  } finally {
    closeSync(file);
  }
}
