import type { Attempt } from "./attempt.ts";
import { isoOf } from "./status-document.ts";
import { describeEnding } from "./status.ts";
import { elapsedSeconds } from "./view.ts";

/** One attempt as JSON; unknown is null, times are ISO. */
export function attemptDocument(attempt: Attempt, now: number): AttemptFacts {
  const { ending, usage } = attempt;
  return {
    number: attempt.number,
    phase: attempt.phase,
    submission: attempt.submission,
    job_id: attempt.jobId === undefined ? null : `${attempt.jobId}_${attempt.task}`,
    scheduler_state: attempt.schedulerState ?? null,
    reason: attempt.reason ?? null,
    cause: ending?.cause ?? null,
    exit_code: ending?.exitCode ?? null,
    signal: ending?.signal ?? null,
    note: describeEnding(attempt) ?? null,
    node: attempt.node ?? null,
    restarts: attempt.restarts,
    submitted_at: isoOf(attempt.intendedAt),
    started_at: isoOf(attempt.startedAt),
    ended_at: isoOf(attempt.endedAt),
    elapsed_seconds: elapsedSeconds(attempt, now) ?? null,
    max_rss_bytes: usage?.maxRssBytes ?? null,
    req_mem_bytes: usage?.requestedMemoryBytes ?? null,
  };
}

export interface AttemptFacts {
  number: number;
  phase: string;
  [key: string]: unknown;
}
