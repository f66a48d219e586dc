import type { MonitorPhase, SaidKind, Tick, Trigger } from "../sweep/monitor-event.ts";
import type { Event } from "../sweep/event.ts";
import type { Refusal } from "./outcome.ts";

/**
 * One sweep as every surface meets it (terminal, HTTP, agent, chat): what may be
 * asked of it, and the one door to have something done. Documents are plain JSON.
 */
export interface Desk {
  /** The sweep's name; a second sweep of that name in one daemon gets "-2". */
  readonly id: string;
  /** The workspace's folder. */
  readonly path: string;
  /** What `herd status --json` prints, in pages. Reads the journal and the logs, asks no scheduler. */
  status(query?: StatusQuery): Page<TrialDocument> & { totals: Readonly<Record<string, number>> };
  /** Undefined when there is no such trial. */
  trial(index: number): TrialDocument | undefined;
  /** Attempts of a trial, oldest first. */
  attempts(index: number): readonly AttemptDocument[];
  /** The end of a log, or what follows a place in it. */
  log(index: number, query: LogQuery): LogPage;
  metricNames(index: number): readonly MetricSummary[];
  /** Undefined when that trial never logged it. */
  metric(index: number, name: string, query?: MetricQuery): MetricDocument | undefined;
  /** What `herd res --json` and `herd stats --json` print. */
  results(query?: { best?: boolean; metric?: string; offset?: number; limit?: number }): object;
  stats(index?: number, query?: { offset?: number; limit?: number }): object;
  /** Shares of memory, time and processors that were used, and advice in sentences. */
  efficiency(): object;
  /** Parameters, grid and conditions, and each planned trial's values. */
  parameters(query?: { offset?: number; limit?: number }): object;
  /** Why trials wait, in the scheduler's words, and when it thinks they start. Asks the scheduler. */
  queue(): Promise<object>;
  info(): InfoDocument;
  /** MONITOR_PLAN.md as it is now; undefined before the interview is over. */
  plan(): string | undefined;
  /** Replaces it, and answers what is wrong with it, if anything. */
  writePlan(text: string, by: string): string | undefined;
  /** PROMPT.md; undefined when there is none. */
  userPrompt(): { text: string; sha256: string; seen: boolean } | undefined;
  /** Newest last. */
  ticks(query?: { limit?: number }): readonly Tick[];
  /** Events after a sequence number, oldest first, at most `limit`. */
  events(after: number, limit?: number): readonly Event[];
  /** Hears of each event as it is written. Returns what ends it. */
  onEvent(listener: (event: Event) => void): () => void;
  /** Passing words that are not kept, such as the heartbeat. Returns what ends it. */
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Does something. An expected no is a value; what it did is in words and as data. */
  act(request: Request, by: string, how?: ActOptions): Promise<Outcome>;
  /** Somebody says something: kept when this resolves. False: it was heard before. */
  receive(message: { id: string; from: string; name: string; text: string }): Promise<boolean>;
}

export interface Notice {
  /**
   * A later notice of the same key replaces it where a channel can edit. `standing`
   * comes with every change and is for displays that are drawn anew.
   */
  key: string;
  /** `heartbeat` 🐾; `typing`: the agent is at work, empty when it stopped; `stream`: its words so far. */
  kind: SaidKind | "heartbeat" | "typing" | "stream";
  text: string;
}

/** Everything that may be asked to be done, by whoever it is. */
export interface ActOptions {
  /** Asked for in words, in a chat: what ends or throws away something waits for a yes. */
  words?: boolean;
}

export type Request =
  | { verb: "run"; indices?: readonly number[]; force?: boolean; reason?: string }
  | { verb: "stop"; indices: readonly number[] | "all"; reason?: string }
  | { verb: "pause"; indices: readonly number[]; reason?: string }
  | { verb: "prune"; indices: readonly number[]; reason?: string }
  | { verb: "resume"; indices: readonly number[]; reason?: string }
  | { verb: "halve"; dryRun?: boolean }
  | {
    verb: "bump";
    /** Asked for again under the same id, what was begun is completed and nothing is raised twice. */
    id?: string;
    what: "memory" | "time";
    /** By so much per cent, or to so much, in MiB or seconds. One of both. */
    percent?: number;
    to?: number;
    /** For these trials only; absent: as `remediation.scope` says. */
    trials?: readonly number[];
    /** Submit again what failed for want of it. */
    resubmit?: boolean;
    reason?: string;
  }
  /** Nothing is submitted by itself any more; live trials go on. */
  | { verb: "halt"; reason: string }
  /** The end of a halt. */
  | { verb: "continue"; reason?: string }
  /** A person's word on something that was asked for. */
  | { verb: "confirm"; id: string; yes: boolean }
  /** When the next tick is due. */
  | { verb: "schedule"; seconds: number }
  /** A tick now. */
  | { verb: "tick" }
  | { verb: "acknowledge-prompt"; sha256: string }
  /** Ends the monitor of this sweep; its trials go on. */
  | { verb: "leave"; reason?: string };

export type Outcome =
  | {
    done: true;
    /** One sentence for people. */
    text: string;
    /** The facts of it: indices, job ids, old and new values. */
    data: Readonly<Record<string, unknown>>;
    warnings: readonly string[];
  }
  | Refusal;

export interface StatusQuery {
  indices?: readonly number[];
  /** Only trials with one of these statuses. */
  statuses?: readonly string[];
  offset?: number;
  /** At most this many; 100 when absent. */
  limit?: number;
}

export interface Page<T> {
  items: readonly T[];
  /** How many there are in all. */
  total: number;
  offset: number;
}

/** One trial as `herd status --json` shows it; see docs/commands.md. */
export interface TrialDocument {
  index: number;
  status: string;
  experiment_name: string;
  params: Readonly<Record<string, unknown>>;
  [key: string]: unknown;
}

export interface AttemptDocument {
  number: number;
  phase: string;
  [key: string]: unknown;
}

export interface LogQuery {
  stream: "stdout" | "stderr";
  /** The last lines; 20 when neither this nor `from` is given, 1000 at most. */
  lines?: number;
  /** Bytes from the beginning of the file, for following: whole lines from there on. */
  from?: number;
}

export interface LogPage {
  text: string;
  /** Where the next page begins, in bytes. */
  next: number;
  /** Size of the file in bytes; 0 when there is none. */
  size: number;
}

export interface MetricSummary {
  name: string;
  n: number;
  stepFirst: number | null;
  stepLast: number | null;
  /** Null for NaN, infinity and what is no number. */
  last: number | null;
}

export interface MetricQuery {
  lastN?: number;
  stepMin?: number;
  stepMax?: number;
  sinceSeconds?: number;
  /** Points given beside the summary; 0 when absent, 2,000 at most, thinned evenly. */
  points?: number;
}

export interface MetricDocument extends MetricSummary {
  mean: number | null;
  median: number | null;
  stddev: number | null;
  min: number | null;
  max: number | null;
  hasNanOrInf: boolean;
  recent: readonly (number | null)[];
  points: readonly { step: number; value: number | null }[];
}

export interface InfoDocument {
  id: string;
  sweep: string;
  path: string;
  phase: MonitorPhase | null;
  stage: number;
  halted: string | null;
  /** `agent`, `rules`, or null when no daemon runs it. */
  mode: "agent" | "rules" | null;
  model: { name: string | null; ok: boolean; detail: string };
  version: string;
  host: string;
  pid: number;
  startedAt: number | null;
  ticks: number;
  lastTick: Tick | null;
  nextTickAt: number | null;
  triggers: readonly Trigger[];
  spent: { usd: number; today: number; calls: number; unpriced: number };
  budget: { tick: number | null; day: number | null; sweep: number | null };
  pendingMessages: number;
  /** What is outside the sweep and may be out, such as `discord`. */
  peripherals: Readonly<Record<string, { ok: boolean; since: number; detail: string }>>;
  question: string | null;
  confirmations: readonly { id: string; what: string; why: string; expiresAt: number }[];
}
