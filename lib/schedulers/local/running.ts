import { hostname } from "node:os";
import { type Detached, spawnDetached } from "../../base/detach.ts";
import { bootId, processStart } from "../../base/pid.ts";
import { kernelUnits } from "../../base/machine.ts";
import { type ProcessInfo, proportionalBytes, readProcess } from "../../base/process-tree.ts";
import type { EndLine, StopReason, TaskTrace } from "./log.ts";
import { type Claim, readClaim, readEnd, shimArgv, type ShimEnd, voidClaim } from "./shim.ts";
import { type JobFile, runPath, scriptPath, streamPath } from "./spool.ts";

/** A task that was started and has not been logged as ended. */
export interface Running {
  job: JobFile;
  task: number;
  run: string;
  startedAt: number;
  host: string;
  boot: string;
  claim: Claim | undefined;
  /** The shim that this supervisor started; none for an adopted task. */
  child: { pid: number; ended: Awaited<Detached["exited"]> | undefined } | undefined;
  /** Why no shim could be started. */
  failure: string | undefined;
  signalled: boolean;
  stop: { at: number; why: StopReason; sent: boolean } | undefined;
  /** Living processes of its session, but for the shim. */
  members: readonly ProcessInfo[];
  maxRssBytes: number | undefined;
  cpuSeconds: number | undefined;
  /** What the shim said of the end; undefined before, and when it was killed itself. */
  end: ShimEnd | undefined;
  /** Since when only what the script left behind lives; undefined before. */
  leftSince: number | undefined;
}

/** A task as its log tells it: new, or of a supervisor before this one. */
export function runningTask(
  spool: string,
  job: JobFile,
  start: NonNullable<TaskTrace["start"]>,
  trace?: TaskTrace,
): Running {
  return {
    job,
    task: start.task,
    run: runPath(spool, job.id, start.task),
    startedAt: start.at,
    host: start.host,
    boot: start.boot,
    claim: undefined,
    child: undefined,
    failure: undefined,
    signalled: trace?.signalled ?? false,
    stop: trace?.stop === undefined ? undefined : { ...trace.stop, sent: false },
    members: [],
    maxRssBytes: undefined,
    cpuSeconds: undefined,
    end: undefined,
    leftSince: undefined,
  };
}

/**
 * Starts a shim for the task. Harmless when another one is under way, of a
 * supervisor that was killed a moment ago: the claim lets one of them run.
 */
export function launch(spool: string, running: Running, woken: () => void): void {
  const { job, task } = running;
  try {
    const argv = shimArgv(running.run, running, scriptPath(spool, job.id), job.signal?.name);
    const detached = spawnDetached(argv, {
      cwd: job.cwd,
      env: { ...job.environment, HERD_JOB_ID: job.id, HERD_TASK: `${task}` },
      stdout: streamPath(job.output, task),
      stderr: streamPath(job.error, task),
    });
    const child: Running["child"] = { pid: detached.pid, ended: undefined };
    running.child = child;
    detached.exited.then((ended) => {
      child.ended = ended;
      woken();
    });
  } catch (error) {
    running.failure = error instanceof Error ? error.message : String(error);
    woken();
  }
}

/** What a look at a task's files and processes says. */
export type Observed =
  | { phase: "starting" }
  | { phase: "running"; pid: number; start: string }
  /** On another host: its end will be read, it cannot be reached. */
  | { phase: "elsewhere" }
  /** The script is over, `members` may remain. */
  | { phase: "over"; shim: ShimEnd | undefined }
  | { phase: "never-ran" };

/** Looks at one started task. */
export function observe(running: Running, now: number): Observed {
  const claim = running.claim ??= readClaim(running.run) ?? claimForNobody(running);
  if (claim === undefined) return { phase: "starting" };
  if (claim.void) return { phase: "never-ran" };
  // Asked before the end is read: a shim that is dead now has said all it had to say.
  const here = claim.host === hostname();
  const alive = here && claim.boot === bootId() && processStart(claim.pid) === claim.start;
  const shim = readEnd(running.run) ?? (alive ? undefined : endByExit(running, claim.pid, now));
  running.end = shim;
  if (shim !== undefined) return { phase: "over", shim };
  if (!here) return { phase: "elsewhere" };
  if (alive) return { phase: "running", pid: claim.pid, start: claim.start };
  return { phase: "over", shim: undefined };
}

/** Takes the claim where no shim will, or none should: a start that failed, a cancel. */
function claimForNobody(running: Running): Claim | undefined {
  const lost = running.failure !== undefined || running.child?.ended !== undefined ||
    running.stop !== undefined || (running.host === hostname() && running.boot !== bootId());
  if (!lost) return undefined;
  return voidClaim(running.run) ? { void: true } : readClaim(running.run);
}

/** A full disk kept the shim from writing the end: its own exit code is the script's. */
function endByExit(running: Running, pid: number, now: number): ShimEnd | undefined {
  const ended = running.child?.pid === pid ? running.child.ended : undefined;
  if (ended?.exitCode === undefined) return undefined;
  return { exitCode: ended.exitCode, signal: undefined, cpuTicks: 0, at: now };
}

/** Notes what the task's processes use at this moment. */
export function measure(running: Running, members: readonly ProcessInfo[]): void {
  running.members = members;
  if (members.length === 0) return;
  let cpu = 0;
  for (const member of members) cpu += member.cpuSeconds;
  running.maxRssBytes = Math.max(running.maxRssBytes ?? 0, residentBytes(running));
  running.cpuSeconds = Math.max(running.cpuSeconds ?? 0, cpu);
}

/**
 * Bytes of memory that the task holds. Pages that workers share after a fork are
 * in the RSS of each; they are counted once where that decides about an end.
 */
function residentBytes(running: Running): number {
  let bytes = 0;
  for (const member of running.members) bytes += member.rssBytes;
  const limit = running.job.memoryMiB * 1024 * 1024;
  if (limit === 0 || bytes <= limit || running.members.length === 1) return bytes;
  const shared = sharedBytes(running.members);
  // Workers that end while they are counted leave their share to the others: a second count decides.
  return shared <= limit ? shared : Math.min(shared, sharedBytes(running.members));
}

function sharedBytes(members: readonly ProcessInfo[]): number {
  let bytes = 0;
  for (const { pid, start } of members) {
    const share = proportionalBytes(pid);
    if (share !== undefined) bytes += share;
    else {
      // It has ended since, or its share is not told.
      const now = readProcess(pid);
      if (now !== undefined && now.start === start && !now.zombie) bytes += now.rssBytes;
    }
  }
  return bytes;
}

/** Why the task must be ended now; undefined when it may go on. */
export function overLimit(running: Running, now: number): StopReason | undefined {
  const { timeSeconds, memoryMiB } = running.job;
  if (timeSeconds !== null && now >= running.startedAt + timeSeconds * 1000) return "timeout";
  const held = running.maxRssBytes ?? 0;
  return memoryMiB > 0 && held > memoryMiB * 1024 * 1024 ? "memory" : undefined;
}

/** When the signal before the time limit is due; undefined: never, or it was sent. */
export function signalDue(running: Running): number | undefined {
  const { signal, timeSeconds } = running.job;
  if (signal === null || timeSeconds === null || running.signalled) return undefined;
  return running.startedAt + Math.max(0, timeSeconds - signal.seconds) * 1000;
}

/** How a task ended whose processes are all gone. */
export function endOf(running: Running, observed: Observed, now: number): EndLine {
  const shim = observed.phase === "over" ? observed.shim : undefined;
  const ticks = (shim?.cpuTicks ?? 0) / kernelUnits().ticksPerSecond;
  const line = {
    k: "end" as const,
    task: running.task,
    at: Math.round(shim?.at ?? now),
    exitCode: shim?.exitCode,
    signal: shim?.signal,
    maxRssBytes: running.maxRssBytes,
    cpuSeconds: shim === undefined ? running.cpuSeconds : Math.max(ticks, running.cpuSeconds ?? 0),
  };
  const stop = running.stop?.why;
  if (stop === "timeout") return { ...line, state: "timeout", raw: "TIMEOUT" };
  if (stop === "memory") return { ...line, state: "out-of-memory", raw: "OUT_OF_MEMORY" };
  if (stop === "cancel") return { ...line, state: "cancelled", raw: "CANCELLED" };
  if (shim?.exitCode === 0) return { ...line, state: "completed", raw: "COMPLETED" };
  if (shim !== undefined) return { ...line, state: "failed", raw: "FAILED" };
  if (running.host === hostname() && running.boot !== bootId()) {
    return { ...line, state: "node-failure", raw: "NODE_FAIL" };
  }
  if (observed.phase === "never-ran") {
    return { ...line, state: "launch-failure", raw: "LAUNCH_FAILED", detail: running.failure };
  }
  // Script and shim died together, killed by somebody else: only the job's own record may know more.
  return { ...line, state: "unrecognised", raw: "ENDED" };
}
