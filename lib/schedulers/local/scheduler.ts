import { existsSync, readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { SchedulerError } from "../../base/errors.ts";
import { codeOf } from "../../base/files.ts";
import { memoryBytes, processors } from "../../base/machine.ts";
import { count } from "../../base/text.ts";
import type { Look, Sighting, taskKey } from "../../sweep/sighting.ts";
import type {
  Estimate,
  Found,
  JobRequest,
  Limits,
  LookQuestion,
  Scheduler,
  TaskRef,
} from "../scheduler.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { writeRequest } from "./request.ts";
import { readSightings } from "./sightings.ts";
import {
  donePath,
  type JobFile,
  jobFolder,
  jobIds,
  makeSpool,
  readJob,
  takeJobId,
} from "./spool.ts";
import { wakeSupervisor, writeJob } from "./spool.ts";

export interface LocalParts {
  /** Folder of the jobs, such as `<workspace>/.hyperherd/local`; made when missing. */
  spool: string;
  /** Command line that runs the supervisor; the spool's path is appended. */
  supervisor: readonly string[];
  clock: Clock;
  /** Tasks at once; by default as many as processors and memory allow. */
  slots?: number | undefined;
  /** In another's spool, or a copy of one: a look starts no supervisor, whatever waits there. */
  passive?: boolean;
}

/** Between a job's own time and its file's: clocks of network disks differ. */
const CLOCK_SLACK_MS = 60 * 60 * 1000;

/** Runs jobs as processes of this machine, under a supervisor that outlives the command. */
export function createLocalScheduler(parts: LocalParts): Scheduler {
  const keeper = createKeeper(parts);
  return {
    name: "local",
    limits: () => Promise.resolve(machineLimits()),
    submit: (request) => answer(() => submit(parts, keeper, request)),
    look: (question) => answer(() => look(parts, keeper, question)),
    find: (jobName, since) => answer(() => find(parts.spool, jobName, since)),
    cancel: (tasks) => answer(() => cancel(parts, keeper, tasks)),
    throttle: (jobId, limit) => answer(() => throttle(parts, keeper, jobId, limit)),
    estimate: (tasks) => answer(() => estimate(parts, keeper, tasks)),
  };
}

/** Files are asked without waiting; a failure is a rejection all the same. */
function answer<T>(act: () => T): Promise<T> {
  return Promise.resolve().then(act);
}

function machineLimits(): Limits {
  const cpus = processors();
  const memoryMiB = Math.floor(memoryBytes() / 1024 / 1024);
  return {
    maxArraySize: 1_000_000,
    maxSubmit: undefined,
    submittedNow: undefined,
    maxTimeSeconds: null,
    maxMemoryMiB: memoryMiB,
    maxCpusPerNode: cpus,
    accounting: true,
    partitions: [{
      name: "local",
      isDefault: true,
      up: true,
      maxTimeSeconds: null,
      defaultTimeSeconds: null,
      nodes: 1,
      cpusPerNode: cpus,
      memoryMiBPerNode: memoryMiB,
      gres: undefined,
    }],
    version: undefined,
  };
}

function submit(
  { spool, clock, slots }: LocalParts,
  keeper: Keeper,
  request: JobRequest,
): { jobId: string } {
  const script = checkRequest(request);
  let id: string;
  try {
    makeSpool(spool);
    id = takeJobId(spool);
    writeJob(spool, jobFile(id, request, slots, clock.now()), script);
  } catch (error) {
    throw new SchedulerError(
      "rejected",
      `Cannot submit job "${request.jobName}": "${spool}" cannot be written (${codeOf(error)})`,
      { cause: error },
    );
  }
  try {
    wakeSupervisor(spool);
    keeper.ensure();
  } catch (error) {
    // The job is in the spool: a later look may start it after all.
    throw new SchedulerError(
      "unreachable",
      `Cannot start the supervisor for job ${id}: ${
        error instanceof Error ? error.message : error
      }`,
      { cause: error },
    );
  }
  return { jobId: id };
}

function jobFile(
  id: string,
  request: JobRequest,
  slots: number | undefined,
  submittedAt: number,
): JobFile {
  const { submission, jobName, tasks, resources, after, cwd, environment, output, error } = request;
  return {
    id,
    submission,
    jobName,
    tasks,
    cpusPerTask: resources.cpusPerTask,
    memoryMiB: resources.memoryMiB,
    timeSeconds: resources.timeSeconds,
    maxConcurrent: request.maxConcurrent ?? null,
    after,
    cwd,
    environment,
    output,
    error,
    signal: request.signal === undefined
      ? null
      : { ...request.signal, name: request.signal.name.replace(/^SIG/, "") },
    slots: slots ?? null,
    submittedAt,
  };
}

/** Says no to what could never run; answers with the script's text. */
function checkRequest(request: JobRequest): Uint8Array {
  const refuse = (found: string, cause?: unknown) =>
    new SchedulerError("rejected", `Cannot submit job "${request.jobName}": ${found}`, { cause });
  const { tasks, environment, signal, cwd } = request;
  if (tasks.length === 0) throw refuse("it has no task, at least one is needed");
  const odd = tasks.find((task, i) =>
    !Number.isSafeInteger(task) || task < 0 || task <= (tasks[i - 1] ?? -1)
  );
  if (odd !== undefined) {
    throw refuse(`task ${odd} is out of order, ascending whole numbers from 0 are allowed`);
  }
  for (const [name, value] of Object.entries(environment)) {
    if (name === "" || /[=\0]/.test(name) || value.includes("\0")) {
      throw refuse(`environment variable ${JSON.stringify(name)} cannot be passed to a process`);
    }
  }
  const name = signal?.name.replace(/^SIG/, "");
  if (name !== undefined && !(`SIG${name}` in constants.signals)) {
    throw refuse(`signal "${name}" does not exist here`);
  }
  try {
    if (!statSync(cwd).isDirectory()) throw refuse(`"${cwd}" is not a folder`);
  } catch (error) {
    if (error instanceof SchedulerError) throw error;
    throw refuse(`folder "${cwd}" cannot be entered (${codeOf(error)})`, error);
  }
  try {
    return readFileSync(request.script);
  } catch (error) {
    throw refuse(`script "${request.script}" cannot be read (${codeOf(error)})`, error);
  }
}

function look(
  { spool, clock, passive = false }: LocalParts,
  keeper: Keeper,
  question: LookQuestion,
): Look {
  const at = clock.now();
  const inQueue = new Map<string, Sighting>();
  const inAccounting = new Map<string, Sighting>();
  const ended = new Map<string, Sighting>();
  const queue = { answered: true as const };
  try {
    const supervised = keeper.isAlive();
    let unfinished = false;
    for (const { jobId } of question.jobs) {
      const seen = readSightings(spool, jobId, supervised);
      for (const sighting of seen?.queue ?? []) inQueue.set(keyOf(sighting), sighting);
      for (const sighting of seen?.accounting ?? []) ended.set(keyOf(sighting), sighting);
      unfinished ||= seen?.unfinished ?? false;
    }
    if (unfinished && !supervised && !passive && isOwn(spool)) restart(keeper);
  } catch (error) {
    const message = `Cannot read the spool "${spool}" (${codeOf(error) ?? error})`;
    const silent = { answered: false as const, reason: "unreachable" as const, message };
    return { at, queue: silent, accounting: silent, inQueue: new Map(), inAccounting };
  }
  const wanted = question.wanted(inQueue, queue);
  for (const ref of wanted) {
    const sighting = ended.get(keyOf(ref));
    if (sighting !== undefined) inAccounting.set(keyOf(ref), sighting);
  }
  const accounting = wanted.length > 0
    ? queue
    : { answered: false as const, reason: "not-asked" as const, message: "No task was asked for" };
  return { at, queue, accounting, inQueue, inAccounting };
}

/** Root that looks at somebody's sweep must not run that sweep's jobs as root. */
function isOwn(spool: string): boolean {
  return statSync(spool).uid === process.getuid?.();
}

/** A look tells what it saw even where no supervisor can be started: its tasks then stay "SupervisorStarting". */
function restart(keeper: Keeper): void {
  try {
    keeper.ensure();
  } catch {
    // The next look or submit tries again; a submit says so.
  }
}

function keyOf({ jobId, task }: TaskRef): ReturnType<typeof taskKey> {
  return `${jobId}_${task}`;
}

function find(spool: string, jobName: string, since: number): Found {
  const found: string[] = [];
  try {
    for (const id of jobIds(spool)) {
      const path = join(jobFolder(spool, id), "job.json");
      const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (changed === undefined || changed < since - CLOCK_SLACK_MS) continue;
      if (readJob(spool, id)?.jobName === jobName) found.push(id);
    }
  } catch (error) {
    const detail = `Cannot read the spool "${spool}" (${codeOf(error) ?? error})`;
    return { jobIds: found, conclusive: false, detail };
  }
  return { jobIds: found, conclusive: true, detail: `${count(found.length, "job")} in "${spool}"` };
}

function cancel(
  { spool, clock }: LocalParts,
  keeper: Keeper,
  refs: readonly TaskRef[],
): { ok: boolean; detail: string } {
  const unknown: string[] = [];
  const byJob = new Map<string, number[]>();
  for (const { jobId, task } of refs) byJob.set(jobId, [...byJob.get(jobId) ?? [], task]);
  try {
    for (const [jobId, tasks] of byJob) {
      if (readJob(spool, jobId) === undefined) unknown.push(jobId);
      else if (!existsSync(donePath(spool, jobId))) {
        writeRequest(spool, { kind: "cancel", jobId, tasks }, clock.now());
        keeper.ensure();
      }
    }
  } catch (error) {
    return {
      ok: false,
      detail: `Cannot cancel: ${error instanceof Error ? error.message : error}`,
    };
  }
  const detail = unknown.length === 0 ? "" : `No such job: ${unknown.join(", ")}`;
  return { ok: true, detail };
}

/** Nobody knows how long the tasks before it take: only why each waits. */
function estimate(
  { spool, slots }: LocalParts,
  keeper: Keeper,
  tasks: readonly TaskRef[],
): Estimate {
  const wanted = new Set(tasks.map(keyOf));
  const room = slots === undefined ? {} : { slots };
  try {
    const supervised = keeper.isAlive();
    const jobIds = [...new Set(tasks.map(({ jobId }) => jobId))];
    const queue = jobIds.flatMap((id) => readSightings(spool, id, supervised)?.queue ?? []);
    const waiting = queue
      .filter((seen) => seen.state === "pending" && wanted.has(keyOf(seen)))
      .map(({ jobId, task, reason }) => ({ jobId, task, reason, startsAt: undefined }));
    return { answer: { answered: true }, tasks: waiting, ...room };
  } catch (error) {
    const message = `Cannot read the spool "${spool}" (${codeOf(error) ?? error})`;
    return { answer: { answered: false, reason: "unreachable", message }, tasks: [], ...room };
  }
}

function throttle(
  { spool, clock }: LocalParts,
  keeper: Keeper,
  jobId: string,
  limit: number | undefined,
): void {
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw new SchedulerError("rejected", `Cannot throttle job ${jobId} to ${limit}: at least 1`);
  }
  if (readJob(spool, jobId) === undefined) {
    throw new SchedulerError("rejected", `Cannot throttle job ${jobId}: no such job`);
  }
  if (existsSync(donePath(spool, jobId))) return;
  writeRequest(spool, { kind: "throttle", jobId, limit: limit ?? null }, clock.now());
  keeper.ensure();
}
