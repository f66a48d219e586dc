import type { Attempt } from "./attempt.ts";
import { isHyperHerdsWish, mayCancel } from "./carried.ts";
import { latestAttempt } from "./state.ts";
import type { SweepState } from "./state.ts";
import { LIVE, statusOf } from "./status.ts";

/** A cancel that had no effect is sent again after this long: an outage may have swallowed it. */
export const CANCEL_AGAIN_MS = 30_000;

/**
 * Trials whose job is to be cancelled now: stopped ones; paused and pruned ones
 * that wait in the queue (no trainer is there to see the signal), or whose
 * trainer has not ended within the grace. A grace of 0 seconds means never.
 * Where the queue is `silent`, what waited may run by now, with a trainer that
 * sees the signal: a pause that cancels it would cost work.
 */
export function overdue(
  state: SweepState,
  now: number,
  graceSeconds: number,
  silent: ReadonlySet<"slurm" | "local"> = new Set(),
): number[] {
  const indices: number[] = [];
  for (const [trial, { intent, at }] of state.intents) {
    const status = statusOf(state, trial);
    const attempt = latestAttempt(state, trial);
    if (!LIVE.has(status) || attempt === undefined || status === "unknown") continue;
    if (!mayCancel(state, attempt)) continue;
    // HyperHerd called trials cancelled that were not (G.1.5): its word alone ends no job.
    if (intent === "stop" && isHyperHerdsWish(state, trial)) continue;
    const sent = state.cancelSentAt.get(trial);
    if (sent !== undefined && sent >= at && now - sent < CANCEL_AGAIN_MS) continue;
    const graceOver = graceSeconds > 0 && now - at >= graceSeconds * 1000;
    const scheduler = state.submissions.get(attempt.submission)?.scheduler;
    const waits = status !== "running" && (scheduler === undefined || !silent.has(scheduler));
    if (intent === "stop" || waits || graceOver) indices.push(trial);
  }
  return indices.sort((a, b) => a - b);
}

/**
 * What trainers have to be told now. Asked at each look, because a trial may have
 * begun to run after the wish, and a crash may lie between a wish and its signal.
 */
export function signalsDue(state: SweepState): { trial: number; signal: "pause" | "prune" }[] {
  const due: { trial: number; signal: "pause" | "prune" }[] = [];
  for (const [trial, { intent }] of state.intents) {
    if (intent !== "pause" && intent !== "prune") continue;
    if (statusOf(state, trial) === "running") due.push({ trial, signal: intent });
  }
  return due;
}

/**
 * Attempts that are alive beside a later one of their trial: a job that somebody
 * requeued, or that turned up again after it was given up. Two processes on one
 * checkpoint spoil it, so the earlier one goes. HyperHerd's own doubles stay:
 * which of them counts is not known.
 */
export function superseded(state: SweepState): Attempt[] {
  const found: Attempt[] = [];
  for (const [trial, keys] of state.attemptsOf) {
    if (keys.length < 2) continue;
    const latest = latestAttempt(state, trial);
    if (latest === undefined || latest.phase === "ended") continue;
    for (const key of keys) {
      const attempt = state.attempts.get(key)!;
      const isAlive = attempt.phase === "queued" || attempt.phase === "running";
      const isCarried = state.submissions.get(attempt.submission)?.carried === true;
      if (attempt !== latest && isAlive && !isCarried) found.push(attempt);
    }
  }
  return found;
}
