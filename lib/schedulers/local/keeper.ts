import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { spawnDetached } from "../../base/detach.ts";
import { readIfThere, replaceFile } from "../../base/files.ts";
import { bootId, processStart } from "../../base/pid.ts";
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
  const marker = join(spool, "supervisor.coming");

  /**
   * The one that was started last, by whichever command, and who held the lock then: until somebody
   * takes it, that one is on its way. On a busy machine that takes longer than the next command does.
   */
  function isComing(generation: number): boolean {
    const [pid, start, boot, then] = (readIfThere(marker) ?? "").split(" ");
    return pid !== undefined && start !== undefined && boot === bootId() &&
      then === String(generation) && processStart(Number(pid)) === start;
  }

  return {
    isAlive: () => holderOf(spool, clock.now()).alive,
    ensure() {
      const holder = holderOf(spool, clock.now());
      if (holder.alive) return;
      if (isComing(holder.generation)) return;
      const { pid } = spawnDetached([...supervisor, spool], {
        cwd: spool,
        env: environment(),
        stdout: join(spool, "supervisor.log"),
        stderr: join(spool, "supervisor.log"),
      });
      const start = processStart(pid);
      // It is gone already, or was never there.
      if (start === undefined) return;
      replaceFile(marker, `${pid} ${start} ${bootId()} ${holder.generation}`, 0o600);
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
