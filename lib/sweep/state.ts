import type { Attempt } from "./attempt.ts";
import { attemptKey } from "./event.ts";
import type { AttemptChange, Definition, Event, Happening, Intent, RungDecision } from "./event.ts";
import type { Home } from "./home.ts";
import { applyToMonitor, emptyMonitorState } from "./monitor-state.ts";
import type { MonitorState } from "./monitor-state.ts";
import type { Place } from "./place.ts";
import type { Trial } from "./trial.ts";

/** Changes whenever `apply` gives another state for the same events, so that old snapshots are rebuilt. */
export const STATE_VERSION = 7;

/** One array handed to the scheduler, or meant to be. */
export interface Submission {
  id: string;
  scheduler: "slurm" | "local";
  jobName: string;
  /** Undefined until the scheduler accepted it. */
  jobId: string | undefined;
  intendedAt: number;
  outcome: "open" | "accepted" | "refused" | "never-arrived";
  fixed: string;
  timeSeconds: number | null;
  /** Made by HyperHerd: its job name carries no nonce, its attempts no records. */
  carried: boolean;
  /** Which folder submitted it; undefined when that was not written down. */
  home: Home | undefined;
  /** The computer whose scheduler has it; undefined for this one. */
  there: Place | undefined;
}

export interface IntentRecord {
  intent: Intent;
  at: number;
  by: string;
  reason: string | undefined;
}

/** Everything herd knows of a sweep: the fold of its journal. */
export interface SweepState {
  /** Sequence number of the last event in it. */
  seq: number;
  sweep: string | undefined;
  definition: Definition | undefined;
  trials: Map<number, Trial>;
  submissions: Map<string, Submission>;
  /** By `attemptKey`. */
  attempts: Map<string, Attempt>;
  /** Trial to its attempts' keys, oldest first. */
  attemptsOf: Map<number, string[]>;
  /** Digest of the overrides of an attempt; absent for carried ones. */
  ranAs: Map<string, string>;
  /** Submission to its attempts' keys. */
  attemptsIn: Map<string, string[]>;
  /** Only intents other than "run". */
  intents: Map<number, IntentRecord>;
  /** By `attemptKey`: what was wanted of the trial before this attempt was meant, and is again should it never run. */
  intentsBefore: Map<string, IntentRecord>;
  /** Digests of overrides whose results the user accepted as today's. */
  accepted: Map<number, string>;
  /** When a cancel was last sent for a trial. */
  cancelSentAt: Map<number, number>;
  /** Trial to the status that HyperHerd left it with. */
  inherited: Map<number, string>;
  decisions: RungDecision[];
  /** What `herd monitor` remembers. */
  monitor: MonitorState;
  /** Never lower than any index that was ever used. */
  nextIndex: number;
}

export function emptyState(): SweepState {
  return {
    seq: 0,
    sweep: undefined,
    definition: undefined,
    trials: new Map(),
    submissions: new Map(),
    attempts: new Map(),
    attemptsOf: new Map(),
    attemptsIn: new Map(),
    ranAs: new Map(),
    intents: new Map(),
    intentsBefore: new Map(),
    accepted: new Map(),
    cancelSentAt: new Map(),
    inherited: new Map(),
    decisions: [],
    monitor: emptyMonitorState(),
    nextIndex: 0,
  };
}

/** Adds one event to the state, in place: a journal of a hundred thousand lines folds in a second. */
export function apply(state: SweepState, event: Event): void {
  state.seq = event.seq;
  applyHappening(state, event.what, event.at, event.by);
}

function applyHappening(state: SweepState, what: Happening, at: number, by: string): void {
  switch (what.type) {
    case "sweep-defined":
      state.sweep = what.sweep;
      state.definition = what.definition;
      return;
    case "trials-added":
      for (const trial of what.trials) {
        state.trials.set(trial.index, { ...trial });
        state.nextIndex = Math.max(state.nextIndex, trial.index + 1);
      }
      return;
    case "trials-dropped":
      for (const index of what.indices) {
        const trial = state.trials.get(index);
        if (trial !== undefined) state.trials.set(index, { ...trial, dropped: true });
      }
      return;
    case "trials-redefined":
      return redefine(state, what);
    case "drift-accepted":
      for (const { index, as } of what.trials) state.accepted.set(index, as);
      return;
    case "submission-intended":
      return intend(state, what, at);
    case "submission-accepted":
      return accept(state, what.submission, what.jobId);
    case "submission-ended":
      return endSubmission(state, what.submission, what.why, at);
    case "attempts-changed":
      for (const change of what.changes) changeAttempt(state, change);
      return;
    case "intent-set":
      for (const index of what.indices) {
        if (what.intent === "run") state.intents.delete(index);
        else state.intents.set(index, { intent: what.intent, at, by, reason: what.reason });
        if (what.intent === "stop") giveUp(state, index, at);
      }
      return;
    case "cancel-sent":
      for (const index of what.indices) state.cancelSentAt.set(index, at);
      return;
    case "rung-decided":
      state.decisions.push(...what.decisions);
      return;
    case "carried-over":
      return carryOver(state, what, at);
    case "noted":
      return what.inode === undefined ? undefined : moveIn(state, what.inode);
    default:
      return applyToMonitor(state.monitor, what, at, by);
  }
}

function redefine(state: SweepState, what: Extract<Happening, { type: "trials-redefined" }>): void {
  for (const { back, ...change } of what.trials) {
    const trial = state.trials.get(change.index);
    if (trial === undefined) continue;
    const { dropped, ...kept } = trial;
    const stays = dropped === true && back !== true;
    state.trials.set(change.index, { ...kept, ...change, ...(stays ? { dropped } : {}) });
  }
}

function intend(
  state: SweepState,
  what: Extract<Happening, { type: "submission-intended" }>,
  at: number,
): void {
  state.submissions.set(what.submission, {
    id: what.submission,
    scheduler: what.scheduler,
    jobName: what.jobName,
    jobId: undefined,
    intendedAt: at,
    outcome: "open",
    fixed: what.fixed,
    timeSeconds: what.timeSeconds,
    carried: false,
    home: what.home,
    there: what.there,
  });
  for (const { task, trial, attempt, as } of what.tasks) {
    addAttempt(state, newAttempt(what.submission, task, trial, attempt, at));
    state.ranAs.set(attemptKey(what.submission, task), as);
    // To submit a trial is to want it to run: what was wanted before is over, unless the submission fails.
    const before = state.intents.get(trial);
    if (before !== undefined) state.intentsBefore.set(attemptKey(what.submission, task), before);
    state.intents.delete(trial);
    state.cancelSentAt.delete(trial);
  }
}

/** The paths stay: jobs submitted before still write there. */
function moveIn(state: SweepState, inode: string): void {
  for (const submission of state.submissions.values()) {
    if (submission.home !== undefined) submission.home = { ...submission.home, inode };
  }
}

function newAttempt(
  submission: string,
  task: number,
  trial: number,
  number: number,
  at: number,
): Attempt {
  return {
    trial,
    number,
    submission,
    task,
    jobId: undefined,
    intendedAt: at,
    phase: "intended",
    schedulerState: undefined,
    reason: undefined,
    startedAt: undefined,
    endedAt: undefined,
    node: undefined,
    restarts: 0,
    ending: undefined,
    usage: undefined,
    usageDue: false,
    unknownSince: undefined,
  };
}

function addAttempt(state: SweepState, attempt: Attempt): void {
  const key = attemptKey(attempt.submission, attempt.task);
  state.attempts.set(key, attempt);
  const keys = state.attemptsOf.get(attempt.trial);
  if (keys === undefined) state.attemptsOf.set(attempt.trial, [key]);
  else keys.push(key);
  const beside = state.attemptsIn.get(attempt.submission);
  if (beside === undefined) state.attemptsIn.set(attempt.submission, [key]);
  else beside.push(key);
}

function accept(state: SweepState, id: string, jobId: string): void {
  const submission = state.submissions.get(id);
  if (submission === undefined) return;
  submission.outcome = "accepted";
  submission.jobId = jobId;
  for (const attempt of attemptsIn(state, id)) {
    attempt.jobId = jobId;
    if (attempt.phase === "intended") attempt.phase = "submitted";
  }
}

function endSubmission(
  state: SweepState,
  id: string,
  why: "refused" | "never-arrived",
  at: number,
): void {
  const submission = state.submissions.get(id);
  if (submission === undefined) return;
  submission.outcome = why;
  for (const attempt of attemptsIn(state, id)) {
    attempt.phase = "ended";
    attempt.endedAt = at;
    attempt.ending = {
      cause: "not-submitted",
      exitCode: undefined,
      signal: undefined,
      source: "herd",
    };
    restoreIntent(state, attempt);
  }
}

/** The trial is as it was before this attempt, which did nothing: paused, pruned or stopped. A newer wish stays. */
function restoreIntent(state: SweepState, attempt: Attempt): void {
  const before = state.intentsBefore.get(attemptKey(attempt.submission, attempt.task));
  const isLast = state.attemptsOf.get(attempt.trial)?.at(-1) ===
    attemptKey(attempt.submission, attempt.task);
  if (before === undefined || !isLast || state.intents.has(attempt.trial)) return;
  state.intents.set(attempt.trial, before);
}

function* attemptsIn(state: SweepState, submission: string): Iterable<Attempt> {
  for (const key of state.attemptsIn.get(submission) ?? []) yield state.attempts.get(key)!;
}

function changeAttempt(state: SweepState, change: AttemptChange): void {
  const attempt = state.attempts.get(attemptKey(change.submission, change.task));
  if (attempt === undefined) return;
  attempt.phase = change.phase;
  if (change.schedulerState !== undefined) attempt.schedulerState = change.schedulerState;
  if (change.reason !== undefined) attempt.reason = change.reason ?? undefined;
  if (change.startedAt !== undefined) attempt.startedAt = change.startedAt ?? undefined;
  if (change.endedAt !== undefined) attempt.endedAt = change.endedAt ?? undefined;
  if (change.node !== undefined) attempt.node = change.node;
  if (change.restarts !== undefined) attempt.restarts = change.restarts;
  if (change.ending !== undefined) attempt.ending = change.ending ?? undefined;
  if (change.usage !== undefined) attempt.usage = change.usage;
  if (change.usageDue !== undefined) attempt.usageDue = change.usageDue;
  if (change.unknownSince !== undefined) attempt.unknownSince = change.unknownSince ?? undefined;
  if (change.ending?.cause === "not-submitted") restoreIntent(state, attempt);
}

/** No view can ever tell more of a job without an id: its user's stop is the last word on it. */
function giveUp(state: SweepState, trial: number, at: number): void {
  const attempt = latestAttempt(state, trial);
  if (attempt?.phase !== "unknown" || attempt.jobId !== undefined) return;
  attempt.phase = "ended";
  attempt.endedAt = at;
  attempt.ending = { cause: "cancelled", exitCode: undefined, signal: undefined, source: "herd" };
  attempt.unknownSince = undefined;
}

function carryOver(
  state: SweepState,
  what: Extract<Happening, { type: "carried-over" }>,
  at: number,
): void {
  const { jobName = "" } = what;
  for (const [trial, status] of Object.entries(what.statuses)) {
    state.inherited.set(Number(trial), status);
  }
  for (const { trial, number, jobId, task, cause } of what.attempts) {
    const id = `carried-${jobId ?? "without-job"}`;
    if (!state.submissions.has(id)) {
      state.submissions.set(id, {
        id,
        scheduler: "slurm",
        jobName,
        jobId,
        intendedAt: at,
        outcome: "accepted",
        fixed: "",
        timeSeconds: null,
        carried: true,
        home: undefined,
        there: undefined,
      });
    }
    const attempt = newAttempt(id, task, trial, number, at);
    attempt.jobId = jobId;
    attempt.phase = cause !== undefined ? "ended" : jobId === undefined ? "unknown" : "submitted";
    if (attempt.phase === "unknown") attempt.unknownSince = at;
    if (cause !== undefined) {
      attempt.endedAt = at;
      attempt.ending = { cause, exitCode: undefined, signal: undefined, source: "herd" };
      // Accounting knows more. Without the name its row may be another job's.
      attempt.usageDue = jobId !== undefined && jobName !== "";
    }
    addAttempt(state, attempt);
    state.nextIndex = Math.max(state.nextIndex, trial + 1);
  }
}

/**
 * The attempt that a trial's status rests on: its last one that was submitted,
 * or, when that one has ended, an earlier one that is in the queue again because
 * somebody requeued its job.
 */
export function latestAttempt(state: SweepState, trial: number): Attempt | undefined {
  const keys = state.attemptsOf.get(trial) ?? [];
  let last: Attempt | undefined;
  for (let i = keys.length - 1; i >= 0; i--) {
    const attempt = state.attempts.get(keys[i]!);
    if (attempt === undefined || attempt.ending?.cause === "not-submitted") continue;
    last ??= attempt;
    if (last.phase !== "ended" || attempt.phase === "queued" || attempt.phase === "running") {
      return last.phase === "ended" ? attempt : last;
    }
  }
  return last;
}

/** The state as JSON can hold it. */
export function toPlain(state: SweepState): unknown {
  return {
    ...state,
    trials: [...state.trials.values()],
    submissions: [...state.submissions.values()],
    attempts: [...state.attempts.values()],
    attemptsOf: undefined,
    attemptsIn: undefined,
    ranAs: [...state.ranAs],
    intents: [...state.intents],
    intentsBefore: [...state.intentsBefore],
    accepted: [...state.accepted],
    cancelSentAt: [...state.cancelSentAt],
    inherited: [...state.inherited],
  };
}

type Plain =
  & Omit<
    SweepState,
    | "trials"
    | "submissions"
    | "attempts"
    | "attemptsOf"
    | "attemptsIn"
    | "ranAs"
    | "intents"
    | "intentsBefore"
    | "accepted"
    | "cancelSentAt"
    | "inherited"
  >
  & {
    trials: Trial[];
    submissions: Submission[];
    attempts: Attempt[];
    ranAs: [string, string][];
    intents: [number, IntentRecord][];
    intentsBefore: [string, IntentRecord][];
    accepted: [number, string][];
    cancelSentAt: [number, number][];
    inherited: [number, string][];
  };

/** The inverse of `toPlain`. Attempts are in order, so that the order of each trial's is too. */
export function fromPlain(plain: unknown): SweepState {
  const from = plain as Plain;
  const state: SweepState = {
    ...from,
    attempts: new Map(),
    attemptsOf: new Map(),
    attemptsIn: new Map(),
    trials: new Map(from.trials.map((trial) => [trial.index, trial])),
    submissions: new Map(from.submissions.map((submission) => [submission.id, submission])),
    ranAs: new Map(from.ranAs),
    intents: new Map(from.intents),
    intentsBefore: new Map(from.intentsBefore),
    accepted: new Map(from.accepted),
    cancelSentAt: new Map(from.cancelSentAt),
    inherited: new Map(from.inherited),
  };
  for (const attempt of from.attempts) addAttempt(state, attempt);
  return state;
}
