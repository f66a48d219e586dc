import { existsSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { processStart } from "../../base/pid.ts";
import { signalGroups, signalMembers } from "../../base/process-tree.ts";
import { type Job, note } from "./job.ts";
import { acquireLock, releaseLock, restoreLock, rulingGeneration } from "./lock.ts";
import { closeTornLine } from "./log.ts";
import { createProcessWatch } from "./process-watch.ts";
import { readRequests } from "./request.ts";
import { collect, round, type Supervision } from "./round.ts";
import type { Running } from "./running.ts";
import type { Claim } from "./shim.ts";
import { heartbeatPath, logPath } from "./spool.ts";
import { createWaker } from "./waker.ts";

export interface SupervisorParts {
  spool: string;
  clock: Clock;
  signal: AbortSignal;
  /** Milliseconds between TERM and KILL; 5 s let a trainer write the rest of a checkpoint. */
  graceMs?: number | undefined;
  /** Milliseconds without work after which it returns. */
  idleMs?: number | undefined;
  /** Hears of what went wrong in a round and is tried again, such as a full disk. */
  report?: ((error: unknown) => void) | undefined;
}

/** Every so often another host may see that we live; lock.ts waits for twelve of them. */
const HEARTBEAT_MS = 10_000;
const POLL_MS = 1_000;
/**
 * Runs the tasks of a spool until nothing is left, then returns; returns at once
 * when another supervisor lives. Aborted, it leaves running tasks alone: the
 * next supervisor adopts them. Killed at any point, nothing is lost or doubled:
 * a start is logged and on the disk before anything runs, the shim's claim lets
 * a task run once however many shims were started for it, and the shim, not we,
 * writes down how it ended.
 */
export async function runSupervisor(parts: SupervisorParts): Promise<void> {
  const { spool, clock, signal, graceMs = 5_000 } = parts;
  // Who submits makes it; one that starts late must not bring back what was deleted meanwhile.
  if (!existsSync(join(spool, "requests"))) return;
  const generation = acquireLock(spool, clock.now());
  if (generation === undefined) return;
  const jobs = new Map<string, Job>();
  const waker = createWaker(join(spool, "requests"), clock, signal);
  const supervision: Supervision = {
    spool,
    clock,
    graceMs,
    jobs,
    over: new Set(),
    waker,
    watch: createProcessWatch(clock),
    note: (running, line) => note(spool, jobs.get(running.job.id)!, [line], { durable: false }),
  };
  try {
    await supervise(supervision, generation, parts);
  } finally {
    waker.close();
  }
}

async function supervise(
  supervision: Supervision,
  generation: number,
  { signal, idleMs = 10_000, report = () => {} }: SupervisorParts,
): Promise<void> {
  const { spool, clock, jobs, waker } = supervision;
  let mine = generation;
  let beatAt = -Infinity;
  let idleSince: number | undefined;
  while (!signal.aborted) {
    // With the workspace gone nobody could see or stop these tasks any more.
    if (!existsSync(spool)) return killAll(supervision);
    let next = POLL_MS;
    try {
      const ruling = rulingGeneration(spool);
      // A successor on another host believed us dead; the tasks are its own now.
      if (ruling > mine) return;
      if (ruling < mine) {
        // Somebody is deleting the spool, or deleted the lock: not to be told apart at once.
        await clock.sleep(POLL_MS, signal).catch(() => {});
        if (existsSync(spool)) restoreLock(spool, mine);
        continue;
      }
      const now = clock.now();
      if (now - beatAt >= HEARTBEAT_MS) beatAt = beat(spool, now);
      next = round(supervision);
      idleSince = jobs.size > 0 ? undefined : idleSince ?? now;
      if (idleSince !== undefined && now - idleSince >= idleMs) {
        // Free first, then look once more: a submit sees "free" and starts a
        // supervisor, or it came before and this look sees it.
        releaseLock(spool, mine);
        collect(supervision);
        if (jobs.size === 0 && readRequests(spool).length === 0) return;
        const again = acquireLock(spool, now);
        if (again === undefined) return;
        mine = again;
        continue;
      }
    } catch (error) {
      if (!existsSync(spool)) continue;
      report(error);
      mend(supervision);
    }
    await waker.wait(Math.min(next, POLL_MS, idleMs));
  }
  releaseLock(spool, mine);
}

function beat(spool: string, now: number): number {
  const path = heartbeatPath(spool);
  if (!existsSync(path)) writeFileSync(path, "", { mode: 0o600 });
  utimesSync(path, now / 1000, now / 1000);
  return now;
}

/** After a failed write a log may end within a line; the next one must stand alone. */
function mend({ spool, jobs }: Supervision): void {
  for (const id of jobs.keys()) {
    try {
      closeTornLine(logPath(spool, id));
    } catch {
      // The disk is still full; the next round tries again.
    }
  }
}

function killAll({ jobs, watch }: Supervision): void {
  const running = [...jobs.values()].flatMap((job) => [...job.running.values()]);
  // A claim not read yet went with the spool; our own child is known without it.
  for (const task of running) task.claim ??= claimOfChild(task);
  for (const [task, members] of watch.look(running, true)) {
    signalGroups(members, "SIGKILL");
    if (task.claim !== undefined && !task.claim.void) signalMembers([task.claim], "SIGKILL");
  }
}

function claimOfChild({ child, host, boot }: Running): Claim | undefined {
  if (child === undefined || child.ended !== undefined) return undefined;
  const start = processStart(child.pid);
  return start === undefined ? undefined : { void: false, pid: child.pid, start, host, boot };
}
