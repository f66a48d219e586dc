import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "../base/files.ts";
import { attemptPath } from "./attempt-folder.ts";

/** What is known of an attempt's folder. */
export interface KeptFolder {
  task: string;
  epoch: number;
  bytes: number;
  /** `unknown`: nobody says that it may go, so it stays. */
  state: "running" | "succeeded" | "failed" | "cancelled" | "unknown";
  /** Milliseconds since the epoch; undefined while it runs. */
  endedAt: number | undefined;
  /** Somebody has seen that it failed. */
  acknowledged: boolean;
}

export interface RetentionRules {
  /** Milliseconds since the epoch. */
  now: number;
  /** How long the folder of an attempt that needs nobody's eyes is kept. */
  succeededMs?: number;
  /** For all folders together; undefined for no limit. */
  quotaBytes?: number | undefined;
  /** Whether failed attempts wait for somebody to look, whatever their age; by default they do. */
  keepFailed?: boolean;
}

export interface Retention {
  folders: KeptFolder[];
  /** Bytes over the quota that cannot be freed. */
  overBytes: number;
  /** Why, and what to do, when the quota cannot be kept. */
  says: string | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Which folders may go: what is over and too old, then, while the quota is exceeded, the oldest
 * successes, then other ends that need nobody's eyes. Never one that runs, is unknown, or failed
 * and was not acknowledged.
 */
export function toDelete(folders: readonly KeptFolder[], rules: RetentionRules): Retention {
  const { now, succeededMs = DAY_MS, quotaBytes = Infinity, keepFailed = true } = rules;
  const free = folders.filter((folder) => mayGo(folder, keepFailed)).sort(byUse);
  const old = free.filter(({ endedAt }) => now - endedAt! >= succeededMs);
  const chosen = new Set(old);
  let bytes = sum(folders) - sum(old);
  for (const folder of free) {
    if (bytes <= quotaBytes) break;
    if (chosen.has(folder)) continue;
    chosen.add(folder);
    bytes -= folder.bytes;
  }
  const overBytes = Math.max(0, bytes - quotaBytes);
  const left = folders.filter((folder) => !chosen.has(folder));
  return {
    folders: [...chosen],
    overBytes,
    says: overBytes > 0 ? excuse(left, overBytes) : undefined,
  };
}

function mayGo({ state, endedAt, acknowledged }: KeptFolder, keepFailed: boolean): boolean {
  if (state === "running" || state === "unknown" || endedAt === undefined) return false;
  return state !== "failed" || acknowledged || !keepFailed;
}

/** Successes first, the oldest first. */
function byUse(a: KeptFolder, b: KeptFolder): number {
  const rank = ({ state }: KeptFolder) => state === "succeeded" ? 0 : 1;
  return rank(a) - rank(b) || a.endedAt! - b.endedAt!;
}

function sum(folders: readonly KeptFolder[]): number {
  return folders.reduce((bytes, folder) => bytes + folder.bytes, 0);
}

function excuse(left: readonly KeptFolder[], overBytes: number): string {
  const running = left.filter(({ state }) => state === "running").length;
  const failed = left.filter(({ state }) => state === "failed").length;
  const unknown = left.length - running - failed;
  const parts = [
    failed === 0 ? "" : `${failed} failed and not acknowledged`,
    running === 0 ? "" : `${running} still running`,
    unknown === 0 ? "" : `${unknown} of which nobody knows how they ended`,
  ].filter((part) => part !== "");
  return `Task folders are ${overBytes} bytes over the quota, and what is left may not be deleted: ` +
    parts.join(", ");
}

/** One folder that could not be removed, and why. */
export interface NotRemoved {
  task: string;
  epoch: number;
  why: string;
}

/** Removes what `toDelete` chose; answers what would not go. `isRunning` is asked again for each. */
export function removeFolders(
  root: string,
  folders: readonly Pick<KeptFolder, "task" | "epoch">[],
  isRunning: (task: string, epoch: number) => boolean,
): NotRemoved[] {
  const failed: NotRemoved[] = [];
  for (const { task, epoch } of folders) {
    if (isRunning(task, epoch)) continue;
    try {
      removeFolder(attemptPath(root, task, epoch));
    } catch (error) {
      if (codeOf(error) === "ENOENT") continue;
      failed.push({ task, epoch, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return failed;
}

/** What a worker's folder holds, for `toDelete`; half-removed folders of a worker that was killed are removed first. */
export function foldersIn(
  root: string,
  about: (task: string, epoch: number) => Omit<KeptFolder, "task" | "epoch" | "bytes"> | undefined,
  /** Without measuring, the bytes are 0. */
  { measure = true }: { measure?: boolean } = {},
): KeptFolder[] {
  const found: KeptFolder[] = [];
  for (const task of names(join(root, "tasks"))) {
    const path = join(root, "tasks", task);
    for (const name of names(path)) {
      if (GOING.test(name)) forceRemove(join(path, name));
      if (!/^\d{1,9}$/.test(name)) continue;
      const epoch = Number(name);
      const known = about(task, epoch);
      found.push({
        ...(known ?? { state: "unknown", endedAt: undefined, acknowledged: false }),
        ...{ task, epoch, bytes: measure ? treeBytes(join(path, name)) : 0 },
      });
    }
  }
  return found;
}

/** Disk space of a folder and all below it. Bytes. */
function treeBytes(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  let bytes = found.blocks * 512;
  if (found.isDirectory()) { for (const name of names(path)) bytes += treeBytes(join(path, name)); }
  return bytes;
}

const GOING = /^\d+\.going$/;

/** Under another name first: a folder that is half gone is never taken for a whole one. */
function removeFolder(path: string): void {
  const going = `${path}.going`;
  forceRemove(going);
  renameSync(path, going);
  forceRemove(going);
  try {
    rmdirSync(dirname(path));
  } catch {
    // Other attempts of the task are there.
  }
}

/** Also where the agent has taken the owner's rights away. Follows no link. */
function forceRemove(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory()) openFolders(path);
  rmSync(path, { recursive: true, force: true });
}

function openFolders(path: string): void {
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) openFolders(join(path, entry.name));
  }
}

function names(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return [];
  }
}
