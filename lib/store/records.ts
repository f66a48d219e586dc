import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import { attemptKey } from "../sweep/event.ts";
import { parseRecord } from "../sweep/record.ts";
import type { JobRecord } from "../sweep/sighting.ts";

/** What jobs wrote about themselves under `.hyperherd/events`. */
export interface RecordReader {
  /** By `attemptKey(submission, task)`; tasks without a record yet are left out. */
  read(tasks: readonly { submission: string; task: number }[]): Map<string, JobRecord>;
}

interface Cached {
  size: number;
  mtimeMs: number;
  text: string;
  record: JobRecord;
}

/** From so many tasks of one submission on, one listing is cheaper than finding out name by name. */
const LIST_FROM = 16;

/** `dir` is `.hyperherd/events`. Unchanged files are not read again. */
export function createRecordReader({ dir }: { dir: string }): RecordReader {
  let cache = new Map<string, Cached>();

  function readOne(submission: string, task: number): Cached | undefined {
    const before = cache.get(attemptKey(submission, task));
    return inRecord(join(dir, submission, `${task}.tsv`), (file) => {
      const { size, mtimeMs } = fstatSync(file);
      if (before?.size === size && before.mtimeMs === mtimeMs) return before;
      const text = readFileSync(file, "utf8");
      // A heartbeat only touches the file.
      const record = before?.text === text
        ? { ...before.record, aliveAt: mtimeMs }
        : parseRecord(text, { submission, task, aliveAt: mtimeMs });
      return { size, mtimeMs, text, record };
    });
  }

  return {
    read(tasks) {
      const records = new Map<string, JobRecord>();
      const kept = new Map<string, Cached>();
      const there = listings(dir, tasks);
      for (const { submission, task } of tasks) {
        if (there.get(submission)?.has(`${task}.tsv`) === false) continue;
        const key = attemptKey(submission, task);
        const found = readOne(submission, task);
        if (found === undefined) continue;
        kept.set(key, found);
        records.set(key, found.record);
      }
      // Who is not asked about any more has ended.
      cache = kept;
      return records;
    },
  };
}

function listings(
  dir: string,
  tasks: readonly { submission: string }[],
): Map<string, ReadonlySet<string>> {
  const counts = new Map<string, number>();
  for (const { submission } of tasks) counts.set(submission, (counts.get(submission) ?? 0) + 1);
  const listed = new Map<string, ReadonlySet<string>>();
  for (const [submission, count] of counts) {
    if (count < LIST_FROM) continue;
    listed.set(submission, new Set(namesIn(join(dir, submission))));
  }
  return listed;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Opened each time: on NFS that, and not `stat`, asks the server whether the file has changed. */
function inRecord<T>(path: string, use: (file: number) => T): T | undefined {
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
