import { hostname } from "node:os";
import { memoryBytes, processors } from "../../base/machine.ts";
import { bootId } from "../../base/pid.ts";
import { closeJob, endTasks, type Job, loadJob, note } from "./job.ts";
import type { EndLine, LogLine } from "./log.ts";
import { chooseTasks } from "./queue.ts";
import { readRequests, removeRequest, type Request } from "./request.ts";
import { launch, runningTask } from "./running.ts";
import { readClaim } from "./shim.ts";
import { jobIds } from "./spool.ts";
import { stopTask, tend, type Tending } from "./tend.ts";
import type { Waker } from "./waker.ts";

/** What a supervisor knows between two rounds. */
export interface Supervision extends Tending {
  spool: string;
  jobs: Map<string, Job>;
  /** Ids that need no second look. */
  over: Set<string>;
  waker: Waker;
}

/** The share of the machine's memory that tasks may be promised; the rest is the system's and ours. */
const MEMORY_SHARE = 0.9;

/** One pass over everything; answers in how many milliseconds the next is due. */
export function round(supervision: Supervision): number {
  const { spool, jobs, over } = supervision;
  // Requests are read before jobs are: one can then not be about a job not loaded yet.
  const requests = readRequests(spool);
  collect(supervision);
  for (const { path, request } of requests) {
    answer(supervision, request);
    removeRequest(path);
  }
  const running = [...jobs.values()].flatMap((job) => [...job.running.values()]);
  const { ended, dueMs } = tend(running, supervision);
  for (const job of jobs.values()) {
    const lines = ended.filter((end) => end.running.job.id === job.file.id);
    endTasks(spool, job, lines.map((end) => end.line));
  }
  startTasks(supervision);
  for (const [id, job] of jobs) {
    if (job.queued.length > 0 || job.running.size > 0) continue;
    closeJob(spool, job);
    jobs.delete(id);
    over.add(id);
    // Jobs that waited for this one may start now.
    supervision.waker.wake();
  }
  return dueMs;
}

/** Takes up jobs that were submitted, and at the start those of the supervisor before. */
export function collect({ spool, jobs, over, waker }: Supervision): void {
  for (const id of jobIds(spool)) {
    if (jobs.has(id) || over.has(id)) continue;
    const job = loadJob(spool, id);
    if (job === "over") over.add(id);
    if (job === "over" || job === "absent") continue;
    jobs.set(id, job);
    for (const running of job.running.values()) {
      // Of an earlier boot nothing lives; what is of this one may never have been launched.
      if (
        running.host === hostname() && running.boot === bootId() &&
        readClaim(running.run) === undefined
      ) {
        launch(spool, running, waker.wake);
      }
    }
  }
}

function answer(supervision: Supervision, request: Request): void {
  const { spool, jobs, clock } = supervision;
  const job = jobs.get(request.jobId);
  if (job === undefined) return;
  if (request.kind === "throttle") {
    note(spool, job, [{ k: "throttle", at: clock.now(), limit: request.limit }], { durable: true });
    job.limit = request.limit;
    return;
  }
  const wanted = new Set(request.tasks);
  const line = { k: "end" as const, at: clock.now(), state: "cancelled" as const };
  const queued = job.queued.filter((task) => wanted.has(task));
  endTasks(spool, job, queued.map((task): EndLine => ({ ...line, task, raw: "CANCELLED" })));
  for (const task of wanted) {
    const running = job.running.get(task);
    if (running !== undefined) stopTask(running, "cancel", supervision);
  }
}

function startTasks(supervision: Supervision): void {
  const { spool, jobs, clock, waker } = supervision;
  const taken = { tasks: 0, cpus: 0, memoryMiB: 0 };
  for (const { file, running } of jobs.values()) {
    taken.tasks += running.size;
    taken.cpus += running.size * file.cpusPerTask;
    taken.memoryMiB += running.size * file.memoryMiB;
  }
  const waiting = [...jobs.values()].map(({ file, queued, running, limit }) => ({
    jobId: file.id,
    ready: file.after.every((id) => !jobs.has(id)),
    queued,
    running: running.size,
    limit,
    cpus: file.cpusPerTask,
    memoryMiB: file.memoryMiB,
  }));
  const slots = [...jobs.values()].at(-1)?.file.slots ?? null;
  const memoryMiB = memoryBytes() / 1024 / 1024 * MEMORY_SHARE;
  const chosen = chooseTasks(waiting, { slots, cpus: processors(), memoryMiB, taken });
  const place = { host: hostname(), boot: bootId() };
  for (const job of jobs.values()) {
    const tasks = new Set(chosen.flatMap((c) => c.jobId === job.file.id ? [c.task] : []));
    if (tasks.size === 0) continue;
    const starts = [...tasks].map((task) => ({
      k: "start" as const,
      task,
      at: clock.now(),
      ...place,
    }));
    note(spool, job, starts satisfies LogLine[], { durable: true });
    job.queued = job.queued.filter((task) => !tasks.has(task));
    for (const start of starts) {
      const running = runningTask(spool, job.file, start);
      job.running.set(start.task, running);
      launch(spool, running, waker.wake);
    }
  }
}
