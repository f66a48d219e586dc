import type { Boot } from "../sweep/monitor-event.ts";
import type { SweepState } from "../sweep/state.ts";
import { LIVE } from "../sweep/status.ts";
import type { Status } from "../sweep/status.ts";
import { trialViews } from "../sweep/view.ts";

/** Came to an end; only a person's word brings it back. A paused trial has not: halving or a person resumes it. */
export const TERMINAL: ReadonlySet<Status> = new Set<Status>([
  "completed",
  "failed",
  "pruned",
  "cancelled",
]);

/**
 * What a daemon finds when it starts. `planned` is how many trials the YAML has,
 * some of which the state may not know yet. Says nothing of how far an earlier
 * daemon came: that is `state.monitor.phase`, and it goes on from there.
 */
export function classifyBoot(state: SweepState, planned: number): Boot {
  const views = trialViews(state);
  const isNew = planned > views.length;
  const untouched = views.every(({ status, attempts }) => attempts === 0 && !LIVE.has(status));
  if (untouched && (isNew || views.length === 0 || views.some(isWaiting))) return "greenfield";
  const over = !isNew && views.every(({ status }) => TERMINAL.has(status));
  return over ? "post-mortem" : "hot-reload";
}

function isWaiting({ status }: { status: Status }): boolean {
  return !TERMINAL.has(status);
}
