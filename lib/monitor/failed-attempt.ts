import type { Attempt } from "../sweep/attempt.ts";
import { attemptKey } from "../sweep/event.ts";
import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { statusOf } from "../sweep/status.ts";
import type { Failure } from "./failure.ts";

/** A failed attempt with what was found of its cause. */
export interface FailedAttempt extends Failure {
  /** As `attemptKey` gives it. */
  key: string;
  trial: number;
  attempt: Attempt;
  /** Its time limit in seconds (null is unlimited), as its submission kept it. */
  timeSeconds: number | null | undefined;
}

/** How long the scheduler's own word is waited for where only the job's record has told the end. */
export const CONFIRM_MS = 10_000;

/**
 * The failures that nobody has judged: the latest attempts of trials that have
 * failed. A job's own record cannot tell that one of its processes was killed
 * for memory, so the scheduler gets a moment to correct it.
 */
export function unjudged(
  state: SweepState,
  now: number,
): { key: string; attempt: Attempt; timeSeconds: number | null | undefined }[] {
  const found = [];
  for (const trial of state.trials.values()) {
    if (trial.dropped === true || statusOf(state, trial.index) !== "failed") continue;
    const attempt = latestAttempt(state, trial.index);
    if (attempt?.phase !== "ended") continue;
    const key = attemptKey(attempt.submission, attempt.task);
    if (state.monitor.verdicts[key] !== undefined || isUnconfirmed(attempt, now)) continue;
    const submission = state.submissions.get(attempt.submission);
    const timeSeconds = submission?.carried === true ? undefined : submission?.timeSeconds;
    found.push({ key, attempt, timeSeconds });
  }
  return found;
}

function isUnconfirmed({ ending, usageDue, endedAt }: Attempt, now: number): boolean {
  return ending?.source === "record" && usageDue && endedAt !== undefined &&
    now - endedAt < CONFIRM_MS;
}
