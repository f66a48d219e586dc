import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, readIfThere, replaceFile } from "../../base/files.ts";

/*
 * <spool>/
 *   supervisor.lock.<n>    who supervises (lock.ts)
 *   supervisor.log         what the supervisor printed: nothing, when all is well
 *   heartbeat              touched by the supervisor
 *   requests/              cancel and throttle, one file each; `wake` is touched to be heard at once
 *   jobs/<id>/job.json     what was submitted; never changes
 *   jobs/<id>/script       the batch script as it was then
 *   jobs/<id>/log.jsonl    what became of the tasks; written by the supervisor alone
 *   jobs/<id>/run/         claims and ends of the tasks (shim.ts); gone when all have ended
 *   jobs/<id>/done         made when all have ended
 */

/** What a submission left behind for the supervisor. */
export interface JobFile {
  id: string;
  submission: string;
  jobName: string;
  tasks: readonly number[];
  cpusPerTask: number;
  /** 0: no limit. */
  memoryMiB: number;
  /** null: no limit. */
  timeSeconds: number | null;
  maxConcurrent: number | null;
  after: readonly string[];
  cwd: string;
  environment: Readonly<Record<string, string>>;
  output: string;
  error: string;
  signal: { name: string; seconds: number } | null;
  /** Tasks at once, as whoever submitted was set up; null: as many as fit. */
  slots: number | null;
  /** Milliseconds since the epoch. */
  submittedAt: number;
}

/** Makes the spool's folders. Its files tell environments, so they are for the owner alone. */
export function makeSpool(spool: string): void {
  for (const folder of [spool, join(spool, "jobs"), join(spool, "requests")]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}

/** Ids of every job, oldest first. */
export function jobIds(spool: string): string[] {
  try {
    return readdirSync(join(spool, "jobs")).filter((name) => /^[1-9]\d*$/.test(name))
      .sort((a, b) => Number(a) - Number(b));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Takes the next free id: the folder's exclusive making is what keeps two submits apart. */
export function takeJobId(spool: string): string {
  for (let id = Number(jobIds(spool).at(-1) ?? 0) + 1;; id++) {
    try {
      mkdirSync(jobFolder(spool, `${id}`), { mode: 0o700 });
      return `${id}`;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
}

/** Writes a job; with the last rename it is submitted, before it there is none. */
export function writeJob(spool: string, job: JobFile, script: Uint8Array): void {
  const folder = jobFolder(spool, job.id);
  mkdirSync(join(folder, "run"), { mode: 0o700 });
  replaceFile(join(folder, "script"), script, 0o700);
  replaceFile(join(folder, "job.json"), JSON.stringify(job), 0o600);
}

/** The job, or undefined when there is none with this id (or its submitter has not come that far). */
export function readJob(spool: string, id: string): JobFile | undefined {
  if (!/^[1-9]\d*$/.test(id)) return undefined;
  const text = readIfThere(join(jobFolder(spool, id), "job.json"));
  return text === undefined ? undefined : JSON.parse(text) as JobFile;
}

export function jobFolder(spool: string, id: string): string {
  return join(spool, "jobs", id);
}

/** `.claim` and `.end` are added to it. */
export function runPath(spool: string, id: string, task: number): string {
  return join(jobFolder(spool, id), "run", `${task}`);
}

export function scriptPath(spool: string, id: string): string {
  return join(jobFolder(spool, id), "script");
}

export function logPath(spool: string, id: string): string {
  return join(jobFolder(spool, id), "log.jsonl");
}

export function donePath(spool: string, id: string): string {
  return join(jobFolder(spool, id), "done");
}

export function heartbeatPath(spool: string): string {
  return join(spool, "heartbeat");
}

/** Lets a sleeping supervisor look at once; it looks by itself every second. */
export function wakeSupervisor(spool: string): void {
  writeFileSync(join(spool, "requests", "wake"), "", { mode: 0o600 });
}

/** A pattern of the port made a path: `%a` is the task id, `%%` a percent sign. */
export function streamPath(pattern: string, task: number): string {
  return pattern.replace(/%[a%]/g, (found) => found === "%a" ? `${task}` : "%");
}
