import type { Cause, Ending } from "./attempt.ts";
import type { JobRecord, SeenState, Sighting } from "./sighting.ts";

const CAUSES: Partial<Record<SeenState, Cause>> = {
  completed: "completed",
  failed: "exit",
  "out-of-memory": "out-of-memory",
  timeout: "timeout",
  cancelled: "cancelled",
  preempted: "preempted",
  "node-failure": "node-failure",
  deadline: "deadline",
  "launch-failure": "launch-failure",
};

/** Signals of Linux by number, those that end processes. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: "HUP",
  2: "INT",
  3: "QUIT",
  4: "ILL",
  5: "TRAP",
  6: "ABRT",
  7: "BUS",
  8: "FPE",
  9: "KILL",
  10: "USR1",
  11: "SEGV",
  12: "USR2",
  13: "PIPE",
  14: "ALRM",
  15: "TERM",
  24: "XCPU",
  25: "XFSZ",
  31: "SYS",
};

/** SLURM's sign that a job never ran because its output could not be opened: exit code 0:53. */
const CANNOT_LAUNCH = 53;

/** Whether the scheduler says that a task is over and how. */
export function isOver(sighting: Sighting | undefined): boolean {
  return sighting !== undefined && CAUSES[sighting.state] !== undefined;
}

/**
 * How an attempt ended, from the scheduler's word and the job's own record. The
 * scheduler knows the cause (a job that ends by TERM looks the same in its
 * record whoever sent it); the record knows the code, of which SLURM's
 * accounting keeps only seven bits.
 */
export function endingOf(sighting: Sighting, record: JobRecord | undefined): Ending {
  const cause = CAUSES[sighting.state] ?? "exit";
  const source = record?.exitCode === undefined ? "scheduler" : "both";
  if (cause === "completed") return { cause, exitCode: 0, signal: undefined, source };
  const code = record?.exitCode ?? trustedCode(sighting);
  if (cause !== "exit") return { cause, exitCode: code, signal: signalOf(code), source };
  const signal = signalOf(code) ??
    (code === undefined ? SIGNALS[sighting.signal ?? 0] : undefined);
  const neverRan = record?.startedAt === undefined && sighting.signal === CANNOT_LAUNCH;
  if (neverRan) return { cause: "launch-failure", exitCode: undefined, signal: undefined, source };
  return { cause: signal === undefined ? "exit" : "signal", exitCode: code, signal, source };
}

/** A code of 0 on a failed job is a folded 128; what it really was is not known. */
function trustedCode(sighting: Sighting): number | undefined {
  return sighting.exitCode === 0 ? undefined : sighting.exitCode;
}

/** The shell's convention: 128 + n means that signal n ended the command. */
export function signalOf(code: number | undefined): string | undefined {
  return code === undefined || code <= 128 ? undefined : SIGNALS[code - 128];
}

/**
 * How an attempt ended by its own record alone, or undefined where the record
 * cannot know: after a signal only the scheduler can tell a time-out from a
 * cancel, a preemption or a failing node, and a code over 128 may be a kill for memory.
 */
export function endingByRecord(record: JobRecord | undefined): Ending | undefined {
  if (record?.exitCode === undefined || record.endedAt === undefined) return undefined;
  if (record.signals.length > 0 || record.exitCode > 128) return undefined;
  return {
    cause: record.exitCode === 0 ? "completed" : "exit",
    exitCode: record.exitCode,
    signal: undefined,
    source: "record",
  };
}

/** Whether the scheduler asked the job to end: it sends TERM before it kills. */
export function wasTold({ signals }: JobRecord): boolean {
  return signals.includes("TERM");
}

/**
 * What one would say of a record where no scheduler will ever tell more. A job
 * that was told to end and left no code was killed before it could.
 */
export function inferEnding(
  record: JobRecord,
  facts: { cancelSent: boolean; timeSeconds: number | null },
): Ending {
  const exitCode = record.exitCode;
  const told = wasTold(record);
  const signal = signalOf(exitCode) ?? (told && exitCode === undefined ? "TERM" : undefined);
  const ran = ((record.endedAt ?? record.aliveAt) - (record.startedAt ?? record.aliveAt)) / 1000;
  // SLURM counts from the allocation, the job from its first line: a prolog lies between, so by
  // the job's own clock a time-out may come early. SLURM looks twice a minute, so it may come late.
  const limit = facts.timeSeconds ?? Infinity;
  const late = ran >= limit - Math.min(60, Math.max(2, limit / 20));
  const cause: Cause = told && facts.cancelSent
    ? "cancelled"
    : late && told
    ? "timeout"
    : exitCode === 0
    ? "completed"
    : signal !== undefined
    ? "signal"
    : "exit";
  return { cause, exitCode, signal, source: "record" };
}
