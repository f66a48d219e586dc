import { readFileSync, realpathSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { holderOf } from "./lock.ts";

/** An idle supervisor ends by itself after 10 s; one on another host is only ever waited for. */
const WAIT_MS = 20_000;

/**
 * Lets the supervisor of a spool end, so that the spool can be deleted. Only for
 * a spool in which nothing runs. False when it is still there after the wait.
 */
export async function retireSupervisor(
  { spool, clock, signal }: { spool: string; clock: Clock; signal: AbortSignal },
): Promise<boolean> {
  const until = clock.now() + WAIT_MS;
  let told: number | undefined;
  for (;;) {
    const { alive, pid } = holderOf(spool, clock.now());
    if (!alive) return true;
    if (clock.now() >= until) return false;
    if (pid !== undefined && pid !== told && supervises(pid, spool)) {
      told = pid;
      tell(pid);
    }
    await clock.sleep(100, signal);
  }
}

/** Whether the process of that number is on this host, and what we think it is: numbers are used again. */
function supervises(pid: number, spool: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const [command, folder] = words.slice(-3);
    return command === "local-supervisor" && realpathSync(folder!) === realpathSync(spool);
  } catch {
    return false;
  }
}

function tell(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It ended meanwhile.
  }
}
