import { readdirSync, readFileSync } from "node:fs";
import {
  hasVariable,
  type ProcessInfo,
  readProcess,
  signalGroups,
  signalMembers,
} from "../base/process-tree.ts";
import { MARK } from "./attempt-environment.ts";

/** By what the processes of one attempt are known. */
export interface Membership {
  /** Value of the marking variable. */
  mark: string;
  /**
   * The attempt's own process: its session and all that descends from it belong too. Only while
   * it lives, or just after: later another process may have led a session with that number.
   */
  leader: { pid: number; start: string } | undefined;
}

/**
 * Every living process of an attempt but our own: of its sessions, descended from it, or started
 * with its mark, for an agent's programs leave groups, sessions and parents behind. A job of
 * SLURM that the agent submitted is none: it carries the mark when it was handed the environment,
 * but SLURM started it.
 */
export function attemptMembers({ mark, leader }: Membership): ProcessInfo[] {
  const all = allProcesses();
  const own = all.get(process.pid);
  const found = new Map<number, ProcessInfo>();
  const session = leader === undefined ||
      (all.get(leader.pid)?.start ?? leader.start) !== leader.start
    ? undefined
    : leader.pid;
  for (const info of all.values()) {
    if (info.session === session || (hasVariable(info.pid, MARK, mark) && !isOtherJob(info.pid))) {
      found.set(info.pid, info);
    }
  }
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const info of all.values()) {
      if (found.has(info.pid)) continue;
      if (found.has(info.parent) || isSessionOf(info, found, all, own)) found.set(info.pid, info);
    }
  }
  found.delete(process.pid);
  // They start us: a worker that is itself run by an agent has that agent's mark.
  for (let at = own; at !== undefined; at = all.get(at.parent)) found.delete(at.pid);
  return [...found.values()].filter(({ zombie }) => !zombie);
}

/** A session is theirs when its leader is, or when the leader is gone and a member of it is theirs. */
function isSessionOf(
  info: ProcessInfo,
  found: ReadonlyMap<number, ProcessInfo>,
  all: ReadonlyMap<number, ProcessInfo>,
  own: ProcessInfo | undefined,
): boolean {
  if (info.session <= 1 || (info.session === own?.session && own.session !== own.pid)) return false;
  if (found.has(info.session)) return true;
  if (all.has(info.session)) return false;
  for (const member of found.values()) if (member.session === info.session) return true;
  return false;
}

/** Sends a signal to all of them; answers how many there were. */
export function signalAttempt(
  membership: Membership,
  signal: NodeJS.Signals,
  spare: (member: ProcessInfo) => boolean = () => false,
): number {
  const members = attemptMembers(membership).filter((member) => !spare(member));
  // Groups first: what forks in this moment is reached too. Only by force, for a group cannot spare one.
  if (signal === "SIGKILL") signalGroups(members, signal);
  signalMembers(members, signal);
  return members.length;
}

const PATIENCE_MS = 5_000;

/** Ends all of them by force and waits until they are gone; answers how many would not go, such as in a hung file system. */
export async function killAttempt(membership: Membership): Promise<number> {
  for (let waited = 0, pause = 5;; pause = Math.min(pause * 2, 200)) {
    const left = signalAttempt(membership, "SIGKILL");
    if (left === 0 || waited >= PATIENCE_MS) return left;
    // Real time, whatever clock the attempt is measured with: the kernel does not wait for ours.
    await new Promise((resolve) => setTimeout(resolve, pause));
    waited += pause;
  }
}

function allProcesses(): Map<number, ProcessInfo> {
  const all = new Map<number, ProcessInfo>();
  for (const name of readdirSync("/proc")) {
    const info = /^\d+$/.test(name) ? readProcess(Number(name)) : undefined;
    if (info !== undefined) all.set(info.pid, info);
  }
  return all;
}

function isOtherJob(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/environ`, "utf8");
    const job = /(?:^|\0)SLURM_JOB_ID=([^\0]*)/.exec(text)?.[1];
    return job !== undefined && job !== process.env["SLURM_JOB_ID"];
  } catch {
    return false;
  }
}
