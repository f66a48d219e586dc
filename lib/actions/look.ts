import { SchedulerError } from "../base/errors.ts";
import { compactRanges } from "../base/text.ts";
import type { Attempt } from "../sweep/attempt.ts";
import { mayCancel } from "../sweep/carried.ts";
import { overdue, signalsDue, superseded } from "../sweep/enforce.ts";
import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { transitions } from "../sweep/transition.ts";
import type { Observation } from "../sweep/transition.ts";
import { observe, observeRecords, silences } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { taskRefs } from "./parts.ts";
import { recover } from "./recover.ts";

export interface LookResult {
  observations: readonly Observation[];
  /** What could not be learnt, a sentence each. */
  warnings: readonly string[];
}

/**
 * Brings the journal up to what the cluster says: submissions of unknown fate are
 * looked up, changes of attempts are written down, and cancels that are due go out.
 */
export async function look(
  parts: Parts,
  graceSeconds: number,
  /** `ended`: look for requeued jobs of trials that ended too, as before submitting them again. */
  options: { ended?: boolean } = {},
): Promise<LookResult> {
  const undecided = await recover(parts);
  const observations = await observe(parts.state(), {
    scheduler: parts.scheduler,
    readRecords: parts.files.readRecords,
  }, options);
  const changes = observations.flatMap((observation) => transitions(parts.state(), observation));
  if (changes.length > 0) parts.append([{ type: "attempts-changed", changes }]);
  const warnings = [
    ...silences(observations),
    ...undecided.map(({ jobName }) =>
      `Whether the scheduler took job "${jobName}" is not known yet; its trials wait for the answer`
    ),
  ];
  for (const { trial, signal } of signalsDue(parts.state())) {
    parts.files.writeSignal(trial, signal);
  }
  const silent = new Set(
    observations.flatMap((one) => one.look.queue.answered ? [] : [one.scheduler]),
  );
  const due = overdue(parts.state(), parts.clock.now(), graceSeconds, silent);
  const failed = [await cancelTrials(parts, due), await cancelSuperseded(parts)];
  return { observations, warnings: [...warnings, ...failed.filter((one) => one !== undefined)] };
}

/**
 * Takes over what the jobs have written about themselves and asks no scheduler:
 * cheap enough for each sign of life. A look confirms or corrects it.
 */
export function lookAtRecords(parts: Parts): LookResult {
  const observations = observeRecords(parts.state(), parts.files, parts.clock.now());
  const changes = observations.flatMap((observation) => transitions(parts.state(), observation));
  if (changes.length > 0) parts.append([{ type: "attempts-changed", changes }]);
  for (const { trial, signal } of signalsDue(parts.state())) {
    parts.files.writeSignal(trial, signal);
  }
  return { observations, warnings: [] };
}

/**
 * Throws SchedulerError when these trials ran before and a queue in which their
 * jobs may be again did not answer: a requeued job would run beside the new one.
 */
export function assertHeard(
  state: SweepState,
  observations: readonly Observation[],
  indices: readonly number[],
): void {
  for (const { scheduler, look: { queue } } of observations) {
    if (queue.answered || queue.reason === "absent") continue;
    const before = indices.filter((index) =>
      (state.attemptsOf.get(index) ?? []).some((key) => {
        const { jobId, submission } = state.attempts.get(key)!;
        return jobId !== undefined && state.submissions.get(submission)?.scheduler === scheduler;
      })
    );
    if (before.length === 0) continue;
    throw new SchedulerError(
      "unreachable",
      `Cannot submit trials ${compactRanges(before)} again: the ${scheduler} queue does not ` +
        `answer (${queue.message}), so whether their earlier jobs are gone is not known`,
    );
  }
}

/** Asked again at each look until they are gone, so nothing need be written down. */
async function cancelSuperseded(parts: Parts): Promise<string | undefined> {
  const attempts = superseded(parts.state());
  const details: string[] = [];
  for (const [name, refs] of taskRefs(parts.state(), attempts)) {
    const answer = await parts.scheduler(name).cancel(refs);
    if (!answer.ok) details.push(answer.detail);
  }
  if (details.length === 0) return undefined;
  const trials = compactRanges(attempts.map(({ trial }) => trial));
  return `Cannot cancel earlier jobs of trials ${trials}, which run beside their latest: ${
    details.join("; ")
  }`;
}

/** Sends cancels for these trials' latest attempts and writes that down. Returns what went wrong, in words. */
export async function cancelTrials(
  parts: Parts,
  indices: readonly number[],
): Promise<string | undefined> {
  if (indices.length === 0) return undefined;
  const latest = indices.flatMap((index) => latestAttempt(parts.state(), index) ?? []);
  const attempts = latest.filter((attempt) => mayCancel(parts.state(), attempt));
  const details = namelessJobs(parts.state(), latest);
  for (const [name, refs] of taskRefs(parts.state(), attempts)) {
    const answer = await parts.scheduler(name).cancel(refs);
    if (!answer.ok) details.push(answer.detail);
  }
  const detail = details.join("; ");
  const ok = details.length === 0;
  // A cancel that did not get through is not written as sent: it is due again at the next look.
  const told = attempts.map(({ trial }) => trial);
  if (ok && told.length > 0) parts.append([{ type: "cancel-sent", indices: told, ok: true }]);
  return ok ? undefined : `Cannot cancel trials ${compactRanges(indices)}: ${detail}`;
}

/** Carried over by an early herd, without their names: nobody can tell that they are still the sweep's. */
function namelessJobs(state: SweepState, attempts: readonly Attempt[]): string[] {
  const nameless = attempts.filter((attempt) =>
    (attempt.phase === "queued" || attempt.phase === "running") && !mayCancel(state, attempt)
  );
  if (nameless.length === 0) return [];
  const jobs = nameless.map(({ jobId, task }) => `${jobId}_${task}`).join(" ");
  return [`whether their jobs are HyperHerd's is not known; if so, end them with scancel ${jobs}`];
}
