import type { SeenState } from "../../sweep/sighting.ts";

/** Every state word of SLURM's manuals (22.05 to 25.05) and squeue's short code for it. */
const STATES: Readonly<Record<string, SeenState>> = {
  ...words("pending", "PENDING PD REQUEUED RQ REQUEUE_HOLD RH REQUEUE_FED RF RESV_DEL_HOLD RD"),
  // Held after its special exit until somebody releases it.
  ...words("pending", "SPECIAL_EXIT SE"),
  // The nodes are given but still boot: no process of the job runs yet.
  ...words("pending", "CONFIGURING CF POWER_UP_NODE PU EXPEDITING EX"),
  // Another cluster of the federation took it, so it is not over.
  ...words("pending", "REVOKED RV"),
  ...words("running", "RUNNING R RESIZING RS SIGNALING SI SUSPENDED S STOPPED ST"),
  ...words("completing", "COMPLETING CG STAGE_OUT SO"),
  ...words("completed", "COMPLETED CD"),
  ...words("failed", "FAILED F"),
  ...words("out-of-memory", "OUT_OF_MEMORY OOM"),
  ...words("timeout", "TIMEOUT TO"),
  ...words("cancelled", "CANCELLED CA"),
  ...words("preempted", "PREEMPTED PR"),
  ...words("node-failure", "NODE_FAIL NF"),
  ...words("deadline", "DEADLINE DL"),
  ...words("launch-failure", "BOOT_FAIL BF LAUNCH_FAILED LF RECONFIG_FAIL"),
};

function words(state: SeenState, list: string): Record<string, SeenState> {
  return Object.fromEntries(list.split(" ").map((word) => [word, state]));
}

/** Folds SLURM's own word, as squeue or sacct print it: `RUNNING`, `CG`, `CANCELLED by 1000`, `RUNNING+`. */
export function seenState(text: string): { state: SeenState; raw: string } {
  const raw = /^[A-Za-z_]*/.exec(text.trim())![0].toUpperCase();
  return { state: Object.hasOwn(STATES, raw) ? STATES[raw]! : "unrecognised", raw: raw || text };
}

/** Whether the task is over, so that its end time and exit code mean something. */
export function isOver(state: SeenState): boolean {
  return !["pending", "running", "completing", "unrecognised"].includes(state);
}

/**
 * A code as SLURM tells it, as far as it says something: timeouts, cancels and
 * node failures come with `0:0` too, and accounting turns a launcher's 128 into
 * `0:0`, so 0 is believed of COMPLETED alone. Numbers above 64 are SLURM's own
 * marks (125 out of memory), no signals; so is the 53 of a failed launch.
 */
export function exitOf(
  state: SeenState,
  code: number,
  signal: number,
): { exitCode: number | undefined; signal: number | undefined } {
  if (!isOver(state) || state === "launch-failure") {
    return { exitCode: undefined, signal: undefined };
  }
  const ended = signal > 0 && signal <= 64 ? signal : undefined;
  const meant = state === "completed" || (code !== 0 && signal === 0);
  return { exitCode: meant ? code : undefined, signal: ended };
}
