import { compactRanges, count } from "../base/text.ts";
import type { MonitorSettings } from "../sweep/config.ts";
import { attemptKey } from "../sweep/event.ts";
import type { Boot, MonitorPhase } from "../sweep/monitor-event.ts";
import type { MonitorState } from "../sweep/monitor-state.ts";
import { LIVE } from "../sweep/status.ts";
import type { TrialView } from "../sweep/view.ts";
import { standingOf } from "./stage-standing.ts";
import type { Standing } from "./stage-standing.ts";

export interface RolloutInput {
  /** Every planned trial, by index. */
  views: readonly TrialView[];
  monitor: MonitorState;
  settings: Pick<MonitorSettings, "rollout" | "setupLimitSeconds">;
  boot: Boot;
  /** Trials that give evidence of training (`givesEvidence`). */
  evidence: ReadonlySet<number>;
  /** Milliseconds since the epoch. */
  now: number;
  /** A person said to go on whatever is stuck. */
  goOn?: boolean;
}

export type RolloutStep =
  /** A phase begins, and these trials are submitted; none for `post-mortem` and `done`. */
  | { enter: { phase: MonitorPhase; stage: number; trials: readonly number[]; why: string } }
  /** Trials of the phase that was entered and new ones: those for which there was no room, or that a crash left. */
  | { submit: { trials: readonly number[]; why: string } }
  /** What it waits for. */
  | { wait: string }
  /** Time alone will not help: what is wrong with which trials, and what a person can do. */
  | { stuck: { trials: readonly number[]; why: string; can: string } };

/**
 * What the rollout does next. Failed trials are triage's to submit again; those
 * that a person or halving set aside are nobody's. Nothing is done while halted
 * or while a question of the interview is open.
 */
export function nextStage(input: RolloutInput): RolloutStep {
  const { views, monitor } = input;
  if (monitor.question !== undefined) return { wait: "the interview is not over" };
  const { phase } = monitor;
  const running = phase !== undefined && phase !== "interviewing" && phase !== "post-mortem";
  if (
    running && phase !== "done" && views.length > 0 && views.every((view) => isOver(view, monitor))
  ) {
    return enter("done", monitor.stage, [], "Every trial has come to its end");
  }
  if (monitor.halted !== undefined) {
    return { wait: `halted, nothing is submitted: ${monitor.halted.why}` };
  }
  switch (phase) {
    case undefined:
    case "interviewing":
      return begin(input);
    case "canary":
    case "stage":
      return atStage(input);
    case "live":
      return whileLive(input);
    case "post-mortem":
    case "done":
      return afterTheEnd(input);
  }
}

function begin(input: RolloutInput): RolloutStep {
  const { boot, views } = input;
  if (boot === "post-mortem") {
    return enter("post-mortem", 0, [], "Every trial had ended before the monitor started");
  }
  if (boot === "hot-reload") {
    const trials = readyOf(views);
    return enter("live", 0, trials, `Trials were there already${andSubmitted(trials)}`);
  }
  return enterStage(input, 0, "Nothing was submitted before");
}

function atStage(input: RolloutInput): RolloutStep {
  const { monitor } = input;
  const { stage } = monitor;
  const trials = monitor.stages[stage] ?? [];
  const standings = trials.map((trial) => ({ trial, standing: standOf(input, trial) }));
  const at = (kind: Standing["kind"]) => standings.filter(({ standing }) => standing.kind === kind);
  const ready = at("ready").map(({ trial }) => trial);
  if (ready.length > 0) {
    return submit(ready, `${named(ready)} of this stage must run first`);
  }
  const [stuck, waiting] = [at("stuck"), at("waiting")];
  if (input.goOn !== true) {
    if (stuck.length > 0) return asStuck(stuck);
    if (waiting.length > 0) {
      return { wait: waiting.map(({ standing }) => standing.text).join("; ") };
    }
  }
  const trained = at("passed").map(({ trial }) => trial);
  if (trained.length > 0) return enterStage(input, stage + 1, trainedText(trained));
  if (input.goOn === true) return enterStage(input, stage + 1, "A person said to go on");
  return enterStage(input, stage, `${named(trials)} was taken out before it trained`);
}

function standOf(input: RolloutInput, trial: number): Standing {
  const view = input.views.find((one) => one.trial.index === trial);
  const standing = standingOf(view, input);
  return standing.kind === "stuck" && input.goOn === true
    ? { kind: "withdrawn", text: standing.text }
    : standing;
}

function asStuck(stuck: readonly { trial: number; standing: Standing }[]): RolloutStep {
  const options = stuck.flatMap(({ standing }) => standing.can ?? []);
  return {
    stuck: {
      trials: stuck.map(({ trial }) => trial),
      why: stuck.map(({ standing }) => standing.text).join("; "),
      can: [...new Set([...options, `"continue" to go on without waiting`])].join(", or "),
    },
  };
}

/** The last stage is what follows the last number, and everything that is left when the word is "rest". */
function enterStage(input: RolloutInput, stage: number, why: string): RolloutStep {
  const size = input.settings.rollout[stage];
  const ready = readyOf(input.views);
  if (typeof size !== "number" || ready.length === 0) {
    return enter("live", stage, ready, `${why}${andSubmitted(ready)}`);
  }
  const trials = ready.slice(0, Math.max(1, Math.floor(size)));
  if (stage > 0) return enter("stage", stage, trials, `${why}${andSubmitted(trials)}`);
  return enter(
    "canary",
    stage,
    trials,
    `${why}: ${named(trials)} ${goes(trials)} first, as a canary`,
  );
}

function whileLive({ views, monitor }: RolloutInput): RolloutStep {
  const ready = readyOf(views);
  if (ready.length > 0) {
    return submit(ready, `${named(ready)} ${isOrAre(ready)} ready to run`);
  }
  const live = views.filter(({ status }) => LIVE.has(status));
  const open = views.filter((view) => !isOver(view, monitor));
  const paused = open.filter(({ status }) => status === "paused");
  if (paused.length > 0 && paused.length === open.length) {
    const trials = paused.map(({ trial }) => trial.index);
    return {
      stuck: {
        trials,
        why: `nothing runs any more, and ${named(trials)} ${isOrAre(trials)} paused`,
        can: `"resume ${compactRanges(trials)}", or "prune ${compactRanges(trials)}"`,
      },
    };
  }
  if (live.length > 0) return { wait: `${count(live.length, "trial")} to end` };
  return {
    wait: `${count(open.length - paused.length, "failed trial")} to be judged or submitted again`,
  };
}

/** New trials in the YAML and trials that somebody runs again bring a sweep back. */
function afterTheEnd({ views, monitor }: RolloutInput): RolloutStep {
  const ready = readyOf(views);
  const live = views.filter(({ status }) => LIVE.has(status));
  if (ready.length > 0) {
    return enter("live", monitor.stage, ready, `${named(ready)} ${isOrAre(ready)} new`);
  }
  if (live.length > 0) {
    const trials = live.map(({ trial }) => trial.index);
    return enter("live", monitor.stage, [], `${named(trials)} ${isOrAre(trials)} live again`);
  }
  return {
    wait: monitor.phase === "done"
      ? "every trial has come to its end"
      : "for a word: rerun anything, or halt?",
  };
}

/** Ended for good: triage has said its last word on a failed one. */
function isOver({ status, attempt }: TrialView, { verdicts }: MonitorState): boolean {
  if (status === "completed" || status === "pruned" || status === "cancelled") return true;
  if (status !== "failed" || attempt === undefined) return false;
  const decision = verdicts[attemptKey(attempt.submission, attempt.task)]?.decision;
  return decision === "notify" || decision === "halt";
}

function readyOf(views: readonly TrialView[]): number[] {
  return views.filter(({ status, trial }) => status === "ready" && trial.dropped !== true)
    .map(({ trial }) => trial.index).sort((a, b) => a - b);
}

function enter(
  phase: MonitorPhase,
  stage: number,
  trials: readonly number[],
  why: string,
): RolloutStep {
  return { enter: { phase, stage, trials, why: sentence(why) } };
}

function trainedText(trials: readonly number[]): string {
  return `${named(trials)} ${trials.length === 1 ? "trains" : "train"}`;
}

function andSubmitted(trials: readonly number[]): string {
  if (trials.length === 0) return "";
  return `: ${named(trials)} ${trials.length === 1 ? "is" : "are"} submitted`;
}

function submit(trials: readonly number[], why: string): RolloutStep {
  return { submit: { trials, why: sentence(why) } };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "trial 3", "trials 1-2" */
function named(trials: readonly number[]): string {
  return `${trials.length === 1 ? "trial" : "trials"} ${compactRanges(trials)}`;
}

function goes(trials: readonly number[]): string {
  return trials.length === 1 ? "goes" : "go";
}

function isOrAre(trials: readonly number[]): string {
  return trials.length === 1 ? "is" : "are";
}
