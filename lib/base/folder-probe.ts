import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { codeOf, syncDirectory } from "./files.ts";

/** What a folder's file system can do, tried out. */
export interface FolderProbe {
  /** Code of the first failure among write, fsync and rename, and what failed; undefined when all worked. */
  failed: { what: string; code: string } | undefined;
  hardLinks: boolean;
  /** Whether a second exclusive create of one name was refused, as it must be. */
  exclusive: boolean;
  /** Milliseconds of one write made durable; the slower of two. */
  syncMs: number | undefined;
  /** Milliseconds by which the file server's clock is ahead of this machine's. */
  skewMs: number | undefined;
}

/** Works in a folder of its own inside `folder`, and removes it. Never throws. */
export function probeFolder(folder: string, clock: Clock): FolderProbe {
  const probe: FolderProbe = {
    failed: undefined,
    hardLinks: false,
    exclusive: false,
    syncMs: undefined,
    skewMs: undefined,
  };
  let what = "create a folder";
  let own: string | undefined;
  try {
    own = mkdtempSync(join(folder, ".herd-probe-"));
    what = "write and fsync a file";
    const first = writeFile(join(own, "a"), clock);
    const second = writeFile(join(own, "b"), clock);
    probe.syncMs = Math.max(first.syncMs, second.syncMs);
    probe.skewMs = second.skewMs;
    what = "replace a file by rename";
    renameSync(join(own, "a"), join(own, "b"));
    if (readFileSync(join(own, "b"), "utf8") !== join(own, "a")) throw new Error("old content");
    what = "fsync a folder";
    syncDirectory(own);
    probe.exclusive = refusesSecond(join(own, "c"));
    probe.hardLinks = canLink(join(own, "b"), join(own, "d"));
  } catch (error) {
    probe.failed = { what, code: codeOf(error) ?? (error as Error).message };
  } finally {
    if (own !== undefined) rmSync(own, { recursive: true, force: true, maxRetries: 5 });
  }
  return probe;
}

function writeFile(path: string, clock: Clock): { syncMs: number; skewMs: number } {
  const started = performance.now();
  const before = clock.now();
  const file = openSync(path, "wx");
  try {
    writeSync(file, path);
    fsyncSync(file);
    const after = clock.now();
    const { mtimeMs } = fstatSync(file);
    // Anywhere between the two is no skew: the file was written at a moment in there.
    const skewMs = mtimeMs < before ? mtimeMs - before : Math.max(0, mtimeMs - after);
    return { syncMs: performance.now() - started, skewMs };
  } finally {
    closeSync(file);
  }
}

function refusesSecond(path: string): boolean {
  closeSync(openSync(path, "wx"));
  try {
    closeSync(openSync(path, "wx"));
    return false;
  } catch (error) {
    return codeOf(error) === "EEXIST";
  }
}

function canLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}
