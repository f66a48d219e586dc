import type { Attempt, Cause } from "./attempt.ts";
import { memoryText } from "./efficiency.ts";
import { latestAttempt } from "./state.ts";
import type { SweepState } from "./state.ts";
import type { Status } from "./status-word.ts";

export type { Status } from "./status-word.ts";

/** Every status, most urgent first: the order of `status --brief` and of totals. */
export const STATUSES: readonly Status[] = [
  "running",
  "queued",
  "submitted",
  "unknown",
  "paused",
  "failed",
  "pruned",
  "cancelled",
  "completed",
  "ready",
];

/** What a bare `herd run` submits. */
export const PENDING: ReadonlySet<Status> = new Set<Status>(["ready", "failed", "cancelled"]);

/** The cluster may be working on it: never submit another attempt beside it. */
export const LIVE: ReadonlySet<Status> = new Set<Status>([
  "submitted",
  "queued",
  "running",
  "unknown",
]);

/** A trial's status: its latest attempt, and what its user wants of it. */
export function statusOf(state: SweepState, trial: number): Status {
  const intent = state.intents.get(trial)?.intent;
  const attempt = latestAttempt(state, trial);
  if (attempt === undefined) return idle(intent);
  switch (attempt.phase) {
    case "intended":
    case "submitted":
      return "submitted";
    case "queued":
    case "running":
    case "unknown":
      return attempt.phase;
    case "ended":
      return ended(attempt.ending?.cause ?? "lost", intent);
  }
}

function idle(intent: string | undefined): Status {
  return intent === "pause"
    ? "paused"
    : intent === "prune"
    ? "pruned"
    : intent === "stop"
    ? "cancelled"
    : "ready";
}

function ended(cause: Cause, intent: string | undefined): Status {
  // A trainer told to prune or to pause ends by its own choice, with whatever code it likes.
  if (intent === "prune") return "pruned";
  if (intent === "pause") return "paused";
  if (cause === "completed") return "completed";
  return cause === "cancelled" || intent === "stop" ? "cancelled" : "failed";
}

/** A wish that the cluster has not carried out yet, such as a stop whose job still runs. */
export function pendingIntent(state: SweepState, trial: number): string | undefined {
  const intent = state.intents.get(trial)?.intent;
  return intent !== undefined && LIVE.has(statusOf(state, trial)) ? intent : undefined;
}

/** Where nobody measured what it took, what it was allowed is the least that it took. */
function outOfMemory({ usage }: Attempt): string {
  const limit = usage?.requestedMemoryBytes ?? 0;
  return usage?.maxRssBytes !== undefined || limit <= 0
    ? "out of memory"
    : `out of memory, reached its limit of ${memoryText(limit)}`;
}

/** Why it failed, in a few words for a person: "out of memory (exit 137)". */
export function describeEnding(attempt: Attempt): string | undefined {
  const ending = attempt.ending;
  if (ending === undefined || ending.cause === "completed") return undefined;
  const code = ending.exitCode === undefined || ending.exitCode === 0
    ? undefined
    : `exit ${ending.exitCode}`;
  switch (ending.cause) {
    case "exit":
      return code ?? "failed, exit code unknown";
    case "signal":
      return `killed by SIG${ending.signal ?? "?"}`;
    case "not-submitted":
      return "not submitted";
    case "lost":
      return "lost: it left the queue without a trace";
    case "out-of-memory":
      return outOfMemory(attempt);
    default:
      return ending.cause.replaceAll("-", " ");
  }
}
