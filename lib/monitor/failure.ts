import type { Cause, Ending } from "../sweep/attempt.ts";
import type { FailureClass } from "../sweep/monitor-event.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { logLines, oneLine } from "./log-lines.ts";
import { gpuMemoryLine, isGpuMemory, isHostMemory, wasKilledForMemory } from "./memory-trouble.ts";
import { otherErrors } from "./other-errors.ts";
import { pythonErrors } from "./python-traceback.ts";
import type { Raised } from "./raised.ts";

const LONGEST_HEADLINE = 200;

export interface Failure {
  failure: FailureClass;
  /** Equal for the same bug in two trials; defined for exceptions only. */
  fingerprint: string | undefined;
  /** One line of at most 200 characters, safe to print: the error, or the scheduler's cause. */
  headline: string;
}

export interface FailureEvidence {
  ending: Ending;
  /** Ends of the trial's logs, since the attempt began where that is known. */
  stderrTail: string;
  stdoutTail: string;
  /** Texts that are this trial's own (its name, its values): they make no two bugs different. */
  own?: readonly string[];
}

/** What the scheduler's word alone decides; undefined for an end that is no failure. */
const BY_CAUSE: Readonly<Record<Cause, FailureClass | "log" | undefined>> = {
  "completed": undefined,
  "cancelled": undefined,
  "not-submitted": undefined,
  "out-of-memory": "out-of-memory",
  "timeout": "timeout",
  "preempted": "infrastructure",
  "node-failure": "infrastructure",
  "launch-failure": "infrastructure",
  "lost": "infrastructure",
  // More time or the same again would meet the same deadline: the user set it.
  "deadline": "unknown",
  "exit": "log",
  "signal": "log",
};

const HEADLINES: Partial<Record<Cause, string>> = {
  "out-of-memory": "Out of memory",
  "timeout": "Reached its time limit",
  "preempted": "Preempted",
  "node-failure": "The node failed",
  "launch-failure": "The scheduler could not start it",
  "lost": "It left the queue without a trace",
  "deadline": "Reached its deadline",
};

/** What SLURM's daemon writes into a log where accounting has no word for it. */
const ENDED_BY_SLURM: readonly (readonly [RegExp, FailureClass, string])[] = [
  [/^slurmstepd: error: .* DUE TO TIME LIMIT/, "timeout", "Reached its time limit"],
  [/^slurmstepd: error: .* DUE TO NODE FAILURE/, "infrastructure", "The node failed"],
  [/^slurmstepd: error: .* DUE TO PREEMPTION/, "infrastructure", "Preempted"],
];

/**
 * Why an attempt failed. The scheduler's word counts first; where it knows only
 * a code, the error that the log ends with. Undefined when it is no failure:
 * completed, cancelled, paused, pruned or never submitted.
 */
export function classifyFailure(evidence: FailureEvidence): Failure | undefined {
  const { cause } = evidence.ending;
  const known = BY_CAUSE[cause];
  if (known === undefined) return undefined;
  if (known !== "log") {
    return { failure: known, fingerprint: undefined, headline: HEADLINES[cause] ?? cause };
  }
  return byLog(evidence);
}

function byLog({ ending, stderrTail, stdoutTail, own }: FailureEvidence): Failure {
  const stderr = logLines(stderrTail);
  const stdout = logLines(stdoutTail);
  for (const [pattern, failure, headline] of ENDED_BY_SLURM) {
    const said = stderr.slice(-20).some((line) => pattern.test(line));
    if (said) return { failure, fingerprint: undefined, headline };
  }
  const raised = decisive(stderr, stdout, ending);
  // A kill comes from outside, whatever the program had reported before.
  const isKilled = wasKilledForMemory(stderr, ending);
  if (isKilled && (raised === undefined || !isGpuMemory(raised))) {
    return { failure: "out-of-memory", fingerprint: undefined, headline: "Out of memory" };
  }
  if (raised !== undefined) return byError(raised, own);
  const line = gpuMemoryLine(stderr) ?? gpuMemoryLine(stdout);
  if (line !== undefined) {
    const headline = oneLine(line, LONGEST_HEADLINE);
    return { failure: "cuda-out-of-memory", fingerprint: undefined, headline };
  }
  return bySignal(ending, stderr.findLast((one) => one.trim() !== ""));
}

function byError(raised: Raised, own: readonly string[] | undefined): Failure {
  const headline = oneLine(headlineOf(raised), LONGEST_HEADLINE);
  if (isGpuMemory(raised)) {
    return { failure: "cuda-out-of-memory", fingerprint: undefined, headline };
  }
  if (isHostMemory(raised)) return { failure: "out-of-memory", fingerprint: undefined, headline };
  return { failure: "exception", fingerprint: fingerprintOf(raised, own), headline };
}

function headlineOf({ type, message, kind }: Raised): string {
  if (message === "") return type;
  return kind === "line" && (type === "Error" || type === "Shell")
    ? message
    : `${type}: ${message}`;
}

/** Characters; what is no known error may be anything. */
const LAST_LINE = 120;

/** Signals by which a program ends itself when it breaks; others come from outside. */
const OWN_SIGNALS = new Set(["SEGV", "ABRT", "BUS", "FPE", "ILL", "TRAP", "SYS"]);

/** `last`: of standard error, which a program may use in its own way. */
function bySignal({ signal, exitCode }: Ending, last: string | undefined): Failure {
  if (signal !== undefined && OWN_SIGNALS.has(signal)) {
    const raised = { line: 0, message: "", more: [], frames: [], kind: "error" } as const;
    const fingerprint = fingerprintOf({ ...raised, type: `SIG${signal}` });
    return { failure: "exception", fingerprint, headline: `Ended by SIG${signal}` };
  }
  const how = signal !== undefined
    ? `Killed by SIG${signal}`
    : exitCode === undefined
    ? "Failed with an unknown exit code"
    : `Exit code ${exitCode}`;
  return {
    failure: "unknown",
    fingerprint: undefined,
    headline: last === undefined
      ? `${how}; its log shows no error`
      : `${how}; its last line: ${oneLine(last.trim(), LAST_LINE)}`,
  };
}

/**
 * The error that ended it: the last one that is not another's echo. Errors of
 * the program come before lines of the shell around it, unless the shell found
 * nothing to run; standard error comes before standard output.
 */
function decisive(
  stderr: readonly string[],
  stdout: readonly string[],
  { exitCode }: Ending,
): Raised | undefined {
  const [first, second] = [errorsIn(stderr), errorsIn(stdout)];
  if (exitCode === 126 || exitCode === 127) {
    const said = first.findLast(({ kind }) => kind === "line");
    if (said !== undefined) return said;
  }
  for (const kind of ["error", "echo", "line"] as const) {
    for (const errors of [first, second]) {
      const last = errors.findLast((one) => one.kind === kind);
      if (last !== undefined) return last;
    }
  }
  return undefined;
}

/** Only the last lines of a log can tell of its end where no traceback is. */
const LAST_LINES = 25;

function errorsIn(lines: readonly string[]): Raised[] {
  const python = pythonErrors(lines);
  const taken = new Set(python.map(({ line }) => line));
  const others = otherErrors(lines).filter(({ line, kind }) =>
    !taken.has(line) && (kind !== "line" || line >= lines.length - LAST_LINES)
  );
  return [...python, ...others].sort((a, b) => a.line - b.line);
}
