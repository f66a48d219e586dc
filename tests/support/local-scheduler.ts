import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "../../lib/base/clock.ts";
import { codeOf } from "../../lib/base/files.ts";
import { processStart } from "../../lib/base/pid.ts";
import { hasVariable, signalMembers } from "../../lib/base/process-tree.ts";
import { holderOf } from "../../lib/schedulers/local/lock.ts";
import { createLocalScheduler } from "../../lib/schedulers/local/scheduler.ts";
import type { Scheduler } from "../../lib/schedulers/scheduler.ts";
import { removeTree } from "./remove-tree.ts";

const clock = createSystemClock();

/** Runs a supervisor under Deno; the spool is appended. */
export function localSupervisor(idleMs = 1_000): readonly string[] {
  return [...program("local-supervisor.ts"), `${idleMs}`];
}
export const localSubmitter = program("local-submit.ts");

function program(name: string): readonly string[] {
  const run = process.versions["bun"] === undefined ? ["run", "-A", "-q"] : [];
  return [process.execPath, ...run, new URL(name, import.meta.url).pathname];
}

export interface LocalBench {
  scheduler: Scheduler;
  spool: string;
  workdir: string;
  /** Ends the supervisor and asserts that no process of a task is left; `force` ends those first. */
  cleanup(options?: { force?: boolean }): Promise<void>;
}

/** A local scheduler in a folder of its own, with a name that shells stumble over. */
export function createLocalBench(slots: number | undefined, idleMs?: number): LocalBench {
  const root = mkdtempSync(join(tmpdir(), "herd local $(x) 'ü' "));
  const spool = join(root, "spool");
  const workdir = join(root, "work");
  mkdirSync(workdir);
  const scheduler = createLocalScheduler({
    spool,
    supervisor: localSupervisor(idleMs),
    clock,
    slots,
  });
  return {
    scheduler,
    spool,
    workdir,
    async cleanup({ force = false } = {}) {
      await endSupervisors(spool);
      const left = processesUnder(root);
      if (force) signalMembers(left, "SIGKILL");
      await gone(left, force ? 5_000 : 2_000);
      removeTree(root);
    },
  };
}

/** Ends the supervisor with KILL and waits until it is gone; false when there is none. */
export async function killSupervisor(spool: string): Promise<boolean> {
  const supervisor = supervisorOf(spool);
  if (supervisor === undefined) return false;
  signalMembers([supervisor], "SIGKILL");
  await gone([supervisor], 10_000);
  return true;
}

/** The living supervisor of a spool; undefined when there is none. */
export function supervisorOf(spool: string): { pid: number; start: string } | undefined {
  const holder = holderOf(spool, clock.now());
  if (!holder.alive || holder.pid === undefined) return undefined;
  const start = processStart(holder.pid);
  return start === undefined ? undefined : { pid: holder.pid, start };
}

/** Ends every supervisor process of the spool, those on their way to the lock included. */
async function endSupervisors(spool: string): Promise<void> {
  for (;;) {
    const found = processes().filter(({ argv }) => {
      return argv.at(-1) === spool && argv.some((word) => word.endsWith("local-supervisor.ts"));
    });
    if (found.length === 0) return;
    signalMembers(found, "SIGTERM");
    await gone(found, 10_000);
  }
}

/** Processes of tasks that were started under this folder. */
function processesUnder(root: string): { pid: number; start: string; argv: string[] }[] {
  return processes().filter(({ pid, argv }) => {
    return argv.some((word) => word.startsWith(`${root}/`)) ||
      hasVariable(pid, "PWD", join(root, "work"));
  });
}

function processes(): { pid: number; start: string; argv: string[] }[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    const start = processStart(Number(name));
    if (start === undefined || Number(name) === process.pid) return [];
    try {
      const argv = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").slice(0, -1);
      return [{ pid: Number(name), start, argv }];
    } catch (error) {
      if (codeOf(error) === "ENOENT" || codeOf(error) === "ESRCH") return [];
      throw error;
    }
  });
}

/** Waits for the end of these processes; fails when one stays. */
export async function gone(
  members: readonly { pid: number; start: string; argv?: readonly string[] }[],
  patienceMs: number,
): Promise<void> {
  const deadline = clock.now() + patienceMs;
  for (;;) {
    const left = members.filter(({ pid, start }) => processStart(pid) === start);
    if (left.length === 0) return;
    assert.ok(clock.now() < deadline, `Processes are left: ${JSON.stringify(left)}`);
    await clock.sleep(20);
  }
}
