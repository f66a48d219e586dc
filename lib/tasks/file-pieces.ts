import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { syncDirectory } from "../base/files.ts";
import type { FileState } from "./exchange.ts";
import { isPlainPath } from "./plain-path.ts";

/** A file as a report names it. */
export interface NamedFile {
  path: string;
  bytes: number;
  sha256: string;
}

const CHUNK = 1024 * 1024;

/** Where the pieces of one file are gathered. */
export function pieceName(task: string, epoch: number, path: string): string {
  return `${task}.${epoch}.${createHash("sha256").update(path).digest("hex").slice(0, 40)}`;
}

/** Bytes that are there; 0 for none. */
export function gathered(incoming: string): number {
  return lstatSync(incoming, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Adds a piece where it belongs. One that is not the next changes nothing: the answer tells what is
 * there. The same piece twice is the same as once.
 */
export function addPiece(
  incoming: string,
  { from, bytes }: { from: number; bytes: Uint8Array },
  most: number,
): number {
  mkdirSync(dirname(incoming), { recursive: true, mode: 0o700 });
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const file = openSync(incoming, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    const { size } = fstatSync(file);
    if (from !== size || size + bytes.length > most) return size;
    try {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(file, bytes, at, bytes.length - at, size + at);
      }
    } catch (error) {
      ftruncateSync(file, size);
      throw error;
    }
    return size + bytes.length;
  } finally {
    closeSync(file);
  }
}

/**
 * Puts a gathered file into its place when it is what was named; else it is thrown away, to be
 * gathered anew.
 */
export function settlePieces(incoming: string, folder: string, named: NamedFile): FileState {
  const received = gathered(incoming);
  if (received < named.bytes) return { received, whole: false };
  if (received !== named.bytes || !isPlainPath(named.path) || hashOf(incoming) !== named.sha256) {
    rmSync(incoming, { force: true });
    return { received: 0, whole: false };
  }
  const goal = join(folder, named.path);
  mkdirSync(dirname(goal), { recursive: true, mode: 0o700 });
  renameSync(incoming, goal);
  syncDirectory(dirname(goal));
  return { received, whole: true };
}

function hashOf(path: string): string | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) return undefined;
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(CHUNK);
    for (let at = 0;;) {
      const got = readSync(file, chunk, 0, CHUNK, at);
      if (got === 0) return hash.digest("hex");
      hash.update(chunk.subarray(0, got));
      at += got;
    }
  } finally {
    closeSync(file);
  }
}
