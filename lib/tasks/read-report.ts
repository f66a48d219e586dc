import type { WorkerAttempt, WorkerReport } from "./exchange.ts";
import type { PoolHappening } from "./pool-event.ts";
import { afterEnd } from "./pool-rules.ts";
import type { PoolLimits } from "./pool-rules.ts";
import { committable } from "./pool-state.ts";
import type { PoolState } from "./pool-state.ts";
import { attemptName } from "./task.ts";
import type { Attempt, AttemptReport, Task } from "./task.ts";

/**
 * What is new in what a worker tells of one attempt; to be written before the next one is looked
 * at, for a report may name a task twice. The same again gives nothing; a last word is taken once,
 * and only from the attempt that counts.
 */
export function readAttempt(
  state: PoolState,
  told: WorkerAttempt,
  report: Pick<WorkerReport, "worker" | "incarnation" | "number">,
  limits: Pick<PoolLimits, "maxAttempts">,
  isUseDue: (attempt: string) => boolean,
): readonly PoolHappening[] {
  const task = state.tasks.get(told.task);
  const attempt = task?.attempts.find(({ epoch }) => epoch === told.epoch);
  // Another worker cannot speak for it.
  if (task === undefined || attempt?.worker !== report.worker) return [];
  return told.report === undefined
    ? goesOn(task, attempt, told, report, isUseDue)
    : ended(task, attempt, told.report, report.number, limits);
}

/** Whether a last word needs no repetition, and whether it is the task's result. */
export function settlementOf(
  state: PoolState,
  worker: string,
  { task: id, epoch }: Pick<WorkerAttempt, "task" | "epoch">,
): { committed: boolean } | undefined {
  const attempt = state.tasks.get(id)?.attempts.find((one) => one.epoch === epoch);
  // Nobody waits for it.
  if (attempt === undefined || attempt.worker !== worker) return { committed: false };
  if (attempt.report !== undefined) return { committed: attempt.report.end === "done" };
  return attempt.discarded ? { committed: false } : undefined;
}

function goesOn(
  task: Task,
  attempt: Attempt,
  { use }: WorkerAttempt,
  { incarnation, number }: Pick<WorkerReport, "incarnation" | "number">,
  isUseDue: (attempt: string) => boolean,
): PoolHappening[] {
  const { epoch } = attempt;
  const counts = epoch === task.epoch && attempt.endedAt === undefined &&
    (task.status === "assigned" || task.status === "running") &&
    attempt.incarnation === incarnation;
  if (!counts) return [];
  const found: PoolHappening[] = [];
  if (task.status === "assigned") {
    found.push({ type: "attempt-accepted", task: task.id, epoch, number });
  }
  const isNew = JSON.stringify(use) !== JSON.stringify(attempt.use);
  if (isNew && isUseDue(attemptName(task.id, epoch))) {
    found.push({ type: "attempt-used", task: task.id, epoch, use });
  }
  return found;
}

function ended(
  task: Task,
  attempt: Attempt,
  word: AttemptReport,
  number: number,
  limits: Pick<PoolLimits, "maxAttempts">,
): PoolHappening[] {
  const { epoch, worker } = attempt;
  if (attempt.report !== undefined || attempt.discarded) return [];
  // A failure of an attempt that was given up already changes nothing: the next one is due.
  const counts = committable(task, epoch) !== undefined &&
    (word.end === "done" || (attempt.lost === undefined && epoch === task.epoch));
  if (!counts) {
    const why = attempt.lost ?? `the task is ${task.status}`;
    return [{ type: "result-discarded", task: task.id, epoch, worker, why, use: word.use }];
  }
  const begun: PoolHappening[] = task.status === "assigned" && epoch === task.epoch
    ? [{ type: "attempt-accepted", task: task.id, epoch, number }]
    : [];
  // It counts as begun in what follows.
  const counted = {
    ...task,
    attempts: task.attempts.map((one) => one === attempt ? { ...one, acceptedAt: 1 } : one),
  };
  return [
    ...begun,
    { type: "attempt-ended", task: task.id, epoch, report: word },
    afterEnd(counted, { report: word, epoch }, limits),
  ];
}
