import { latestAttempt } from "./state.ts";
import type { SweepState } from "./state.ts";
import { LIVE, statusOf } from "./status.ts";

/** A cancel that had no effect is sent again after this long: an outage may have swallowed it. */
export const CANCEL_AGAIN_MS = 30_000;

/**
 * Trials whose job is to be cancelled now: stopped ones; paused and pruned ones
 * that wait in the queue (no trainer is there to see the signal), or whose
 * trainer has not ended within the grace. A grace of 0 seconds means never.
 */
export function overdue(state: SweepState, now: number, graceSeconds: number): number[] {
  const indices: number[] = [];
  for (const [trial, { intent, at }] of state.intents) {
    const status = statusOf(state, trial);
    const attempt = latestAttempt(state, trial);
    if (!LIVE.has(status) || attempt?.jobId === undefined || status === "unknown") continue;
    // HyperHerd called trials cancelled that were not (G.1.5): its word alone ends no job.
    if (state.submissions.get(attempt.submission)?.carried === true && intent === "stop") continue;
    const sent = state.cancelSentAt.get(trial);
    if (sent !== undefined && sent >= at && now - sent < CANCEL_AGAIN_MS) continue;
    const graceOver = graceSeconds > 0 && now - at >= graceSeconds * 1000;
    if (intent === "stop" || status !== "running" || graceOver) indices.push(trial);
  }
  return indices.sort((a, b) => a - b);
}
