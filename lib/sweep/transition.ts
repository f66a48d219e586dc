import type { Attempt, Ending, Usage } from "./attempt.ts";
import { carriedEnding } from "./carried.ts";
import { endingByRecord, endingOf, inferEnding, isOver, wasTold } from "./ending.ts";
import { attemptKey } from "./event.ts";
import type { AttemptChange } from "./event.ts";
import { taskKey } from "./sighting.ts";
import type { JobRecord, Look, Sighting } from "./sighting.ts";
import type { Submission, SweepState } from "./state.ts";

/** Accounting shows an ended job up to 5 s late (measured 4.3 s); below this nothing is concluded from its silence. */
export const ACCOUNTING_LAG_MS = 30_000;

/** After this long in no view at all, a job that had started is declared lost. */
export const LOST_AFTER_MS = 5 * 60_000;

/** Accounting keeps "running" for ever where slurmctld lost a job; after this long out of the queue we believe the queue. */
export const RUNAWAY_AFTER_MS = 15 * 60_000;

/** A job accepted this shortly before a look may be missing in it. */
const FRESH_MS = 2_000;

/** How long usage is asked for after an end. */
const USAGE_FOR_MS = 24 * 3_600_000;

/** What one look at one scheduler said, beside what the jobs wrote themselves. */
export interface Observation {
  scheduler: "slurm" | "local";
  look: Look;
  /** By `attemptKey`. */
  records: ReadonlyMap<string, JobRecord>;
}

/**
 * The one comparison of the program: what is known of each attempt against what
 * the queue, accounting and the jobs themselves say now. Silence of a view never
 * ends an attempt; see the constants for what does.
 */
export function transitions(state: SweepState, observation: Observation): AttemptChange[] {
  const changes: AttemptChange[] = [];
  for (const attempt of state.attempts.values()) {
    const submission = state.submissions.get(attempt.submission);
    if (attempt.jobId === undefined || submission?.scheduler !== observation.scheduler) continue;
    const views = viewsOf(attempt, submission, observation);
    const change = attempt.phase === "ended"
      ? reopen(attempt, submission, views, observation.look) ??
        correct(attempt, submission, views, observation.look)
      : compare(state, attempt, views, observation.look);
    if (change !== undefined && differs(attempt, change)) changes.push(change);
  }
  return changes;
}

/** Whether a look can still say something new about an attempt. */
export function isOpen(attempt: Attempt): boolean {
  return attempt.jobId !== undefined && (attempt.phase !== "ended" || attempt.usageDue);
}

/** Which open attempts to ask accounting for, once the queue has spoken: those that left it. */
export function wantsAccounting(attempt: Attempt, inQueue: Sighting | undefined): boolean {
  if (!isOpen(attempt)) return false;
  return inQueue === undefined || inQueue.state === "completing" || isOver(inQueue);
}

/** What each view says of one attempt. */
interface Views {
  inQueue: Sighting | undefined;
  inAccounting: Sighting | undefined;
  record: JobRecord | undefined;
}

function viewsOf(
  attempt: Attempt,
  { jobName }: Submission,
  { look, records }: Observation,
): Views {
  const key = taskKey(attempt.jobId!, attempt.task);
  // Job ids begin again some day: the job of another name is not this one.
  const ours = (seen: Sighting | undefined) =>
    seen !== undefined && (jobName === "" || seen.jobName === jobName) ? seen : undefined;
  const inQueue = ours(look.inQueue.get(key));
  const record = records.get(attemptKey(attempt.submission, attempt.task));
  // Requeued since, it has written nothing yet: what stands there is of the run before.
  const isCurrent = record !== undefined &&
    record.restart >= Math.max(attempt.restarts, inQueue?.restarts ?? 0);
  return {
    inQueue,
    inAccounting: ours(look.inAccounting.get(key)),
    record: isCurrent ? record : undefined,
  };
}

function compare(
  state: SweepState,
  attempt: Attempt,
  { inQueue, inAccounting, record }: Views,
  look: Look,
): AttemptChange | undefined {
  if (record?.voided) return voided(attempt, record);
  if (inQueue !== undefined && isOver(inQueue)) {
    return end(attempt, inQueue, inAccounting, record, look);
  }
  switch (inQueue?.state) {
    case "pending":
      return queued(attempt, inQueue, record);
    case "running":
      return running(attempt, inQueue, record);
    case "completing":
      if (!isOver(inAccounting)) return running(attempt, inQueue, record);
      if (isOnItsWayBack(inQueue, inAccounting!)) return queued(attempt, inQueue, record);
      return isStillEnding(inAccounting!, record, look)
        ? { ...running(attempt, inQueue, record), reason: ENDING }
        : end(attempt, inAccounting!, inAccounting, record, look);
    case "unrecognised":
      // A word of a later SLURM: not an end by itself. The local scheduler says so of a task that
      // ended unwatched, and only the task's record knows how.
      return byRecord(state, attempt, record) ??
        (inQueue.raw === "ENDED"
          ? gone(state, attempt, inAccounting, record, look)
          : { ...same(attempt), schedulerState: inQueue.raw });
  }
  return gone(state, attempt, inAccounting, record, look);
}

/** It started after herd had given its submission up, saw the mark, and did nothing. */
function voided(attempt: Attempt, record: JobRecord): AttemptChange {
  const ending: Ending = { ...said("not-submitted"), source: "record" };
  return { ...same(attempt), phase: "ended", ending, endedAt: record.aliveAt, usageDue: false };
}

/** An ended attempt that is in the queue again: a finished job can be requeued, and runs anew. */
function reopen(
  attempt: Attempt,
  { carried }: Submission,
  { inQueue: seen, inAccounting, record }: Views,
  look: Look,
): AttemptChange | undefined {
  // Without a nonce nobody can tell a requeued job from another one that got its id.
  if (seen === undefined || carried) return undefined;
  const again = { ending: null, endedAt: null, usageDue: false };
  if (seen.state === "pending") return { ...queued(attempt, seen, undefined), ...again };
  if (isOver(seen) && (seen.restarts ?? 0) > attempt.restarts) {
    // It ran again and ended between two looks.
    return end(attempt, seen, inAccounting, record, look);
  }
  if (seen.state !== "running" || !startedAgain(attempt, seen)) return undefined;
  return { ...running(attempt, seen, undefined), ...again };
}

/** By the restart count, which needs no clock; the end may be told by the node's, which differs from the controller's. */
function startedAgain(attempt: Attempt, seen: Sighting): boolean {
  if (seen.restarts !== undefined) return seen.restarts > attempt.restarts;
  return seen.startedAt !== undefined && attempt.endedAt !== undefined &&
    seen.startedAt > attempt.endedAt + 1000;
}

/** Ends after which SLURM may start the same job again. */
function mayComeBack({ state }: Sighting): boolean {
  return state === "preempted" || state === "node-failure";
}

/**
 * A job that is requeued is COMPLETING until its processes have gone, and then
 * waits again. Meanwhile accounting shows the end of its earlier run, and the
 * queue already the limit of its next one, or none.
 */
function isOnItsWayBack(inQueue: Sighting, inAccounting: Sighting): boolean {
  if (!mayComeBack(inAccounting)) return false;
  const { endedAt } = inAccounting;
  return inQueue.endedAt === undefined || endedAt === undefined || inQueue.endedAt > endedAt + 1000;
}

/** Why a trial is still running that accounting calls over. */
const ENDING = "its processes have not all ended yet";

/**
 * Accounting closes a job when it is told to end; its processes may go on for as
 * long as KillWait, saving their state. Their own record tells when they are
 * gone. A node whose daemon is dead keeps its jobs COMPLETING, in the end for nothing.
 */
function isStillEnding(
  { endedAt }: Sighting,
  record: JobRecord | undefined,
  look: Look,
): boolean {
  if (record?.startedAt !== undefined && record.endedAt !== undefined) return false;
  return endedAt === undefined || look.at - endedAt < RUNAWAY_AFTER_MS;
}

function queued(attempt: Attempt, seen: Sighting, record: JobRecord | undefined): AttemptChange {
  return {
    ...same(attempt),
    phase: "queued",
    schedulerState: seen.raw,
    reason: seen.reason ?? null,
    startedAt: null,
    restarts: restarts(attempt, seen, record),
    unknownSince: null,
  };
}

function running(attempt: Attempt, seen: Sighting, record: JobRecord | undefined): AttemptChange {
  const startedAt = seen.startedAt ?? record?.startedAt;
  return {
    ...same(attempt),
    phase: "running",
    schedulerState: seen.raw,
    reason: null,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(seen.node === undefined ? {} : { node: seen.node }),
    restarts: restarts(attempt, seen, record),
    unknownSince: null,
  };
}

function restarts(attempt: Attempt, seen: Sighting, record: JobRecord | undefined): number {
  return Math.max(attempt.restarts, seen.restarts ?? 0, record?.restart ?? 0);
}

/** It is not in the queue, or the queue did not answer. */
function gone(
  state: SweepState,
  attempt: Attempt,
  inAccounting: Sighting | undefined,
  record: JobRecord | undefined,
  look: Look,
): AttemptChange | undefined {
  // Accounting closes a run that is preempted or loses its node; only the queue tells whether it comes back.
  if (inAccounting !== undefined && isOver(inAccounting)) {
    const settled = !mayComeBack(inAccounting) && !isStillEnding(inAccounting, record, look);
    if (look.queue.answered || settled) {
      return end(attempt, inAccounting, inAccounting, record, look);
    }
  }
  const own = byRecord(state, attempt, record);
  if (own !== undefined) return own;
  // A record of a start or of a signal says nothing about an end, and a silent queue even less.
  if (!look.queue.answered) return startedByRecord(attempt, record);
  const carried = inAccounting === undefined ? carriedEnding(state, attempt, look) : undefined;
  if (carried === undefined && attempt.intendedAt > look.at - FRESH_MS) return undefined;
  const since = attempt.unknownSince ?? look.at;
  const ending = carried ??
    conclude(state, attempt, inAccounting, record, look, look.at - since);
  if (ending === undefined || ending === "undecided") {
    return {
      ...same(attempt),
      phase: "unknown",
      unknownSince: since,
      reason: "left the queue; how it ended is not known yet",
    };
  }
  return {
    ...same(attempt),
    phase: "ended",
    ending,
    endedAt: record?.endedAt ?? record?.aliveAt ?? since,
    ...(record?.startedAt === undefined ? {} : { startedAt: record.startedAt }),
    ...(record?.node === undefined ? {} : { node: record.node }),
    restarts: Math.max(attempt.restarts, record?.restart ?? 0),
    ...usagePart(usageOf(inAccounting, record, ending)),
    usageDue: look.accounting.answered || reasonOf(look) === "unreachable",
    unknownSince: null,
    reason: null,
  };
}

function reasonOf(look: Look): string | undefined {
  return look.accounting.answered ? undefined : look.accounting.reason;
}

/** What the silence of all views means, once it has lasted long enough to mean anything. */
function conclude(
  state: SweepState,
  attempt: Attempt,
  inAccounting: Sighting | undefined,
  record: JobRecord | undefined,
  look: Look,
  silentMs: number,
): Ending | undefined {
  // Accounting that should answer and does not may know more: wait for it, however long.
  if (!look.accounting.answered && look.accounting.reason !== "absent") return undefined;
  const cancelSent = state.cancelSentAt.has(attempt.trial);
  const submission = state.submissions.get(attempt.submission);
  if (record?.startedAt === undefined && inAccounting?.state !== "running") {
    const neverStarted = attempt.phase !== "running" && attempt.startedAt === undefined;
    // SLURM keeps no trace of tasks that are cancelled before they start.
    if (neverStarted && (cancelSent || silentMs >= ACCOUNTING_LAG_MS)) return said("cancelled");
    return silentMs >= LOST_AFTER_MS ? said("lost") : undefined;
  }
  const absent = !look.accounting.answered;
  if (record !== undefined && (record.exitCode !== undefined || (absent && wasTold(record)))) {
    // Without accounting nobody will ever say more: it is enough that the job itself is silent.
    const lastSign = Math.max(record.aliveAt, record.endedAt ?? 0);
    const quietMs = absent ? Math.max(silentMs, look.at - lastSign) : silentMs;
    const timeSeconds = submission?.timeSeconds ?? null;
    const wait = absent ? ACCOUNTING_LAG_MS : LOST_AFTER_MS;
    return quietMs >= wait ? inferEnding(record, { cancelSent, timeSeconds }) : undefined;
  }
  const wait = inAccounting === undefined ? LOST_AFTER_MS : RUNAWAY_AFTER_MS;
  if (cancelSent && silentMs >= ACCOUNTING_LAG_MS && inAccounting === undefined) {
    return said("cancelled");
  }
  return silentMs >= wait ? said("lost") : undefined;
}

function said(cause: Ending["cause"]): Ending {
  return { cause, exitCode: undefined, signal: undefined, source: "herd" };
}

/** At its time limit a job is told to end, may do so with code 0, and is a time-out to the scheduler. */
function wasOverTime(state: SweepState, attempt: Attempt, record: JobRecord): boolean {
  const limit = state.submissions.get(attempt.submission)?.timeSeconds ?? null;
  const { startedAt, endedAt } = record;
  if (limit === null || startedAt === undefined || endedAt === undefined) return false;
  return endedAt - startedAt >= limit * 1000;
}

/** The job's own word on its end, to be corrected should the scheduler know better. */
function byRecord(
  state: SweepState,
  attempt: Attempt,
  record: JobRecord | undefined,
): AttemptChange | undefined {
  const ending = endingByRecord(record);
  if (record !== undefined && wasOverTime(state, attempt, record)) return undefined;
  if (ending === undefined || record === undefined || isOfBefore(attempt, record)) return undefined;
  return {
    ...same(attempt),
    phase: "ended",
    ending,
    endedAt: record.endedAt!,
    ...(record.startedAt === undefined ? {} : { startedAt: record.startedAt }),
    ...(record.node === undefined ? {} : { node: record.node }),
    restarts: Math.max(attempt.restarts, record.restart),
    ...usagePart(usageOf(undefined, record, ending)),
    usageDue: true,
    unknownSince: null,
    reason: null,
  };
}

/** The scheduler has put the job back into the queue since: what it wrote then is past. */
function isOfBefore(attempt: Attempt, record: JobRecord): boolean {
  return record.restart < attempt.restarts;
}

/** With the queue silent, the job's own start is still news. */
function startedByRecord(
  attempt: Attempt,
  record: JobRecord | undefined,
): AttemptChange | undefined {
  if (record?.startedAt === undefined || record.endedAt !== undefined) return undefined;
  if (isOfBefore(attempt, record)) return undefined;
  return {
    ...same(attempt),
    phase: "running",
    startedAt: record.startedAt,
    ...(record.node === undefined ? {} : { node: record.node }),
    restarts: Math.max(attempt.restarts, record.restart),
    ...(attempt.phase === "running" ? {} : { reason: null }),
    unknownSince: null,
  };
}

function end(
  attempt: Attempt,
  seen: Sighting,
  inAccounting: Sighting | undefined,
  record: JobRecord | undefined,
  look: Look,
): AttemptChange {
  const ending = endingOf(seen, record);
  // Start and end by one clock, the node's or the controller's, so that their difference is true.
  const startedAt = record?.endedAt === undefined
    ? seen.startedAt ?? record?.startedAt
    : record.startedAt ?? seen.startedAt;
  const node = seen.node ?? record?.node;
  return {
    ...same(attempt),
    phase: "ended",
    schedulerState: seen.raw,
    ending,
    // During an outage accounting dates an end to the reconnection; the record has the true time.
    endedAt: record?.endedAt ?? seen.endedAt ?? look.at,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(node === undefined ? {} : { node }),
    restarts: restarts(attempt, seen, record),
    ...usagePart(usageOf(inAccounting, record, ending)),
    // Of tasks that never started accounting knows no usage, and never will.
    usageDue: !isOver(inAccounting) && reasonOf(look) !== "absent",
    unknownSince: null,
    reason: null,
  };
}

const NOTHING_KNOWN: Usage = {
  elapsedSeconds: undefined,
  maxRssBytes: undefined,
  aveRssBytes: undefined,
  requestedMemoryBytes: undefined,
  cpuSeconds: undefined,
  allocatedCpus: undefined,
};

/**
 * What accounting says it used. SLURM samples memory: of a short job it has no
 * figure, of one that was killed for memory often one from before; then the peak
 * of the job's own control group counts. That one holds cached files as well.
 */
function usageOf(
  inAccounting: Sighting | undefined,
  record: JobRecord | undefined,
  { cause }: Ending,
): Usage | undefined {
  const counted = isOver(inAccounting) ? inAccounting?.usage : undefined;
  const sampled = counted?.maxRssBytes;
  const peak = record?.peakBytes;
  if (peak === undefined) return counted;
  const isBetter = sampled === undefined || (cause === "out-of-memory" && peak > sampled);
  return isBetter ? { ...(counted ?? NOTHING_KNOWN), maxRssBytes: peak } : counted;
}

function usagePart(usage: Usage | undefined): { usage?: Usage } {
  return usage === undefined ? {} : { usage };
}

/** An attempt that is over may still owe its usage, or have ended by its own word only. */
function correct(
  attempt: Attempt,
  { carried }: Submission,
  { inQueue, inAccounting, record }: Views,
  look: Look,
): AttemptChange | undefined {
  if (!attempt.usageDue) return undefined;
  // On a network disk the record may come into sight after the scheduler told the end.
  if (record?.voided) return voided(attempt, record);
  const seen = isOver(inAccounting) ? inAccounting : inQueue;
  if (seen !== undefined && isOver(seen)) return end(attempt, seen, inAccounting, record, look);
  // While it cleans up it is still in the queue: its last word is to come.
  if (inQueue !== undefined || !look.queue.answered) return undefined;
  const old = attempt.endedAt !== undefined && look.at - attempt.endedAt > USAGE_FOR_MS;
  // It had ended before HyperHerd wrote so: what accounting does not know yet it never will.
  const never = reasonOf(look) === "absent" || (carried && look.accounting.answered);
  return old || never ? { ...same(attempt), usageDue: false } : undefined;
}

function same(attempt: Attempt): AttemptChange {
  return { submission: attempt.submission, task: attempt.task, phase: attempt.phase };
}

/** Whether a change says anything new: a look that learns nothing writes nothing. */
function differs(attempt: Attempt, change: AttemptChange): boolean {
  for (const [name, value] of Object.entries(change)) {
    const before = attempt[name as keyof Attempt];
    if (name === "usage" || name === "ending") {
      if (!alike(before as Usage | Ending | undefined, value as Usage | Ending)) return true;
    } else if ((before ?? null) !== (value ?? null)) return true;
  }
  return false;
}

function alike(a: Usage | Ending | undefined, b: Usage | Ending): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
