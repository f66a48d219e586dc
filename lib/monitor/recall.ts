import type { Concern, Verdict } from "../sweep/monitor-event.ts";
import { attemptKey } from "../sweep/event.ts";
import { latestAttempt } from "../sweep/state.ts";
import { verdictTexts } from "../words/verdict-text.ts";
import { noteFailures } from "./repair.ts";
import type { Session } from "./session.ts";

/**
 * What a tick would have told of or asked, had the last daemon lived to take it: what
 * the last tick left to ask, verdicts since, and the report of a sweep that had just
 * come to its end.
 */
export function recall(session: Session): void {
  const { monitor } = session.ground.state();
  for (const [about, text] of Object.entries(monitor.lastTick?.owed ?? {})) {
    session.concerns.set(about as Concern, text);
  }
  // A tick tells of all that was before it began.
  const since = monitor.lastTick?.startedAt ?? -Infinity;
  const untold = Object.values(monitor.verdicts).filter(({ at }) => at > since);
  const halts = new Set(untold.filter(({ decision }) => decision === "halt").map(({ at }) => at));
  // A halt was said in the write that made it, with what was judged beside it.
  const wasSaid = (at: number) => halts.has(at) && monitor.recent.some((said) => said.at === at);
  session.done.push(...verdictTexts(untold.filter(({ at }) => !wasSaid(at)), monitor.bumps));
  noteFailures(session, untold.filter((verdict) => isOfLatest(session, verdict)));
  if (monitor.phase === "done" && monitor.phaseSince > since) {
    const report = monitor.recent.findLast(({ at }) => at === monitor.phaseSince);
    if (report !== undefined) session.concerns.set("report", report.text);
  }
}

/** One that ran again since has another log by now, and other troubles. */
function isOfLatest({ ground }: Session, { trial, attempt }: Verdict): boolean {
  const latest = latestAttempt(ground.state(), trial);
  return latest !== undefined && attemptKey(latest.submission, latest.task) === attempt;
}
