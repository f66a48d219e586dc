import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { spawnDetached } from "../../base/detach.ts";
import { processStart } from "../../base/pid.ts";
import { holderOf } from "./lock.ts";

/** Sees to it that a spool with work has a supervisor. */
export interface Keeper {
  isAlive(): boolean;
  /** Starts one unless one lives. Throws when the program cannot be started. */
  ensure(): void;
}

/**
 * Names of variables that a supervisor gets: what a program needs to run at all.
 * A token of ours must not lie in a process that lives for days beside the jobs.
 */
const PASSED = [
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"],
  ...["LD_LIBRARY_PATH", "XDG_CACHE_HOME", "DENO_DIR"],
];

export function createKeeper(
  { spool, supervisor, clock }: { spool: string; supervisor: readonly string[]; clock: Clock },
): Keeper {
  /** The one we started last, and who held the lock then: until somebody takes it, that one is on its way. */
  let coming: { pid: number; start: string | undefined; generation: number } | undefined;
  return {
    isAlive: () => holderOf(spool, clock.now()).alive,
    ensure() {
      const holder = holderOf(spool, clock.now());
      if (holder.alive) return;
      if (
        coming !== undefined && coming.start !== undefined &&
        coming.generation === holder.generation && processStart(coming.pid) === coming.start
      ) return;
      const { pid } = spawnDetached([...supervisor, spool], {
        cwd: spool,
        env: environment(),
        stdout: join(spool, "supervisor.log"),
        stderr: join(spool, "supervisor.log"),
      });
      coming = { pid, start: processStart(pid), generation: holder.generation };
    },
  };
}

function environment(): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED) {
    const value = process.env[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}
