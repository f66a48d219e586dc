import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { codeOf, readIfThere, replaceFile } from "../base/files.ts";
import { bootId, processStart } from "../base/pid.ts";
import { z } from "../base/schema.ts";
import { attemptMembers, killAttempt, type Membership } from "./attempt-members.ts";

/** A running attempt, on disk for the worker that starts after this one was killed. */
export interface AttemptRecord {
  /** `TASK:EPOCH`. */
  name: string;
  /** The attempt's own folder. */
  folder: string;
  mark: string;
  /** Of this boot the process ids are. */
  boot: string;
  /** The attempt's process; undefined when the worker was killed before it had written that. */
  pid?: number | undefined;
  start?: string | undefined;
}

/** What became of one record. */
export interface LeftOver {
  name: string;
  folder: string;
  /** Processes of it that were found alive. */
  found: number;
  /** Processes that would not end; the record stays. */
  left: number;
}

const RECORD = z.object({
  name: z.string(),
  folder: z.string(),
  // A short mark could be somebody else's.
  mark: z.string().min(32),
  boot: z.string(),
  pid: z.number().int().min(2).optional(),
  start: z.string().optional(),
});
const FILE = /^[0-9a-f]{32}\.json$/;

/** Written before the process is started, and again with its process id. */
export function writeRecord(folder: string, record: AttemptRecord): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceFile(fileOf(folder, record.mark), `${JSON.stringify(record)}\n`, 0o600);
}

export function removeRecord(folder: string, mark: string): void {
  rmSync(fileOf(folder, mark), { force: true });
}

/**
 * Ends what a worker that was killed has left running: exactly the processes that its records
 * name. Of an earlier boot nothing runs any more. To be called by the one worker that owns the
 * folder, before it starts anything.
 */
export async function endLeftOvers(folder: string): Promise<LeftOver[]> {
  const over: LeftOver[] = [];
  for (const file of recordFiles(folder)) {
    const path = join(folder, file);
    const record = readRecord(path);
    if (record === undefined || `${record.mark}.json` !== file) {
      // Written by rename, so nobody is writing it: it names nothing that could be ended.
      rmSync(path, { force: true });
      continue;
    }
    const ended = record.boot === bootId() ? await end(record) : { found: 0, left: 0 };
    if (ended.left === 0) rmSync(path, { force: true });
    over.push({ name: record.name, folder: record.folder, ...ended });
  }
  return over;
}

async function end(record: AttemptRecord): Promise<{ found: number; left: number }> {
  const { pid, start, mark } = record;
  const lives = pid !== undefined && start !== undefined && processStart(pid) === start;
  const membership: Membership = { mark, leader: lives ? { pid, start } : undefined };
  const found = attemptMembers(membership).length;
  return { found, left: await killAttempt(membership) };
}

function recordFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => FILE.test(name)).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function readRecord(path: string): AttemptRecord | undefined {
  try {
    return RECORD.safeParse(JSON.parse(readIfThere(path) ?? "")).data;
  } catch {
    return undefined;
  }
}

function fileOf(folder: string, mark: string): string {
  return join(folder, `${mark}.json`);
}
