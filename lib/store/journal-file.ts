import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { codeOf, syncDirectory } from "../base/files.ts";
import { diskError } from "./disk-error.ts";

/** Bytes before a position that vouch for it: the same bytes there, the same journal. */
const VOUCHER_BYTES = 512;

/** The whole lines after an offset, and what follows the last newline. */
export interface Tail {
  whole: Buffer;
  torn: Buffer;
}

/**
 * Opens the file anew each time: that is what makes an NFS client ask the server
 * for what other machines wrote. Undefined when there is no file.
 */
export function withJournal<T>(path: string, use: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

/** Fewer bytes than asked for where the file ends. */
function readBytes(file: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from));
  let filled = 0;
  while (filled < bytes.length) {
    const got = readSync(file, bytes, filled, bytes.length - filled, from + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

export function readTail(file: number, from: number): Tail {
  const bytes = readBytes(file, from, fstatSync(file).size);
  const cut = bytes.lastIndexOf(10) + 1;
  return { whole: bytes.subarray(0, cut), torn: bytes.subarray(cut) };
}

/** Digest of the bytes just before `offset`, which ends a line; undefined when the file has no such place. */
export function voucher(file: number, offset: number): string | undefined {
  const bytes = readBytes(file, Math.max(0, offset - VOUCHER_BYTES), offset);
  if (bytes.length !== Math.min(offset, VOUCHER_BYTES)) return undefined;
  if (offset > 0 && bytes[bytes.length - 1] !== 10) return undefined;
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Puts `text` after `end`, where the last whole line ends, in one write and one
 * fsync. Bytes that a crashed writer left after `end` are saved beside the
 * journal first. When the disk refuses, the file is cut back to `end` and
 * UserError thrown: all of `text` is there, or nothing.
 */
export function appendBytes(
  path: string,
  end: number,
  text: string,
  now: number,
): { end: number; check: string | undefined } {
  const cannot = `Cannot write to "${path}"`;
  const bytes = Buffer.from(text);
  let file: number;
  try {
    file = openSync(path, "a+", 0o600);
  } catch (error) {
    throw diskError(error, cannot);
  }
  try {
    const size = fstatSync(file).size;
    if (size > end) saveTorn(path, readBytes(file, end, size), now);
    if (size > end) ftruncateSync(file, end);
    writeWhole(file, bytes, end);
    if (end === 0) syncDirectory(dirname(path));
    const grown = end + bytes.length;
    return { end: grown, check: voucher(file, grown) };
  } catch (error) {
    throw diskError(error, cannot);
  } finally {
    closeSync(file);
  }
}

function writeWhole(file: number, bytes: Buffer, end: number): void {
  try {
    // One call; it only writes less than all when the disk is full or a limit is reached, and then the rest fails.
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at);
    // NFS tells of a full disk or quota only here.
    fsyncSync(file);
  } catch (error) {
    cutBack(file, end);
    throw error;
  }
}

function cutBack(file: number, end: number): void {
  try {
    ftruncateSync(file, end);
    fsyncSync(file);
  } catch {
    // The next refresh counts what whole lines are there, the next append cuts off the rest.
  }
}

/** Nobody needs these bytes; but what is cut off a record of experiments should be there to look at. */
function saveTorn(path: string, torn: Buffer, now: number): void {
  const time = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  const beside = path.replace(/\.jsonl$/, "");
  for (let n = 1;; n++) {
    try {
      const name = `${beside}.torn-${time}${n === 1 ? "" : `-${n}`}`;
      return writeFileSync(name, torn, { flag: "wx", mode: 0o600, flush: true });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
}
