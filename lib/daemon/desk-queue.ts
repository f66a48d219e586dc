import { explain } from "../base/explain.ts";
import { compactRanges } from "../base/text.ts";
import type { Estimate, Scheduler, TaskRef } from "../schedulers/scheduler.ts";
import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { statusOf } from "../sweep/status.ts";
import { reasonText } from "../words/queue-reason.ts";

/** Trials told of one by one; the rest is counted by reason. */
const MOST_TRIALS = 100;
/** An answer is good for so long: asking more often tells nothing new and costs the controller. */
const FRESH_MS = 10_000;

export interface QueueDocument {
  /** Milliseconds since the epoch of the scheduler's answer; null when nothing waits. */
  asked_at: number | null;
  waiting: number;
  running: number;
  /** Most frequent reason first. */
  reasons: readonly { reason: string; meaning: string | null; count: number; trials: string }[];
  /** Soonest start first; at most 100. */
  trials: readonly {
    index: number;
    job_id: string;
    reason: string | null;
    /** ISO time; null where the scheduler has no estimate. */
    starts_at: string | null;
    starts_in_seconds: number | null;
  }[];
  /** Local trials at once; null on SLURM and where processors and memory decide. */
  slots: number | null;
  warnings: readonly string[];
}

interface Waiting extends TaskRef {
  index: number;
  reason: string | undefined;
  startsAt: number | undefined;
}

/** Asks why trials wait: one call to each scheduler that holds some, at most every ten seconds. */
export function createQueueReading(parts: {
  scheduler(name: "slurm" | "local"): Scheduler;
  now(): number;
}) {
  let answered: { seq: number; at: number; document: Promise<QueueDocument> } | undefined;

  async function ask(state: SweepState): Promise<QueueDocument> {
    const at = parts.now();
    const { waiting, running } = waitingTasks(state);
    const warnings: string[] = [];
    let slots: number | undefined;
    for (const [name, tasks] of waiting) {
      try {
        const estimate = await parts.scheduler(name).estimate?.(tasks);
        if (estimate === undefined) continue;
        slots ??= estimate.slots;
        if (!estimate.answer.answered) warnings.push(estimate.answer.message);
        merge(tasks, estimate);
      } catch (error) {
        warnings.push(explain(error, "terminal"));
      }
    }
    const all = [...waiting.values()].flat();
    return {
      asked_at: all.length === 0 ? null : at,
      waiting: all.length,
      running,
      reasons: reasonsOf(all),
      trials: bySoonest(all).slice(0, MOST_TRIALS).map((one) => trialOf(one, at)),
      slots: slots ?? null,
      warnings,
    };
  }

  return {
    /** Two who ask at once get one answer. */
    document(state: SweepState): Promise<QueueDocument> {
      const now = parts.now();
      const fresh = answered !== undefined && answered.seq === state.seq &&
        now - answered.at < FRESH_MS;
      if (!fresh) answered = { seq: state.seq, at: now, document: ask(state) };
      return answered!.document;
    },
  };
}

function waitingTasks(state: SweepState): {
  waiting: Map<"slurm" | "local", Waiting[]>;
  running: number;
} {
  const waiting = new Map<"slurm" | "local", Waiting[]>();
  let running = 0;
  for (const index of state.trials.keys()) {
    const status = statusOf(state, index);
    if (status === "running") running++;
    if (status !== "queued" && status !== "submitted") continue;
    const attempt = latestAttempt(state, index);
    const scheduler = attempt && state.submissions.get(attempt.submission)?.scheduler;
    if (attempt?.jobId === undefined || scheduler === undefined) continue;
    const { jobId, task, reason } = attempt;
    const list = waiting.get(scheduler) ?? [];
    list.push({ index, jobId, task, reason, startsAt: undefined });
    waiting.set(scheduler, list);
  }
  return { waiting, running };
}

function merge(tasks: readonly Waiting[], { tasks: told }: Estimate): void {
  const by = new Map(told.map((one) => [`${one.jobId}_${one.task}`, one]));
  for (const task of tasks) {
    const news = by.get(`${task.jobId}_${task.task}`);
    task.reason = news?.reason ?? task.reason;
    task.startsAt = news?.startsAt;
  }
}

function reasonsOf(all: readonly Waiting[]): QueueDocument["reasons"] {
  const groups = Map.groupBy(all, ({ reason }) => reason ?? "None");
  return [...groups].map(([reason, members]) => ({
    reason,
    meaning: reasonText(reason) ?? null,
    count: members.length,
    trials: compactRanges(members.map(({ index }) => index)),
  })).sort((a, b) => b.count - a.count);
}

function bySoonest(all: readonly Waiting[]): Waiting[] {
  return [...all].sort((a, b) => compareStarts(a, b) || a.index - b.index);
}

/** Known times first; Infinity minus itself would be no number. */
function compareStarts({ startsAt: a }: Waiting, { startsAt: b }: Waiting): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a - b;
}

function trialOf(
  { index, jobId, task, reason, startsAt }: Waiting,
  now: number,
): QueueDocument["trials"][number] {
  return {
    index,
    job_id: `${jobId}_${task}`,
    reason: reason ?? null,
    starts_at: startsAt === undefined ? null : new Date(startsAt).toISOString(),
    starts_in_seconds: startsAt === undefined
      ? null
      : Math.max(0, Math.round((startsAt - now) / 1000)),
  };
}
