import type { Thinking } from "./backend.ts";
import type { SandboxLevel } from "./sandbox.ts";
import type { TaskData } from "./task-data.ts";

/** What is wanted, as it was written; what was left out is decided when it is assigned. */
export interface TaskWish {
  /** Tags taken out. */
  text: string;
  /** An alias of the configuration, or `BACKEND/MODEL`. */
  model: string | undefined;
  thinking: Thinking | undefined;
  /** A worker's name, or a label that workers have. */
  worker: string | undefined;
  /** Milliseconds that one attempt may take. */
  timeoutMs: number | undefined;
  /** Higher goes first; 0 is usual. */
  priority: number;
  sandbox: SandboxLevel | undefined;
  /** Two submissions with the same key are one task. */
  key: string | undefined;
  /** Files that every attempt gets to read. */
  data?: TaskData | undefined;
}

/** Where a task came from, and with it who hears of its end. */
export interface Origin {
  kind: "message" | "cli" | "slash" | "api" | "button" | "schedule";
  /** `discord:123`, `cli:alice`, `api:alice`, `schedule:nightly`. */
  by: string;
  /** As people call them. */
  name: string | undefined;
  /** Where it was asked for on Discord: channel or thread, and message. */
  channelId?: string | undefined;
  messageId?: string | undefined;
  /** The failed trial that it is about. */
  sweep?: string | undefined;
  trial?: number | undefined;
  /** Absolute path of that sweep's folder or YAML, where its answer is told. */
  sweepPath?: string | undefined;
}

export type TaskStatus =
  | "queued"
  /** A worker has it, or was offered it. */
  | "assigned"
  | "running"
  | "succeeded"
  | "failed"
  | "cancelled"
  /** It took longer than it might. */
  | "expired"
  /** Given up after so many attempts that died or failed in passing; kept, can be retried. */
  | "dead";

export const TASK_STATUSES: readonly TaskStatus[] = [
  "queued",
  "assigned",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "expired",
  "dead",
];

/** What one attempt used and left. */
export interface AttemptReport {
  end: "done" | "failed" | "cancelled" | "timed-out" | "fenced" | "crashed" | "refused";
  /** One sentence, no period; empty for `done`. */
  cause: string;
  /** Whether another attempt may go better. */
  passing: boolean;
  /** The answer; long ones are cut here, `RESULT.txt` has all. */
  result: string;
  /** In the attempt's folder, by relative path. */
  files: readonly { path: string; bytes: number; sha256: string }[];
  /** Files of the folder that are not in the list, as there are too many. */
  filesLeftOut?: number | undefined;
  folder: string;
  use: readonly AttemptUse[];
  /** Milliseconds since the epoch, by the worker's clock. */
  startedAt: number;
  endedAt: number;
  /** What it left as PROPOSAL.diff, where its task may propose a change. */
  proposal?: ProposalFile | undefined;
}

/** A proposal as its worker found it: its text, or why it was not taken, a sentence without period. */
export type ProposalFile = { text: string } | { refused: string };

/** What was told of a task's end where it was asked for, and what became of the change that it proposes. */
export interface AnswerTold {
  epoch: number;
  status: TaskStatus;
  proposal?: ProposalState | undefined;
}

export type ProposalState =
  | { state: "refused"; why: string }
  | {
    state: "open" | "applied" | "dismissed";
    /** The files that it changes, as they were when people saw the change, and as they would be: SHA-256. */
    files: readonly { name: string; before: string; after: string }[];
    by?: string | undefined;
    at?: number | undefined;
    /** Where the files as they were are kept. */
    backup?: string | undefined;
  };

/** Tokens by model, of all calls of an attempt so far. */
export interface AttemptUse {
  /** As the provider names it. */
  model: string;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** US dollars; null when nobody knows the price. */
  usd: number | null;
}

export interface Attempt {
  epoch: number;
  revision: number;
  worker: string;
  incarnation: string;
  /** When that life of the worker began, by its own clock, and where. */
  life?: { startedAt: number; host: string } | undefined;
  /** With what it is done, as it was resolved when it was assigned. */
  as?: { model: string; thinking: Thinking } | undefined;
  /** It is heard over a mailbox: its silence has to be proven. */
  byMail?: true | undefined;
  assignedAt: number;
  /** When the worker said that it had begun. */
  acceptedAt: number | undefined;
  /** Number of the report that said so. */
  acceptedIn?: number | undefined;
  endedAt: number | undefined;
  /** Undefined while it runs, and for one that was never heard of again. */
  report: AttemptReport | undefined;
  /** Why the coordinator ended it: it was silent, it was refused. */
  lost: string | undefined;
  use: readonly AttemptUse[];
  /** Its last word came when it counted no more. */
  discarded: boolean;
}

export interface Task {
  id: string;
  revision: number;
  wish: TaskWish;
  origin: Origin;
  status: TaskStatus;
  /** The attempt that counts is the one with this number; 0 before the first. */
  epoch: number;
  attempts: Attempt[];
  createdAt: number;
  /** Not assigned before; back-off after a failure. */
  notBefore: number;
  cancelAsked: { by: string; at: number; why?: string } | undefined;
  endedAt: number | undefined;
  /** Why it ended as it did, for people. */
  why: string;
  /** Whether a failure was seen by somebody: then its files may go. */
  acknowledged: boolean;
  /** Attempts up to this one do not count against the limit: somebody had it tried anew. */
  triesFrom?: number | undefined;
  /** Of a task about a trial, once its end was told there. */
  told?: AnswerTold | undefined;
}

export function isOver({ status }: Pick<Task, "status">): boolean {
  return !["queued", "assigned", "running"].includes(status);
}

/** `TASK:EPOCH`. */
export function attemptName(task: string, epoch: number): string {
  return `${task}:${epoch}`;
}
