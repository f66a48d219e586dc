import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
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
  /** What this machine's clock says more than the host's. Milliseconds. */
  skewMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Fetches a piece of a file and puts it in its place: one that is new takes the old one's place
 * when its piece is here, one that grew grows. Gives what is here then, and how many bytes came;
 * undefined when the file is gone. Rejects with RemoteFileError or SshError.
 */
export async function fetchFile(
  { file, from, length }: Wanted,
  parts: FetchFileParts,
): Promise<{ fetched: Fetched; bytes: number } | undefined> {
  const path = join(parts.here, file.path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const target = from === 0 ? `${path}.coming` : path;
  const descriptor = openSync(target, from === 0 ? "w" : "r+", 0o600);
  let at = from;
  try {
    const piece = { from, length, ...(parts.signal === undefined ? {} : { signal: parts.signal }) };
    // Behind what is known to be right nothing stays.
    ftruncateSync(descriptor, from);
    for await (const bytes of parts.files.read(join(parts.there, file.path), piece)) {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
      }
      at += bytes.length;
    }
  } catch (error) {
    if (error instanceof RemoteFileError && error.code === "ENOENT") return undefined;
    throw error;
  } finally {
    closeSync(descriptor);
  }
  if (target !== path) renameSync(target, path);
  stamp(path, file.modified, parts.skewMs);
  const { inode, modified } = file;
  return { fetched: { size: at, inode, modified }, bytes: at - from };
}

/** The time of the last change, by this machine's clock: by it herd tells a living job. */
export function stamp(path: string, modified: string, skewMs: number): void {
  const seconds = Number(modified) + skewMs / 1000;
  utimesSync(path, seconds, seconds);
}
