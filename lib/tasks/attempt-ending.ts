import { readFileSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { killAttempt, type Membership, signalAttempt } from "./attempt-members.ts";
import type { Stopped } from "./attempt-message.ts";
import type { WorkEnd } from "./backend.ts";

/** For the backend to give up when its programs are gone already. */
const AFTERMATH_MS = 2_000;

export interface Ending {
  /** Aborted when the work is to end. */
  signal: AbortSignal;
  /** Resolves when the backend did not end in time. */
  given: Promise<WorkEnd>;
  stop(why: Stopped): void;
  stopped(): Stopped | undefined;
  close(): void;
}

/** How the work is broken off: asked first, where there is time, then by force. */
export function createEnding(
  graceMs: number,
  clock: Clock,
  membership: Membership | undefined,
): Ending {
  const abort = new AbortController();
  const over = new AbortController();
  let why: Stopped | undefined;
  let give: (end: WorkEnd) => void = () => {};
  const given = new Promise<WorkEnd>((resolve) => give = resolve);

  async function force(): Promise<void> {
    if (membership !== undefined) await killAttempt(membership);
    await clock.sleep(AFTERMATH_MS, over.signal);
    give({ kind: "aborted", partial: "" });
  }

  function stop(next: Stopped): void {
    const atOnce = next === "deadline" || next === "worker-gone";
    if (why === "deadline" || why === "worker-gone" || (why !== undefined && !atOnce)) return;
    why = next;
    abort.abort(new Error(`The attempt was ended: ${next}`));
    if (atOnce) return void force().catch(() => {});
    // bubblewrap would take its program with it without asking; the program is asked itself.
    if (membership !== undefined) {
      signalAttempt(membership, "SIGTERM", ({ pid }) => nameOf(pid) === "bwrap");
    }
    clock.sleep(graceMs, over.signal).then(force).catch(() => {});
  }

  return {
    signal: abort.signal,
    given,
    stop,
    stopped: () => why,
    close: () => over.abort(),
  };
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
