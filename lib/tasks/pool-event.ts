import type { Thinking } from "./backend.ts";
import type {
  AnswerTold,
  AttemptReport,
  AttemptUse,
  Origin,
  ProposalState,
  TaskWish,
} from "./task.ts";

/** One line of the pool's journal, in the envelope of every journal. */
export type PoolHappening =
  | { type: "task-submitted"; task: string; wish: TaskWish; origin: Origin }
  /** Only while nobody has it. */
  | { type: "task-revised"; task: string; wish: TaskWish }
  | { type: "task-cancel-asked"; task: string; why: string }
  | {
    type: "task-assigned";
    task: string;
    epoch: number;
    revision: number;
    worker: string;
    incarnation: string;
    /** When that life of the worker began, by its own clock, and where. */
    life?: { startedAt: number; host: string } | undefined;
    /** As it was resolved then: the configuration may say something else later. */
    as?: { model: string; thinking: Thinking } | undefined;
    /** It is heard over a mailbox: its silence has to be proven. */
    byMail?: true | undefined;
  }
  /** `number` is that of the report that said so. */
  | { type: "attempt-accepted"; task: string; epoch: number; number?: number | undefined }
  /** All of it so far, not what was added; told now and then while it runs. */
  | { type: "attempt-used"; task: string; epoch: number; use: readonly AttemptUse[] }
  /** The worker's last word on the attempt that counts. */
  | { type: "attempt-ended"; task: string; epoch: number; report: AttemptReport }
  /** The coordinator gave it up; the task is offered again after `backOffMs`. */
  | { type: "attempt-lost"; task: string; epoch: number; why: string; backOffMs: number }
  /** A last word that came too late: nothing changes but the cost. */
  | {
    type: "result-discarded";
    task: string;
    epoch: number;
    worker: string;
    why: string;
    use: readonly AttemptUse[];
  }
  | { type: "task-requeued"; task: string; epoch: number; why: string; backOffMs: number }
  | { type: "task-ended"; task: string; status: TaskEnd; why: string }
  | { type: "task-retried"; task: string }
  | { type: "task-acknowledged"; task: string }
  /** The end of a task about a trial was told in its sweep. */
  | { type: "answer-told"; task: string; told: AnswerTold }
  /** Somebody decided about the change that an attempt proposes. */
  | { type: "proposal-decided"; task: string; epoch: number; proposal: ProposalState }
  | {
    type: "worker-enrolled";
    worker: string;
    labels: readonly string[];
    /** SHA-256 of what it proves itself with. */
    proof: string;
    via: WorkerVia;
    mailbox?: WorkerMailbox | undefined;
  }
  | { type: "worker-removed"; worker: string }
  | { type: "worker-drained"; worker: string }
  | { type: "worker-resumed"; worker: string }
  | { type: "pool-stopped"; now: boolean; why: string }
  | { type: "pool-resumed" }
  | { type: "schedule-fired"; schedule: string; due: number; task: string }
  | { type: "budget-told"; day: string; usd: number }
  /** How many workers are SLURM jobs; `id` is in the names of their jobs. What is absent is as configured. */
  | {
    type: "pool-scaled";
    id: string;
    least: number;
    most: number;
    slots?: number | undefined;
    partition?: string | undefined;
    timeMinutes?: number | undefined;
    options?: readonly string[] | undefined;
  }
  /** Written before sbatch: its job is looked for by its name when nothing follows. */
  | {
    type: "worker-job-intended";
    worker: string;
    /** Counts up; no name is used twice. */
    number: number;
    jobName: string;
    slots: number;
  }
  | { type: "worker-job-submitted"; worker: string; jobId: string }
  /** It is over, or never was; `how` is one word of SLURM's or ours, `why` a sentence. */
  | { type: "worker-job-ended"; worker: string; how: string; why: string };

export type TaskEnd = "succeeded" | "failed" | "cancelled" | "expired" | "dead";

/** How a worker and the coordinator reach each other. */
export type WorkerVia = "http" | "files" | "discord";

/** Where a worker that reaches nothing but Discord is heard, and by whom alone. */
export interface WorkerMailbox {
  /** The thread. */
  channel: string;
  /** User id of the worker's own bot. */
  bot: string;
}

const KNOWN: Readonly<Record<PoolHappening["type"], true>> = {
  "task-submitted": true,
  "task-revised": true,
  "task-cancel-asked": true,
  "task-assigned": true,
  "attempt-accepted": true,
  "attempt-used": true,
  "attempt-ended": true,
  "attempt-lost": true,
  "result-discarded": true,
  "task-requeued": true,
  "task-ended": true,
  "task-retried": true,
  "task-acknowledged": true,
  "answer-told": true,
  "proposal-decided": true,
  "worker-enrolled": true,
  "worker-removed": true,
  "worker-drained": true,
  "worker-resumed": true,
  "pool-stopped": true,
  "pool-resumed": true,
  "schedule-fired": true,
  "budget-told": true,
  "pool-scaled": true,
  "worker-job-intended": true,
  "worker-job-submitted": true,
  "worker-job-ended": true,
};

export function isPoolHappening(type: string): boolean {
  return Object.hasOwn(KNOWN, type);
}
