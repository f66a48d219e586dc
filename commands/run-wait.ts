import { SchedulerError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { RunResult } from "../lib/actions/run.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { Attempt } from "../lib/sweep/attempt.ts";
import { attemptKey } from "../lib/sweep/event.ts";
import type { RunRequest } from "../lib/sweep/run-plan.ts";
import { silences } from "../lib/sweep/silence.ts";
import { statusDocument } from "../lib/sweep/status-document.ts";
import { LIVE } from "../lib/sweep/status.ts";
import type { Status } from "../lib/sweep/status.ts";
import { trialViews } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { say } from "./open.ts";
import { refusalOf } from "./refusal.ts";
import { progressLines, transitionLine } from "./progress-lines.ts";
import { runDocument } from "./run-report.ts";
import type { RunContext } from "./run-options.ts";

/** The jobs' own records are looked at this often: a few calls of stat, none to the controller. */
const RECORDS_MS = 500;
/** Shortest and longest time between two looks at the cluster. */
const LOOK_MS = { least: 1_500, most: 30_000 };
/** How often to try whether the submit limit has room again. */
const ROOM_MS = 30_000;

interface Wait {
  outcome: RunResult;
  /** Trials of this sweep at once, over all arrays; undefined: no limit. */
  maxConcurrent: number | undefined;
  /** The run again, for trials that had no room. */
  again(indices: readonly number[], maxConcurrent: number | undefined): {
    request: RunRequest;
    scheduler: "slurm" | "local";
    maxConcurrent: number | undefined;
  };
}

/**
 * Stays until the submitted trials have ended. Learns of most endings from the
 * records that jobs write, and asks the cluster when one has changed, else ever
 * more seldom. Ctrl-C stops the watching, not the trials.
 */
export async function waitForTrials(
  context: RunContext,
  outside: Outside,
  wait: Wait,
): Promise<number> {
  const { out, clock, json, signal } = context;
  const { outcome, maxConcurrent } = wait;
  const { readProgress } = await import("../lib/daemon/progress.ts");
  const watched = new Set([
    ...outcome.submitted.flatMap(({ indices }) => indices),
    ...outcome.left,
  ]);
  let left: readonly number[] = outcome.left;
  const submitted = [...outcome.submitted];
  let triedRoom = clock.now();
  // Where nothing of ours is live any more there is room, unless the last round found none.
  let hadRoom = outcome.submitted.length > 0;
  const region = json ? undefined : out.live();
  const before = new Map<number, string>();
  let warned = "";
  try {
    for (;;) {
      const view = await outside.look();
      const silent = silences(view.state, view.observations, clock.now());
      const all = trialViews(view.state, { silent });
      const views = all.filter(({ trial }) => watched.has(trial.index));
      const warning = view.warnings.join("; ");
      if (warning !== warned && warning !== "") say(out, warning);
      warned = warning;
      tellTransitions(context, views, before);
      region?.draw(progressLines(out, views, readProgress(outside.paths, views), clock.now()));
      left = [...new Set([...left, ...neverArrived(views)])].sort((a, b) => a - b);
      const live = views.some(({ status }) => LIVE.has(status));
      // What an earlier run of this sweep submitted takes its share too.
      const atOnce = maxConcurrent === undefined
        ? undefined
        : maxConcurrent - all.filter(({ status }) => LIVE.has(status)).length;
      const isDue = clock.now() - triedRoom >= ROOM_MS || (!live && hadRoom);
      if (left.length > 0 && isDue && (atOnce === undefined || atOnce > 0)) {
        triedRoom = clock.now();
        const round = await nextRound(context, outside, () => wait.again(left, atOnce));
        left = round.left;
        submitted.push(...round.submitted);
        hadRoom = round.submitted.length > 0;
        if (hadRoom) continue;
      }
      if (!live && left.length === 0) {
        region?.end();
        const { warnings } = view;
        return finish(context, outside, { ...outcome, submitted, left, warnings }, views);
      }
      await untilNews(context, outside, views);
    }
  } catch (error) {
    region?.end();
    if (signal.aborted) {
      say(
        out,
        "Stopped watching; the trials go on. `herd status` shows them, `herd stop --all` ends them",
      );
    }
    throw error;
  }
}

/** Trials whose last submission came to nothing: it was handed over in an outage and never arrived. */
function neverArrived(views: readonly TrialView[]): number[] {
  return views.filter(({ status, cameToNothing }) => cameToNothing && !LIVE.has(status))
    .map(({ trial }) => trial.index);
}

/** Submits what there is room for now. An outage is no reason to stop waiting. */
async function nextRound(
  { out }: RunContext,
  outside: Outside,
  again: () => ReturnType<Wait["again"]>,
): Promise<{ submitted: RunResult["submitted"]; left: readonly number[] }> {
  const action = again();
  try {
    const round = await outside.change(
      "run",
      (perform) => perform({ verb: "run", ...action, ...outside.sweep() }),
    );
    if (!round.done) throw refusalOf(round);
    if (round.trouble?.kind === "rejected") throw round.trouble;
    if (round.trouble !== undefined) say(out, round.trouble.message);
    const gone = new Set([
      ...round.submitted.flatMap(({ indices }) => indices),
      ...round.undecided,
    ]);
    return {
      submitted: round.submitted,
      left: round.plan.submit.filter((index) => !gone.has(index)),
    };
  } catch (error) {
    if (!(error instanceof SchedulerError) || error.kind === "rejected") throw error;
    say(out, error.message);
    return { submitted: [], left: action.request.indices ?? [] };
  }
}

/** On a pipe or in a log each change is a line of its own. */
function tellTransitions(
  { out, json }: RunContext,
  views: readonly TrialView[],
  before: Map<number, string>,
): void {
  for (const view of views) {
    const known = before.get(view.trial.index);
    before.set(view.trial.index, view.status);
    if (known === view.status || json) continue;
    if (known === undefined && view.status !== "completed" && view.status !== "failed") continue;
    out.print(transitionLine(out, view));
  }
}

/** Resolves when a job's record says something new, or when it is time to ask the cluster anyway. */
async function untilNews(
  { clock, signal }: RunContext,
  outside: Outside,
  views: readonly TrialView[],
): Promise<void> {
  const started = clock.now();
  const open = views.flatMap(({ attempt }) =>
    attempt === undefined || attempt.phase === "ended" ? [] : [attempt]
  );
  const unsure = views.some(({ status }) => status === "unknown" || status === "submitted");
  const longest = unsure ? LOOK_MS.least * 2 : LOOK_MS.most;
  for (;;) {
    await clock.sleep(RECORDS_MS, signal);
    const waited = clock.now() - started;
    if (waited >= longest) return;
    if (waited >= LOOK_MS.least && hasNews(outside, open)) return;
  }
}

/** Whether a job has written something about itself that the last look did not know. */
function hasNews(outside: Outside, open: readonly Attempt[]): boolean {
  const records = outside.readRecords(open);
  return open.some((attempt) => {
    const record = records.get(attemptKey(attempt.submission, attempt.task));
    if (record === undefined) return false;
    return record.endedAt !== undefined || record.restart > attempt.restarts ||
      (record.startedAt !== undefined && attempt.phase !== "running");
  });
}

/** Pruned and paused trials ended as somebody wanted. */
const ENDED_WELL: ReadonlySet<Status> = new Set<Status>(["completed", "pruned", "paused"]);

function finish(
  { out, json, clock }: RunContext,
  outside: Outside,
  outcome: RunResult,
  views: readonly TrialView[],
): number {
  const bad = views.filter(({ status }) => !ENDED_WELL.has(status));
  if (json) {
    const { sweep } = outside.state();
    const facts = { sweep, now: clock.now(), warnings: outcome.warnings };
    const run = runDocument(outside, { outcome, dryRun: false, script: undefined });
    out.json({ ...run, ...statusDocument(views, new Map(), facts) });
  } else if (bad.length === 0) {
    out.print(
      views.length === 1
        ? "The trial has ended well"
        : `All ${count(views.length, "trial")} have ended well`,
    );
  } else {
    const indices = compactRanges(bad.map(({ trial }) => trial.index));
    out.print(`${count(bad.length, "trial")} did not complete: ${indices}`);
    out.print(
      "`herd status` says why, `herd tail INDEX` shows the log, `herd run` submits them again",
    );
  }
  return bad.length === 0 ? EXIT.done : EXIT.negative;
}
