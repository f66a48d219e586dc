import type { TokenPrice } from "../sweep/config.ts";
import type { Thinking } from "./backend.ts";
import type { Sandbox, SandboxLevel } from "./sandbox.ts";
import type { AttemptReport, AttemptUse } from "./task.ts";
import type { TaskFile } from "./task-data.ts";

/**
 * A worker tells all it knows and gets all it should do. Both are states, not steps: either may
 * be lost, doubled, late or sent again, over HTTP, over files or over Discord.
 */
export interface WorkerReport {
  /** Of the exchange itself, see EXCHANGE_SCHEMA; 1 when it is not told. */
  schema?: number | undefined;
  worker: string;
  /** New with each start of the worker. */
  incarnation: string;
  /** When that was, by its own clock: of two lives the later one counts. */
  startedAt: number;
  /** Counts up within an incarnation; an older report than the last one is not looked at. */
  number: number;
  version: string;
  host: string;
  slots: number;
  labels: readonly string[];
  /** Levels that this machine can keep. */
  sandboxes: readonly SandboxLevel[];
  /** Whether it takes no more work by its own wish: it ends, or a person said so there. */
  leaving: boolean;
  /** Running ones, and ended ones whose last word was not answered yet. */
  attempts: readonly WorkerAttempt[];
  /** Attempts that are over and whose folders it still has, the oldest first; not in every report. */
  kept?: readonly AttemptKey[] | undefined;
}

export interface AttemptKey {
  task: string;
  epoch: number;
}

/** A file of an attempt that the coordinator has not got, or not all of. */
export interface FileWish extends AttemptKey {
  /** As the attempt's report names it. */
  path: string;
  /** Bytes that are there already. */
  from: number;
}

/** One piece of a file, on its way to the coordinator. */
export interface FilePiece extends FileWish {
  bytes: Uint8Array;
  /** The worker cannot give it any more: it is not asked for again. */
  gone?: boolean | undefined;
}

/** What the coordinator has of a file after a piece. */
export interface FileState {
  received: number;
  whole: boolean;
}

export interface WorkerAttempt {
  task: string;
  epoch: number;
  /** What it is at, for people. */
  phase: string;
  use: readonly AttemptUse[];
  /** Its last word. */
  report: AttemptReport | undefined;
}

export interface WorkerOrders {
  /** Of the exchange itself; 1 when it is not told. */
  schema?: number | undefined;
  worker: string;
  /** Whom it is for; another life of the worker must not obey. */
  incarnation: string;
  /** The report that this answers. */
  number: number;
  /** Attempts that are its, and that it did not tell of. */
  assign: readonly Assignment[];
  /** To be ended. */
  cancel: readonly { task: string; epoch: number; why: string }[];
  /** Last words that were heard: it may forget them. */
  settled: readonly { task: string; epoch: number; committed: boolean }[];
  /** No new work. */
  drain: boolean;
  /** Everything ends now, whatever it is. */
  stop: boolean;
  /** Without an answer for so long, the worker ends its attempts itself. Milliseconds. */
  fenceMs: number;
  /** Why this life of the worker is not wanted any more: it ends for good. */
  dismissed?: string | undefined;
  /** Files that the worker is to give. */
  send?: readonly FileWish[] | undefined;
  /** Folders that the worker told of and that may go. */
  forget?: readonly AttemptKey[] | undefined;
}

export interface Assignment {
  task: string;
  epoch: number;
  revision: number;
  prompt: string;
  /** As people wrote it, and as the backend knows it. */
  modelName: string;
  model: string | undefined;
  /** Name of the backend in the configuration, and what that says of it; no secret is in it. */
  backend: string;
  backendConfig: Readonly<Record<string, unknown>>;
  /** US dollars per million tokens; undefined when nobody knows. */
  price: TokenPrice | undefined;
  thinking: Thinking;
  sandbox: Sandbox;
  timeoutMs: number;
  budgetUsd: number | undefined;
  /** For the folder `data`: to be read, never to be obeyed. */
  data?: readonly TaskFile[] | undefined;
  /** Names of those files to which the agent may propose a change. */
  proposes?: readonly string[] | undefined;
}

/**
 * Raised when a worker and a daemon of before and after could misunderstand each other. Fields that
 * the other side may leave out do not raise it: a worker and its daemon are not upgraded together.
 */
export const EXCHANGE_SCHEMA = 1;
/** Bytes of one piece of a file. */
export const PIECE_BYTES = 512 * 1024;
/** Answers come at least so often. */
export const LEASE_MS = 300_000;
/** For answers that are under way, and clocks that differ. */
export const GRACE_MS = 60_000;
/** A worker that was not answered for so long ends its attempts; well before the lease is over. */
export const FENCE_MS = 200_000;
/** An offer that nobody took up is made again. */
export const OFFER_MS = 60_000;
/**
 * An attempt whose beginning was not confirmed for so long, counted from the sending of the report
 * that brought it, is ended by its worker: well before the offer is made to somebody else.
 */
export const TAKE_UP_MS = 45_000;
