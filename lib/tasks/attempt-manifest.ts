import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { codeOf, replaceFile } from "../base/files.ts";
import {
  HOME_FOLDER,
  INSTRUCTIONS_FILE,
  LOG_FILE,
  MANIFEST_FILE,
  TASK_FILE,
  TEMPORARY_FOLDER,
  TOOLS_FILE,
} from "./attempt-files.ts";

export interface ManifestFile {
  /** From the attempt's folder, with `/`. */
  path: string;
  bytes: number;
  sha256: string;
}

/** The files that an attempt left. */
export interface Manifest {
  files: ManifestFile[];
  /** Why it is not all: the limits below, or a folder or file that could not be read. */
  leftOut: number;
  /** Links, pipes, sockets and devices, which are not looked into. */
  special: number;
}

export interface ManifestLimits {
  files: number;
  /** Of all files together. */
  bytes: number;
  /** Names looked at, listed or not. */
  entries: number;
  depth: number;
}

const LIMITS: ManifestLimits = {
  files: 1_000,
  bytes: 2 * 1024 ** 3,
  entries: 20_000,
  depth: 32,
};
/** What herd put there. */
const NOT_LEFT: readonly string[] = [
  TASK_FILE,
  INSTRUCTIONS_FILE,
  TOOLS_FILE,
  LOG_FILE,
  MANIFEST_FILE,
  HOME_FOLDER,
  TEMPORARY_FOLDER,
];

/**
 * Lists what lies in the folder, by name, files before folders. To be called when the attempt is
 * over: nobody may be exchanging folders for links meanwhile.
 */
export function manifestOf(
  folder: string,
  limits: ManifestLimits = LIMITS,
  /** Paths of what the task came with. */
  given: readonly string[] = [],
): Manifest {
  const manifest: Manifest = { files: [], leftOut: 0, special: 0 };
  let bytes = 0;
  let entries = 0;

  function add(path: string): void {
    if (manifest.files.length >= limits.files) return void manifest.leftOut++;
    const hashed = hashFile(join(folder, path), limits.bytes - bytes);
    if (hashed === undefined) return void manifest.leftOut++;
    bytes += hashed.bytes;
    manifest.files.push({ path, ...hashed });
  }

  function walk(below: string, depth: number): void {
    const found = listFolder(join(folder, below));
    if (found === undefined || depth > limits.depth) return void manifest.leftOut++;
    const folders: string[] = [];
    for (const entry of found) {
      if (below === "" && NOT_LEFT.includes(entry.name)) continue;
      if (++entries > limits.entries) return void manifest.leftOut++;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (given.includes(path)) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) add(path);
      else manifest.special++;
    }
    for (const path of folders) walk(path, depth + 1);
  }

  walk("", 0);
  return manifest;
}

/** One file of the folder, as a manifest lists it; nothing when there is none. */
export function listed(folder: string, path: string): ManifestFile[] {
  const hashed = hashFile(join(folder, path), LIMITS.bytes);
  return hashed === undefined ? [] : [{ path, ...hashed }];
}

/** Writes manifest.json beside the files. */
export function writeManifest(folder: string, manifest: Manifest): void {
  replaceFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 1)}\n`, 0o600);
}

function listFolder(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
      .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Undefined when it cannot be read, is no file any more, or is larger than `most` bytes. */
function hashFile(path: string, most: number): { bytes: number; sha256: string } | undefined {
  let file: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const found = fstatSync(file);
    if (!found.isFile() || found.size > most) return undefined;
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(1024 * 1024);
    let bytes = 0;
    for (;;) {
      const got = readSync(file, chunk, 0, chunk.length, bytes);
      if (got === 0) return { bytes, sha256: hash.digest("hex") };
      hash.update(chunk.subarray(0, got));
      bytes += got;
      if (bytes > most) return undefined;
    }
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
