import type { WorkerAttempt, WorkerReport } from "./exchange.ts";
import type { PoolHappening } from "./pool-event.ts";
import { afterEnd } from "./pool-rules.ts";
import type { PoolLimits } from "./pool-rules.ts";
import { committable } from "./pool-state.ts";
import type { PoolState } from "./pool-state.ts";
import { attemptName } from "./task.ts";
import type { Attempt, Task } from "./task.ts";

/**
 * What is new in a worker's report. The same report again gives nothing; a last word is taken
 * once, and only from the attempt that counts.
 */
export function readReport(
  state: PoolState,
  report: WorkerReport,
  limits: Pick<PoolLimits, "maxAttempts">,
  isUseDue: (attempt: string) => boolean,
): readonly PoolHappening[] {
  return report.attempts.flatMap((told) => {
    const task = state.tasks.get(told.task);
    const attempt = task?.attempts.find(({ epoch }) => epoch === told.epoch);
    // Another worker cannot speak for it.
    if (task === undefined || attempt?.worker !== report.worker) return [];
    return told.report === undefined
      ? goesOn(task, attempt, told, report, isUseDue)
      : ended(task, attempt, told, limits);
  });
}

function goesOn(
  task: Task,
  attempt: Attempt,
  { use }: WorkerAttempt,
  { incarnation }: WorkerReport,
  isUseDue: (attempt: string) => boolean,
): PoolHappening[] {
  const { epoch } = attempt;
  const counts = epoch === task.epoch && task.status !== "queued" &&
    attempt.incarnation === incarnation;
  const found: PoolHappening[] = [];
  if (counts && task.status === "assigned") {
    found.push({ type: "attempt-accepted", task: task.id, epoch });
  }
  const isNew = counts && attempt.endedAt === undefined &&
    JSON.stringify(use) !== JSON.stringify(attempt.use);
  if (isNew && isUseDue(attemptName(task.id, epoch))) {
    found.push({ type: "attempt-used", task: task.id, epoch, use });
  }
  return found;
}

function ended(
  task: Task,
  attempt: Attempt,
  { report }: WorkerAttempt,
  limits: Pick<PoolLimits, "maxAttempts">,
): PoolHappening[] {
  const { epoch } = attempt;
  const word = report!;
  if (committable(task, epoch) === undefined) {
    if (attempt.report !== undefined || attempt.discarded) return [];
    const why = attempt.lost ?? `the task is ${task.status}`;
    const { worker } = attempt;
    return [{ type: "result-discarded", task: task.id, epoch, worker, why, use: word.use }];
  }
  // A failure of an attempt that was given up already changes nothing: the next one is due.
  if (word.end !== "done" && attempt.lost !== undefined) {
    return [{
      type: "result-discarded",
      task: task.id,
      epoch,
      worker: attempt.worker,
      why: attempt.lost,
      use: word.use,
    }];
  }
  const begun: PoolHappening[] = attempt.acceptedAt === undefined && epoch === task.epoch
    ? [{ type: "attempt-accepted", task: task.id, epoch }]
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
