import { closeSync, constants, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";

/** What an agent said, as it came, in a file that does not grow for ever. */
export interface AttemptLog {
  write(text: string): void;
  close(): void;
}

export interface LogLimits {
  /** Bytes kept of the beginning. */
  head: number;
  /** Bytes kept of the end, at least. */
  tail: number;
}

const LIMITS: LogLimits = { head: 1024 * 1024, tail: 3 * 1024 * 1024 };

/**
 * Keeps the beginning and the end; a line between them says how much is missing. The folder is the
 * agent's: the file is made anew, never opened through a link that the agent has put there. A full
 * disk loses text, not the attempt.
 */
export function createAttemptLog(path: string, limits: LogLimits = LIMITS): AttemptLog {
  rmSync(path, { force: true });
  let file: number | undefined = create(path);
  let size = 0;
  let headEnd: number | undefined;
  let dropped = 0;

  function append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const written = writeSync(file!, bytes, at);
      at += written;
      size += written;
    }
  }

  /** Head, one line, tail: written beside and renamed, so that a kill leaves the old or the new one. */
  function shorten(): void {
    const head = headEnd === undefined
      ? wholeLines(read(file!, 0, limits.head), limits.head)
      : read(file!, 0, headEnd);
    const tail = afterLine(read(file!, size - limits.tail, limits.tail));
    const before = headEnd === undefined ? 0 : noticeBytes(dropped);
    dropped += size - head.length - before - tail.length;
    const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    const old = file!;
    file = create(temporary);
    size = 0;
    try {
      append(head);
      append(notice(dropped));
      append(tail);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(old);
    }
    headEnd = head.length;
  }

  return {
    write(text) {
      if (file === undefined) return;
      try {
        const bytes = Buffer.from(text);
        // What is too long by itself is cut before it is written.
        const most = limits.head + 2 * limits.tail;
        for (let at = 0; at < bytes.length; at += limits.tail) {
          if (size + limits.tail > most) shorten();
          append(bytes.subarray(at, at + limits.tail));
        }
      } catch {
        // No space, or the folder is gone.
      }
    },
    close() {
      if (file === undefined) return;
      closeSync(file);
      file = undefined;
    },
  };
}

function create(path: string): number {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
  return openSync(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, 0o600);
}

function notice(dropped: number): Uint8Array {
  return Buffer.from(`\n===== ${dropped} bytes left out here =====\n`);
}

function noticeBytes(dropped: number): number {
  return notice(dropped).length;
}

function read(file: number, from: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const more = readSync(file, bytes, got, length - got, from + got);
    if (more === 0) break;
    got += more;
  }
  return bytes.subarray(0, got);
}

/** Up to the last line end, so that no character is cut; all of it when it is one line. */
function wholeLines(bytes: Uint8Array, limit: number): Uint8Array {
  const end = bytes.lastIndexOf(0x0a);
  return end < limit / 2 ? atCharacter(bytes) : bytes.subarray(0, end + 1);
}

function afterLine(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0x0a);
  if (end >= 0 && end < bytes.length / 2) return bytes.subarray(end + 1);
  let at = 0;
  while (at < bytes.length && (bytes[at]! & 0xc0) === 0x80) at++;
  return bytes.subarray(at);
}

/** Without a last character that is not whole. */
function atCharacter(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  if (end > 0 && bytes[end - 1]! >= 0xc0) end--;
  else end = bytes.length;
  return bytes.subarray(0, end);
}
