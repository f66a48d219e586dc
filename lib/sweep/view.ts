import type { Attempt } from "./attempt.ts";
import { carriedNote, isHyperHerdsWish } from "./carried.ts";
import { silenceNote } from "./silence.ts";
import { latestAttempt } from "./state.ts";
import type { SweepState } from "./state.ts";
import { describeEnding, pendingIntent, STATUSES, statusOf } from "./status.ts";
import type { Status } from "./status.ts";
import type { Trial } from "./trial.ts";
import type { Value } from "./value.ts";

/** One trial as every surface shows it: the trial, its status, its latest attempt. */
export interface TrialView {
  trial: Trial;
  status: Status;
  attempt: Attempt | undefined;
  /** How many attempts reached the scheduler. */
  attempts: number;
  /** Its last submission was refused or never arrived: nothing runs, whatever it was before. */
  cameToNothing: boolean;
  /** `stop`, `pause` or `prune` that the cluster has not carried out yet. */
  wish: string | undefined;
  /** Time since its job gave a sign of life; known of running trials at a look. */
  silentMs: number | undefined;
  /** Why it failed or waits, in a few words. */
  note: string | undefined;
}

/**
 * The sweep's trials by index. Dropped ones are left out unless they are live or
 * asked for. `silent` is what `silences` found.
 */
export function trialViews(
  state: SweepState,
  options: { dropped?: boolean; silent?: ReadonlyMap<number, number> } = {},
): TrialView[] {
  const views: TrialView[] = [];
  for (const trial of state.trials.values()) {
    const view = viewOf(state, trial, options.silent?.get(trial.index));
    const live = view.attempt !== undefined && view.attempt.phase !== "ended";
    if (trial.dropped !== true || live || options.dropped === true) views.push(view);
  }
  return views.sort((a, b) => a.trial.index - b.trial.index);
}

export function viewOf(state: SweepState, trial: Trial, silentMs?: number): TrialView {
  const attempt = latestAttempt(state, trial.index);
  const status = statusOf(state, trial.index);
  const wish = pendingIntent(state, trial.index);
  const made = (state.attemptsOf.get(trial.index) ?? []).map((key) => state.attempts.get(key));
  return {
    trial,
    status,
    attempt,
    attempts: made.filter((one) => !isNothing(one)).length,
    cameToNothing: isNothing(made.at(-1)),
    wish,
    silentMs,
    note: noteOf(state, trial, { status, attempt, wish, silentMs }),
  };
}

function isNothing(attempt: Attempt | undefined): boolean {
  return attempt?.ending?.cause === "not-submitted";
}

function noteOf(
  state: SweepState,
  trial: Trial,
  { status, attempt, wish, silentMs }: Pick<TrialView, "status" | "attempt" | "wish" | "silentMs">,
): string | undefined {
  const parts: string[] = [];
  const unknown = status === "unknown" && attempt !== undefined
    ? carriedNote(state, attempt)
    : undefined;
  if (wish === "stop" && isHyperHerdsWish(state, trial.index)) {
    // Nobody is stopping it: HyperHerd took it for cancelled.
    if (unknown === undefined) parts.push("HyperHerd said cancelled");
  } else if (wish !== undefined) parts.push(WISHES[wish] ?? wish);
  if (status === "failed" && attempt !== undefined) parts.push(describeEnding(attempt) ?? "failed");
  if (status === "queued" && attempt?.reason !== undefined) parts.push(attempt.reason);
  if (status === "running" && attempt?.reason !== undefined) parts.push(attempt.reason);
  if (status === "running" && SUSPENDED.has(attempt?.schedulerState ?? "")) parts.push("suspended");
  if (status === "unknown") parts.push(unknown ?? attempt?.reason ?? "not seen");
  const silence = status === "running" ? silenceNote(silentMs) : undefined;
  if (silence !== undefined) parts.push(silence);
  if (status === "submitted" && attempt?.phase === "intended") parts.push("not confirmed yet");
  if (status === "pruned" || status === "paused") {
    const reason = state.intents.get(trial.index)?.reason;
    if (reason !== undefined) parts.push(reason);
  }
  if (attempt !== undefined && attempt.restarts > 0 && status !== "completed") {
    parts.push(`restarted ${attempt.restarts}×`);
  }
  if (trial.dropped === true) parts.push("no longer in the YAML");
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** SLURM's words for a job that holds its place and does nothing. */
const SUSPENDED: ReadonlySet<string> = new Set(["SUSPENDED", "STOPPED"]);

const WISHES: Readonly<Record<string, string>> = {
  stop: "stopping",
  pause: "pausing",
  prune: "pruning",
};

/** Trials in all, and per status that occurs, in the order of `STATUSES`. */
export function totalsOf(views: readonly TrialView[]): Record<string, number> {
  const counts = new Map<Status, number>();
  for (const { status } of views) counts.set(status, (counts.get(status) ?? 0) + 1);
  const totals: Record<string, number> = { total: views.length };
  for (const status of STATUSES) {
    const n = counts.get(status);
    if (n !== undefined) totals[status] = n;
  }
  return totals;
}

/** A value as text for people: strings bare, the rest as JSON. */
export function showValue(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Seconds that the latest attempt has run, when it has a start. Accounting counts
 * an outage of the controller as time of the job, the job's own clock counts
 * being suspended: the shorter is right.
 */
export function elapsedSeconds(attempt: Attempt | undefined, now: number): number | undefined {
  const counted = attempt?.usage?.elapsedSeconds;
  if (attempt?.startedAt === undefined) return counted;
  const own = Math.max(0, Math.round(((attempt.endedAt ?? now) - attempt.startedAt) / 1000));
  return counted === undefined ? own : Math.min(counted, own);
}

/** "1-02:03:04", "2:03:04", "3:04": as SLURM writes elapsed time, without leading zeros. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24];
  const [minutes, rest] = [Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => `${n}`.padStart(2, "0");
  if (days > 0) return `${days}-${two(hours)}:${two(minutes)}:${two(rest)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
