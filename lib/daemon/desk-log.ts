import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { LogPage, LogQuery } from "../actions/desk.ts";
import { codeOf } from "../base/files.ts";
import { tailLines } from "../store/log-tail.ts";
import { whole } from "./desk-page.ts";

const USUAL_LINES = 20;
const MOST_LINES = 1000;
/** Of one page; a log's last line can be a progress bar of gigabytes. */
const MOST_BYTES = 256 * 1024;

const NOTHING: LogPage = { text: "", next: 0, size: 0 };

/**
 * The end of a log, or what follows a place in it. `over`: nobody writes it any
 * more, so that a last line without its newline counts.
 */
export function readLog(path: string, { lines, from }: LogQuery, over: boolean): LogPage {
  if (lines === undefined && from !== undefined) return readOn(path, from, over);
  const tail = tailLines(path, whole(lines ?? USUAL_LINES, 0, MOST_LINES), MOST_BYTES);
  if (tail === undefined) return NOTHING;
  return { text: tail.lines.join("\n"), next: tail.size, size: tail.size };
}

/** Of a file that was cut or replaced by a shorter one, the beginning. */
function readOn(path: string, from: number, over: boolean): LogPage {
  const file = openIfThere(path);
  if (file === undefined) return NOTHING;
  try {
    const { size } = fstatSync(file);
    const start = from > size ? 0 : whole(from, 0, size);
    const wanted = Math.min(MOST_BYTES, size - start);
    const bytes = new Uint8Array(wanted);
    const got = wanted === 0 ? 0 : readSync(file, bytes, 0, wanted, start);
    const length = lengthOf(bytes.subarray(0, got), over && start + got === size);
    const text = new TextDecoder().decode(bytes.subarray(0, length));
    return { text, next: start + length, size };
  } finally {
    closeSync(file);
  }
}

/** Whole lines; what is all one line, such as a progress bar's, goes on at the next page. */
function lengthOf(bytes: Uint8Array, isEnd: boolean): number {
  if (isEnd) return bytes.length;
  const lines = bytes.lastIndexOf(10) + 1;
  if (lines > 0 || bytes.length < MOST_BYTES) return lines;
  let end = bytes.length;
  // Not in the middle of a character: bytes 10xxxxxx continue one, 11xxxxxx begin one.
  while (end > bytes.length - 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  return (bytes[end - 1]! & 0xc0) === 0xc0 ? end - 1 : bytes.length;
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ESTALE"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}
