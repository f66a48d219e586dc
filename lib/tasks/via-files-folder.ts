import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import { isWorkerName, MOST_BYTES } from "./exchange-schema.ts";

/** Written by the worker. */
export const REPORT_FILE = "report.json";
/** Written by the coordinator. */
export const ORDERS_FILE = "orders.json";

export function workersFolder(pool: string): string {
  return join(pool, "workers");
}

export function workerFolder(pool: string, worker: string): string {
  return join(workersFolder(pool), worker);
}

/** Makes a worker's folder where it is missing. Throws what the disk says. */
export function makeWorkerFolder(pool: string, worker: string): void {
  mkdirSync(workerFolder(pool, worker), { recursive: true, mode: 0o700 });
}

/** Names of the workers that have a folder; what cannot be a worker's is left out. */
export function listWorkers(pool: string): string[] {
  try {
    return readdirSync(workersFolder(pool)).filter(isWorkerName).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Why a folder is not to be trusted: somebody else could have put things in it. */
export function folderTrouble(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "it is not there";
  if (stat.isSymbolicLink()) return "it is a symbolic link";
  if (!stat.isDirectory()) return "it is no folder";
  if (stat.uid !== process.getuid?.()) return `it belongs to user ${stat.uid}`;
  return (stat.mode & 0o022) === 0 ? undefined : "others may write to it";
}

/** `undefined`: there is no such file. */
export type FileText = { text: string } | { wrong: string } | undefined;

/**
 * Reads a file as it is by now. It is opened by its path each time: that is when NFS asks the
 * server whether what it has in its cache is still the file of that name.
 */
export function readSharedFile(path: string): FileText {
  let file: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") return { wrong: "it is a symbolic link" };
    // Replaced while it was opened: the next look finds the new one.
    return code === "ESTALE" ? undefined : { wrong: `it cannot be opened (${code})` };
  }
  try {
    return readOpened(file);
  } catch (error) {
    return codeOf(error) === "ESTALE"
      ? undefined
      : { wrong: `it cannot be read (${codeOf(error)})` };
  } finally {
    closeSync(file);
  }
}

function readOpened(file: number): FileText {
  const stat = fstatSync(file);
  if (!stat.isFile()) return { wrong: "it is no ordinary file" };
  if (stat.uid !== process.getuid?.()) return { wrong: `it belongs to user ${stat.uid}` };
  if (stat.size > MOST_BYTES) return { wrong: `it has more than ${MOST_BYTES} bytes` };
  const bytes = Buffer.alloc(stat.size);
  let got = 0;
  while (got < bytes.length) {
    const more = readSync(file, bytes, got, bytes.length - got, got);
    if (more === 0) return { wrong: "it is cut off" };
    got += more;
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { wrong: "it is no UTF-8 text" };
  }
}

/** What a writer left that was killed before its rename; no other writer has that name. */
export function removeTorn(folder: string, file: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${file}.`) && name.endsWith(".tmp")) {
      rmSync(join(folder, name), { force: true });
    }
  }
}
