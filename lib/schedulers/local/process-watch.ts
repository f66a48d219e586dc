import type { Clock } from "../../base/clock.ts";
import {
  knownMembers,
  type ProcessInfo,
  sessionMembers,
  startedAt,
} from "../../base/process-tree.ts";
import type { Running } from "./running.ts";

/** Knows the processes of running tasks without reading all of /proc five times a second. */
export interface ProcessWatch {
  /** Living members of each task's session, without its shim; `whole` misses nothing. */
  look(tasks: readonly Running[], whole: boolean): Map<Running, ProcessInfo[]>;
}

const WHOLE_EVERY_MS = 1_000;
/** At most a twentieth of a processor goes into whole passes, on however large a node. */
const REST_FACTOR = 20;
/** Of a file time against a process time. */
const CLOCK_SLACK_MS = 1_000;

export function createProcessWatch(clock: Clock): ProcessWatch {
  let wholeAt = 0;
  let restMs = WHOLE_EVERY_MS;
  return {
    look(tasks, whole) {
      const began = clock.now();
      const found = new Map<Running, ProcessInfo[]>();
      if (tasks.length === 0) return found;
      if (whole || began - wholeAt >= restMs) {
        const sessions = sessionMembers(new Set(tasks.flatMap((task) => sessionOf(task) ?? [])));
        for (const task of tasks) {
          found.set(task, ours(task, sessions.get(sessionOf(task) ?? 0) ?? []));
        }
        wholeAt = clock.now();
        restMs = Math.max(WHOLE_EVERY_MS, (wholeAt - began) * REST_FACTOR);
      } else {
        for (const task of tasks) {
          const session = sessionOf(task);
          const members = session === undefined ? [] : knownMembers(session, task.members);
          found.set(task, ours(task, members));
        }
      }
      return found;
    },
  };
}

function sessionOf(task: Running): number | undefined {
  return task.claim === undefined || task.claim.void ? undefined : task.claim.pid;
}

/**
 * The members that are the task's beyond doubt. A session's number is not given
 * away while a member lives. Once the shim and all members are gone, it may be
 * somebody else's: what began after the task's end is not the task's.
 */
function ours(task: Running, members: readonly ProcessInfo[]): ProcessInfo[] {
  const claim = task.claim;
  if (claim === undefined || claim.void) return [];
  const leader = members.find((member) => member.pid === claim.pid);
  if (leader !== undefined && leader.start !== claim.start) return [];
  const living = members.filter((member) => !member.zombie && member !== leader);
  const endedAt = task.end?.at;
  if (leader !== undefined || endedAt === undefined) return living;
  return living.filter((member) => startedAt(member) <= endedAt + CLOCK_SLACK_MS);
}
