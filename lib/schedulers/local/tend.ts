import type { Clock } from "../../base/clock.ts";
import { signalGroups, signalMembers } from "../../base/process-tree.ts";
import type { EndLine, LogLine, StopReason } from "./log.ts";
import type { ProcessWatch } from "./process-watch.ts";
import {
  endOf,
  measure,
  observe,
  type Observed,
  overLimit,
  type Running,
  signalDue,
} from "./running.ts";
import { readEnd } from "./shim.ts";

export interface Tending {
  clock: Clock;
  graceMs: number;
  watch: ProcessWatch;
  /** Writes a line into the log of the task's job. */
  note(running: Running, line: LogLine): void;
}

export interface Tended {
  ended: readonly { running: Running; line: EndLine }[];
  /** Milliseconds until something is due. */
  dueMs: number;
}

/** How often tasks with a memory limit are looked at, and the others. */
const MEMORY_POLL_MS = 200;
const USAGE_POLL_MS = 1_000;
/** While something is being ended. */
const ENDING_POLL_MS = 25;
/** A process that a dead disk holds cannot be killed; the task is called over without it. SLURM waits as long. */
const UNKILLABLE_MS = 60_000;
/** A shim whose script is gone needs milliseconds to say so. */
const SHIM_PATIENCE_MS = 2_000;

/** Looks after running tasks: limits, signals, ends. */
export function tend(tasks: readonly Running[], tending: Tending): Tended {
  const now = tending.clock.now();
  const ended: { running: Running; line: EndLine }[] = [];
  const observed = new Map<Running, Observed>();
  for (const running of tasks) observed.set(running, observe(running, now));
  const whole = tasks.some((running) =>
    observed.get(running)!.phase === "over" || isKillDue(running, now, tending.graceMs)
  );
  const members = tending.watch.look(tasks, whole);
  let due = now + USAGE_POLL_MS;
  for (const running of tasks) {
    const seen = observed.get(running)!;
    const living = members.get(running) ?? [];
    if (seen.phase === "running") {
      measure(running, living);
      due = Math.min(due, steer(running, [seen], now, tending));
      if (running.job.memoryMiB > 0) due = Math.min(due, now + MEMORY_POLL_MS);
    } else if (seen.phase === "starting") {
      due = Math.min(due, now + MEMORY_POLL_MS);
    } else if (seen.phase === "never-ran") {
      ended.push({ running, line: endOf(running, seen, now) });
    } else if (seen.phase === "over" && seen.shim === undefined && living.length > 0) {
      // Somebody killed the shim alone: its script goes on, and is addressed itself.
      measure(running, living);
      due = Math.min(due, steer(running, living, now, tending));
      if (running.job.memoryMiB > 0) due = Math.min(due, now + MEMORY_POLL_MS);
    } else if (seen.phase === "over") {
      running.members = living;
      running.leftSince ??= now;
      if (living.length === 0 || now - running.leftSince >= UNKILLABLE_MS) {
        ended.push({ running, line: endOf(running, seen, now) });
      } else {
        // What a batch script leaves behind is ended with it, as a cluster's node does.
        signalGroups(living, "SIGKILL");
        due = Math.min(due, now + ENDING_POLL_MS);
      }
    }
  }
  return { ended, dueMs: Math.max(0, due - tending.clock.now()) };
}

/** Decides to end a task. Written down first: a supervisor after us must not take it for the task's own end. */
export function stopTask(running: Running, why: StopReason, tending: Tending): void {
  const at = tending.clock.now();
  if (running.stop !== undefined) return;
  tending.note(running, { k: "stop", task: running.task, at, why });
  running.stop = { at, why, sent: false };
}

/** Keeps one running task to its limits; `heads` get its signals. Answers when it must be looked at again. */
function steer(
  running: Running,
  heads: readonly { pid: number; start: string }[],
  now: number,
  tending: Tending,
): number {
  const why = running.stop === undefined ? overLimit(running, now) : undefined;
  if (why !== undefined) stopTask(running, why, tending);
  if (running.stop !== undefined) return pursue(running, heads, now, tending);
  const { timeSeconds, signal } = running.job;
  const signalAt = signalDue(running);
  if (signal !== null && signalAt !== undefined && now >= signalAt) {
    tending.note(running, { k: "signal", task: running.task, at: now });
    running.signalled = true;
    signalMembers(heads, `SIG${signal.name}` as NodeJS.Signals);
  }
  const end = timeSeconds === null ? Infinity : running.startedAt + timeSeconds * 1000;
  return Math.min(end, signalDue(running) ?? Infinity);
}

/** TERM to the script by way of its shim, then KILL to all. A task out of memory gets no time to take more. */
function pursue(
  running: Running,
  heads: readonly { pid: number; start: string }[],
  now: number,
  tending: Tending,
): number {
  const stop = running.stop!;
  if (!stop.sent) {
    if (readEnd(running.run) !== undefined) {
      // It ended by itself while we made up our mind.
      running.stop = undefined;
      return now;
    }
    stop.sent = true;
    if (stop.why !== "memory") {
      signalMembers(heads, "SIGTERM");
      // A stopped process hears TERM only when it goes on.
      signalMembers([...heads, ...running.members], "SIGCONT");
    }
  }
  const killAt = killTime(stop, tending.graceMs);
  if (now < killAt) return killAt;
  signalGroups(running.members, "SIGKILL");
  if (now >= killAt + SHIM_PATIENCE_MS) signalMembers(heads, "SIGKILL");
  return now + ENDING_POLL_MS;
}

function isKillDue(running: Running, now: number, graceMs: number): boolean {
  return running.stop !== undefined && now >= killTime(running.stop, graceMs);
}

function killTime(stop: { at: number; why: StopReason }, graceMs: number): number {
  return stop.why === "memory" ? stop.at : stop.at + graceMs;
}
