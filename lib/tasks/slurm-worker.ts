import { HANDED_BACK } from "./worker-runner.ts";
import type { AttemptReport } from "./task.ts";

/** The label of every worker that is a SLURM job. */
export const SLURM_LABEL = "slurm";

/** Set by the job's script: seconds from SLURM's warning to the end of the job's time. */
export const JOB_VARIABLE = "HERD_WORKER_JOB";

/** What is left of the time when attempts that are not done are handed back. Seconds. */
const LAST_SECONDS = 40;

/** From SLURM's warning on an attempt may go on for so long. Milliseconds. */
export function patienceOf(leadSeconds: number): number {
  return Math.max(5, leadSeconds - LAST_SECONDS) * 1000;
}

/** How long before its end SLURM warns a worker. Seconds. */
export function leadOf(timeMinutes: number): number {
  return Math.max(20, Math.min(600, Math.floor(timeMinutes * 60 / 3)));
}

/** The last word of an attempt that was ended along with the worker's job. */
export function handedBack(report: AttemptReport): AttemptReport {
  return report.end === "crashed" || report.end === "cancelled"
    ? { ...report, end: "cancelled", cause: HANDED_BACK, passing: true }
    : report;
}
