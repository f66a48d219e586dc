/**
 * What is special about attempts that HyperHerd made: their jobs carry its sweep's
 * name and no nonce, they wrote no records, and of some not even the job is known.
 */
import type { Attempt, Cause, Ending } from "./attempt.ts";
import type { Look } from "./sighting.ts";
import { latestAttempt } from "./state.ts";
import type { SweepState } from "./state.ts";

/** Reason of the wishes that are HyperHerd's sticky statuses, and no user's of herd. */
export const CARRIED_REASON = "carried over from HyperHerd";

/** Statuses whose job, once it is in no view, can only have ended so. */
const ENDED: Readonly<Record<string, Cause>> = {
  failed: "exit",
  timeout: "timeout",
  preempted: "preempted",
  deadline: "deadline",
  node_fail: "node-failure",
  boot_fail: "launch-failure",
};

export function isCarried(state: SweepState, { submission }: Pick<Attempt, "submission">): boolean {
  return state.submissions.get(submission)?.carried === true;
}

/** Whether what is wanted of a trial is only what HyperHerd said of it. */
export function isHyperHerdsWish(state: SweepState, trial: number): boolean {
  return state.intents.get(trial)?.reason === CARRIED_REASON;
}

/**
 * Whether a cancel may be sent to an attempt's job. Not to one of HyperHerd's
 * that was not seen under its name: the id may be another job's by now.
 */
export function mayCancel(state: SweepState, attempt: Attempt): boolean {
  if (attempt.jobId === undefined) return false;
  const submission = state.submissions.get(attempt.submission);
  if (submission?.carried !== true) return true;
  const isSeen = attempt.phase === "queued" || attempt.phase === "running";
  return submission.jobName !== "" && isSeen;
}

/**
 * What to conclude of a carried attempt that the queue, which answered, does not
 * have, and accounting has no row of. `undecided` is to stay unknown until somebody
 * stops it, undefined is for the rules of herd's own jobs to judge.
 */
export function carriedEnding(
  state: SweepState,
  attempt: Attempt,
  look: Look,
): Ending | "undecided" | undefined {
  if (!isCarried(state, attempt) || latestAttempt(state, attempt.trial) !== attempt) {
    return undefined;
  }
  // Once seen under its name it is followed like herd's own.
  if (attempt.schedulerState !== undefined) return undefined;
  const status = state.inherited.get(attempt.trial);
  const intent = state.intents.get(attempt.trial)?.intent;
  // Of trials that HyperHerd dropped nobody waits for an answer.
  if (status === undefined && intent === undefined) return undefined;
  const isAbsent = !look.accounting.answered && look.accounting.reason === "absent";
  if (!look.accounting.answered && !isAbsent) return "undecided";
  // Where nobody keeps accounts, "cancelled" may have been any end.
  const isDoubtful = intent === "stop" && isAbsent && isHyperHerdsWish(state, attempt.trial);
  if (intent !== undefined && !isDoubtful) return ending("cancelled");
  const cause = ENDED[status ?? ""];
  return cause === undefined || intent !== undefined ? "undecided" : ending(cause);
}

function ending(cause: Cause): Ending {
  return { cause, exitCode: undefined, signal: undefined, source: "herd" };
}

/** Why a carried attempt is unknown, and how to go on; undefined for herd's own. */
export function carriedNote(state: SweepState, attempt: Attempt): string | undefined {
  if (!isCarried(state, attempt)) return undefined;
  const { trial, jobId, task } = attempt;
  const wayOut = `\`herd stop ${trial}\` makes it cancelled, so that it can run again`;
  if (jobId === undefined) {
    return `HyperHerd had submitted it and no job id is on record; ${wayOut}`;
  }
  const status = state.inherited.get(trial);
  if (status === undefined || attempt.schedulerState !== undefined) return undefined;
  const said = `HyperHerd said ${status}; what became of job ${jobId}_${task} is not known`;
  const isStopped = state.intents.get(trial)?.intent === "stop" && !isHyperHerdsWish(state, trial);
  return isStopped ? said : `${said}; ${wayOut}`;
}
