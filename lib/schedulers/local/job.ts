import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { appendLines, closeTornLine, type EndLine, type LogLine, readTrace } from "./log.ts";
import { type Running, runningTask } from "./running.ts";
import { donePath, type JobFile, jobFolder, logPath, readJob } from "./spool.ts";

/** A job with tasks that have not ended, as its supervisor holds it. */
export interface Job {
  file: JobFile;
  /** How many at once; null: no limit. */
  limit: number | null;
  queued: number[];
  running: Map<number, Running>;
}

/**
 * Reads a job with what became of it so far. "over" when all has ended, "absent"
 * while its submitter has not written it. Started tasks come back without a
 * shim: whoever adopts them launches one, and the claim decides.
 */
export function loadJob(spool: string, id: string): Job | "over" | "absent" {
  if (existsSync(donePath(spool, id))) return "over";
  const file = readJob(spool, id);
  if (file === undefined) return "absent";
  closeTornLine(logPath(spool, id));
  const trace = readTrace(logPath(spool, id));
  const queued: number[] = [];
  const running = new Map<number, Running>();
  for (const task of file.tasks) {
    const known = trace.tasks.get(task);
    if (known?.end !== undefined) continue;
    if (known?.start === undefined) queued.push(task);
    else running.set(task, runningTask(spool, file, known.start, known));
  }
  return {
    file,
    limit: trace.limit === undefined ? file.maxConcurrent : trace.limit,
    queued,
    running,
  };
}

/** Writes into the job's log. */
export function note(
  spool: string,
  job: Job,
  lines: readonly LogLine[],
  { durable }: { durable: boolean },
): void {
  appendLines(logPath(spool, job.file.id), lines, durable);
}

/** Ends running or queued tasks: in the log first, then here. */
export function endTasks(spool: string, job: Job, lines: readonly EndLine[]): void {
  if (lines.length === 0) return;
  note(spool, job, lines, { durable: true });
  const ended = new Set(lines.map((line) => line.task));
  for (const [task, running] of job.running) {
    if (!ended.has(task)) continue;
    job.running.delete(task);
    // The claim stays until the whole job is over: a late shim must still find it.
    rmSync(`${running.run}.end`, { force: true });
  }
  job.queued = job.queued.filter((task) => !ended.has(task));
}

/** Notes that all tasks have ended. Without the folder of claims a late shim can claim nothing. */
export function closeJob(spool: string, job: Job): void {
  rmSync(join(jobFolder(spool, job.file.id), "run"), { recursive: true, force: true });
  writeFileSync(donePath(spool, job.file.id), "");
}
