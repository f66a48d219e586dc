import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { codeOf } from "../base/files.ts";

export interface LogTail {
  /** Without their newlines; a last line that has none (yet) counts. */
  lines: readonly string[];
  /** Bytes of the file: where following it begins. */
  size: number;
  /** False when the limit on bytes was reached before so many lines were found. */
  whole: boolean;
}

const BLOCK_BYTES = 64 * 1024;
/** A log can be one line of gigabytes, such as a progress bar's. */
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_BYTES_FOR_LAST = 256 * 1024;

/** The last `most` lines of a file, read from its end. Undefined when there is no file. */
export function tailLines(path: string, most: number, mostBytes = MOST_BYTES): LogTail | undefined {
  return inLog(path, (file, size) => {
    let wanted = Math.max(0, Math.floor(most));
    if (wanted === 0) return { lines: [], size, whole: true };
    const blocks: Uint8Array[] = [];
    let from = size;
    let start = 0;
    // A newline at the very end ends the last line and begins none.
    let end = size;
    while (from > 0 && size - from < mostBytes) {
      const block = blockBefore(file, from);
      if (block.length === 0) break;
      from -= block.length;
      blocks.unshift(block);
      let at = block.length;
      if (end === size && from + at === size && block[at - 1] === 10) at--, end--;
      for (
        at = block.lastIndexOf(10, at - 1);
        at >= 0;
        at = at === 0 ? -1 : block.lastIndexOf(10, at - 1)
      ) {
        if (--wanted === 0) break;
      }
      if (wanted === 0) {
        start = at + 1;
        break;
      }
    }
    const bytes = Buffer.concat(blocks).subarray(start, end - from);
    const lines = size === 0 ? [] : new TextDecoder().decode(bytes).split("\n");
    return { lines, size, whole: wanted === 0 || from === 0 };
  });
}

/**
 * The last line that says something, as a terminal would show it: without
 * escape sequences, and of a progress bar only its latest state. Undefined when
 * nothing was said since the line with which a job's script begins each run.
 */
export function lastLine(path: string): string | undefined {
  const line = lastShownLine(path);
  return line === undefined || isDivider(line) ? undefined : line;
}

/** The line that a job's script writes into both logs before each run; see schedulers/task.sh. */
export function isDivider(line: string): boolean {
  return /^===== herd: trial \d+, attempt .* =====$/.test(line);
}

function lastShownLine(path: string): string | undefined {
  return inLog(path, (file, size) => {
    let tail: Uint8Array = new Uint8Array(0);
    for (let from = size; from > 0 && tail.length < MOST_BYTES_FOR_LAST;) {
      const block = blockBefore(file, from);
      if (block.length === 0) break;
      from -= block.length;
      tail = Buffer.concat([block, tail]);
      const shown = shownLines(new TextDecoder().decode(tail));
      // The first piece may have lost its beginning; it counts when there is nothing before or after it.
      if (shown.length > 1 || (shown.length === 1 && from === 0)) return shown.at(-1);
    }
    return shownLines(new TextDecoder().decode(tail)).at(-1);
  });
}

function shownLines(text: string): string[] {
  return plainText(text).split(/[\n\r]/).map((line) => line.trim()).filter((line) => line !== "");
}

// CSI (colours, cursor), then OSC (titles, links) up to its end, then the two-byte ones.
const ESCAPES =
  // deno-lint-ignore no-control-regex
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g;

/** Without terminal escape sequences and control characters other than newline, return and tab. */
export function plainText(text: string): string {
  return text.replace(ESCAPES, "").replace(/[^\P{Cc}\n\r\t]/gu, "");
}

function blockBefore(file: number, from: number): Uint8Array {
  const length = Math.min(BLOCK_BYTES, from);
  const block = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(file, block, filled, length - filled, from - length + filled);
    // Cut while we read it.
    if (got === 0) return block.subarray(0, 0);
    filled += got;
  }
  return block;
}

function inLog<T>(path: string, use: (file: number, size: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
  try {
    return use(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}
