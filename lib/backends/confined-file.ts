import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { UserError } from "../base/errors.ts";
import { openFolder, type Place, resolveIn } from "./confined-path.ts";

export interface Entry {
  name: string;
  kind: "file" | "folder" | "link" | "other";
  /** Of files. */
  bytes: number | undefined;
  /** Of links, as they are written. */
  target: string | undefined;
}

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const PIECE = 1 << 18;

/** The bytes of a file, at most `most`; a longer one is a UserError, as is what is no plain file. */
export function readConfined(place: Place, path: string, { most }: { most: number }): Uint8Array {
  const real = resolveIn(place, path);
  using parent = openFolder(place, dirname(real));
  const file = openSync(`${parent.base}/${basename(real)}`, READ);
  try {
    const state = fstatSync(file);
    if (!state.isFile()) {
      const what = state.isDirectory() ? "it is a folder" : "it is no plain file";
      throw new UserError(`Cannot read ${JSON.stringify(path)}: ${what}`);
    }
    return readAll(file, path, most);
  } finally {
    closeSync(file);
  }
}

/** The size is not asked for: files of /proc have none, and a log grows while it is read. */
function readAll(file: number, path: string, most: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let bytes = 0;;) {
    const piece = new Uint8Array(PIECE);
    const got = readSync(file, piece, 0, PIECE, null);
    if (got === 0) return Buffer.concat(pieces);
    bytes += got;
    if (bytes > most) {
      throw new UserError(`Cannot read ${JSON.stringify(path)}: it has more than ${most} bytes`);
    }
    pieces.push(piece.subarray(0, got));
  }
}

/**
 * Replaces a file as a whole, or makes it with the folders above it. A rename within an open folder:
 * nobody can turn it to another place in between.
 */
export function writeConfined(place: Place, path: string, text: string): void {
  const real = resolveIn(place, path);
  if (real === place.root) throw new UserError(`Cannot write ${JSON.stringify(path)}: a folder`);
  using parent = openFolder(place, dirname(real), { create: true });
  const target = `${parent.base}/${basename(real)}`;
  const before = lstatSync(target, { throwIfNoEntry: false });
  if (before !== undefined && !before.isFile() && !before.isSymbolicLink()) {
    const what = before.isDirectory() ? "it is a folder" : "it is no plain file";
    throw new UserError(`Cannot write ${JSON.stringify(path)}: ${what}`);
  }
  const temporary = `${parent.base}/.herd-${randomBytes(6).toString("hex")}.tmp`;
  const file = openSync(temporary, "wx", 0o644);
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    // A script stays one that can be run.
    if (before?.isFile()) fchmodSync(file, before.mode & 0o777);
    renameSync(temporary, target);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(file);
  }
}

/** What is in a folder, by name. */
export function listConfined(place: Place, path: string): Entry[] {
  const real = resolveIn(place, path);
  using folder = openFolder(place, real);
  return readdirSync(folder.base).sort().map((name) => entryOf(`${folder.base}/${name}`, name));
}

function entryOf(path: string, name: string): Entry {
  const state = lstatSync(path, { throwIfNoEntry: false });
  const none = { name, bytes: undefined, target: undefined };
  if (state?.isSymbolicLink()) return { ...none, kind: "link", target: targetOf(path) };
  if (state?.isDirectory()) return { ...none, kind: "folder" };
  return state?.isFile()
    ? { ...none, kind: "file", bytes: state.size }
    : { ...none, kind: "other" };
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
