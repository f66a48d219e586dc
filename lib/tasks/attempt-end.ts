import type { ChildEnd } from "../base/piped-child.ts";
import type { Stopped } from "./attempt-message.ts";
import type { WorkEnd } from "./backend.ts";

/** Why a worker ended an attempt. */
export type Cause =
  | { kind: "cancelled"; reason: string }
  | { kind: "timed-out"; limitMs: number }
  | { kind: "fenced" };

/** How an attempt ended, its causes told apart. `partial` is what was said until then. */
export type AttemptEnd =
  | Exclude<WorkEnd, { kind: "aborted" }>
  | (Cause & { partial: string })
  | {
    kind: "crashed";
    /** One sentence for people, no period. */
    message: string;
    signal: string | undefined;
    exitCode: number | undefined;
    /** The end of what it wrote to standard error. */
    lastLines: string[];
    partial: string;
  };

export interface EndFacts {
  /** What the worker wanted of it. */
  cause: Cause | undefined;
  /** What its process said of its end, if it came to that. */
  said: { end: WorkEnd; stopped?: Stopped } | undefined;
  how: ChildEnd;
  stderr: string;
  /** It was ended because it wrote a line without end. */
  flooded: boolean;
}

const LINES_KEPT = 20;

/**
 * Judges an end. A lost lease voids every answer; a cancelled task has none. An answer that came
 * just as the time ran out counts: it is paid for, and nothing is gained by asking again.
 */
export function attemptEnd(facts: EndFacts): AttemptEnd {
  const { cause, said } = facts;
  const partial = said === undefined ? "" : textOf(said.end);
  const isGone = said?.stopped === "deadline" || said?.stopped === "worker-gone";
  if (cause?.kind === "fenced" || isGone) return { kind: "fenced", partial };
  if (cause?.kind === "cancelled") return { ...cause, partial };
  if (said?.end.kind === "done") return said.end;
  if (cause !== undefined) return { ...cause, partial };
  if (said?.end.kind === "failed" && said.stopped === undefined) return said.end;
  return { ...crash(facts), partial };
}

function textOf(end: WorkEnd): string {
  return end.kind === "done" ? end.result : end.partial;
}

function crash({ how, said, stderr, flooded }: EndFacts) {
  const lastLines = stderr.trimEnd().split("\n").filter((line) => line !== "").slice(-LINES_KEPT);
  const signal = how.signal ?? (said?.stopped === "signal" ? "SIGTERM" : undefined);
  return {
    kind: "crashed",
    message: flooded ? "The attempt's process wrote without end" : crashMessage(how, signal),
    signal,
    exitCode: how.exitCode,
    lastLines,
  } as const;
}

function crashMessage(how: ChildEnd, signal: string | undefined): string {
  if (how.spawnError !== undefined) {
    return `The attempt's process could not be started (${how.spawnError})`;
  }
  if (signal !== undefined) return `The attempt's process was ended by ${signal}`;
  return `The attempt's process ended with exit code ${how.exitCode} and without an answer`;
}
