import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { RemoteFiles } from "../ssh/remote-files.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import type { Fetched, Wanted } from "./wanted.ts";

export interface FetchFileParts {
  files: Pick<RemoteFiles, "read">;
  /** `.hyperherd` there and here. */
  there: string;
  here: string;
  /** Where a file that is new gathers: a path that nobody else uses, on the same disk as `here`. */
  coming: string;
  /** What this machine's clock says more than that of the disk there. Milliseconds. */
  skewMs: number;
  signal: AbortSignal | undefined;
}

/** Where a file goes on, so much of what is here must be what is there. Bytes. */
const SEAM = 1024;

export interface Got {
  fetched: Fetched;
  bytes: number;
}

/**
 * Fetches a piece of a file and puts it in its place: one that is new takes the old one's place
 * when its piece is here, one that grew grows. Undefined when the file is gone; "another" when what
 * is here is no beginning of it. Rejects with RemoteFileError or SshError, or as node:fs throws.
 */
export async function fetchFile(
  wanted: Wanted,
  parts: FetchFileParts,
): Promise<Got | "another" | undefined> {
  try {
    if (wanted.from > 0) return await fetchMore(wanted, parts);
    return wanted.base > 0 ? await fetchBehind(wanted, parts) : await fetchNew(wanted, parts);
  } catch (error) {
    if (error instanceof RemoteFileError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function fetchNew(wanted: Wanted, parts: FetchFileParts): Promise<Got> {
  const path = join(parts.here, wanted.file.path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  mkdirSync(dirname(parts.coming), { recursive: true, mode: 0o700 });
  try {
    const end = await into(parts.coming, "w", async (descriptor) => {
      let at = 0;
      for await (const bytes of read(wanted, 0, parts)) at = write(descriptor, bytes, at);
      return at;
    });
    renameSync(parts.coming, path);
    return done(wanted, end, path, parts);
  } catch (error) {
    rmSync(parts.coming, { force: true });
    throw error;
  }
}

/** All of it, behind what other places wrote. Cut short, it is fetched so again. */
async function fetchBehind(wanted: Wanted, parts: FetchFileParts): Promise<Got> {
  const { base } = wanted;
  const path = join(parts.here, wanted.file.path);
  const end = await into(path, "r+", async (descriptor) => {
    ftruncateSync(descriptor, base);
    let at = base;
    for await (const bytes of read(wanted, 0, parts)) at = write(descriptor, bytes, at);
    return at - base;
  });
  return done(wanted, end, path, parts);
}

async function fetchMore(wanted: Wanted, parts: FetchFileParts): Promise<Got | "another"> {
  const { base, from } = wanted;
  const path = join(parts.here, wanted.file.path);
  const end = await into(path, "r+", async (descriptor) => {
    const seam = Buffer.alloc(Math.min(SEAM, from));
    const begin = from - seam.length;
    if (readSync(descriptor, seam, 0, seam.length, base + begin) < seam.length) return undefined;
    let at = begin;
    for await (const bytes of read(wanted, begin, parts)) {
      const known = Math.min(bytes.length, Math.max(0, from - at));
      const same = seam.subarray(at - begin, at - begin + known);
      if (known > 0 && !same.equals(bytes.subarray(0, known))) return undefined;
      at = write(descriptor, bytes.subarray(known), base + at + known) - base;
    }
    if (at < from) return undefined;
    if (fstatSync(descriptor).size > base + at) ftruncateSync(descriptor, base + at);
    return at;
  });
  return end === undefined ? "another" : done(wanted, end, path, parts);
}

function read(
  { file, from, length }: Wanted,
  begin: number,
  { files, there, signal }: FetchFileParts,
): AsyncIterable<Uint8Array> {
  const piece = { from: begin, length: from + length - begin };
  return files.read(join(there, file.path), { ...piece, ...(signal && { signal }) });
}

async function into<T>(
  path: string,
  flags: "w" | "r+",
  act: (descriptor: number) => Promise<T>,
): Promise<T> {
  const descriptor = openSync(path, flags, 0o600);
  try {
    return await act(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives the position behind what it wrote. */
function write(descriptor: number, bytes: Uint8Array, at: number): number {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
  }
  return at + bytes.length;
}

function done({ file, base, from }: Wanted, end: number, path: string, parts: FetchFileParts): Got {
  stamp(path, file.modified, parts.skewMs);
  const { inode, modified } = file;
  const fetched = { ...(base > 0 && { base }), size: end, inode, modified };
  return { fetched, bytes: end - from };
}

/** The time of the last change, by this machine's clock: by it herd tells a living job. */
export function stamp(path: string, modified: string, skewMs: number): void {
  const seconds = Number(modified) + skewMs / 1000;
  utimesSync(path, seconds, seconds);
}
