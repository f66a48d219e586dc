import type { ActOptions, Notice, Outcome, Request } from "../actions/desk.ts";
import type { Perform } from "../actions/perform.ts";
import type { Agent } from "../agent/agent.ts";
import type { BudgetLeft } from "../agent/budget.ts";
import type { ModelHealth } from "../agent/health.ts";
import type { SituationInput } from "../agent/situation-input.ts";
import type { Tool } from "../agent/tool.ts";
import type { Clock } from "../base/clock.ts";
import type { Config, Objective } from "../sweep/config.ts";
import type { Message, MonitorHappening } from "../sweep/monitor-event.ts";
import type { Point } from "../sweep/metrics.ts";
import type { SweepState } from "../sweep/state.ts";
import type { Asked } from "./judgement.ts";

/** All that the monitor of one sweep stands on; a test hands in its own. */
export interface Ground {
  clock: Clock;
  /** 0 up to 1. */
  random(): number;
  version: string;
  host: string;
  pid: number;
  /** The fold of the journal, as far as this process has read. */
  state(): SweepState;
  /** The YAML as it is now. `text` tells two readings apart. Throws UserError. */
  sweep(): { config: Config; trials: number; text: string };
  /** Under the sweep's lease, in the name of the monitor. */
  perform: Perform;
  /** Writes down what the monitor decided, heard or said; `by` defaults to the monitor. */
  record(whats: readonly MonitorHappening[], by?: string): Promise<void>;
  /** The desk's one door, for what people and rules ask for. */
  act(request: Request, by: string, how?: ActOptions): Promise<Outcome>;
  /** Makes the trials what the YAML says, and submits nothing. */
  define(): Promise<{ text: string | undefined }>;
  /** The end of a log, since its latest divider. */
  logTail(trial: number, stream: "stdout" | "stderr"): string;
  /** A trial's metrics, each in the order of its file; from the configured source. */
  streams(trial: number): ReadonlyMap<string, readonly Point[]>;
  /** A trial's value of a metric: its final result, else its latest point. Null for NaN. */
  valueOf(trial: number, objective: Exclude<Objective, "none">): number | null | undefined;
  prompt(): { text: string; sha256: string } | undefined;
  readPlan(): string | undefined;
  writePlan(text: string): void;
  /** What the partition allows; unknown where the cluster does not say. */
  limits(): Promise<
    { maxMemoryMiB: number | undefined; maxTimeSeconds: number | null | undefined }
  >;
  /** What a trial would be submitted with now. */
  askedFor(trial: number): Asked;
  /** Whether a pass of halving would do anything now. */
  halvingDue(): boolean;
  /** For a message, which is heard again when a crash left it unanswered. */
  slash(text: string, by: string, messageId: string): Promise<{ text: string; code: boolean }>;
  notice(notice: Notice): void;
  /** A person may answer questions: a terminal or a chat is there. */
  canAsk: boolean;
  /** Since when the process was stopped, if it was since this was last asked. */
  stoppedSince?(): number | undefined;
  /** How long a sweep that is done stays for what somebody else still does about it. Milliseconds. */
  lingerMs?(): number;
  /** Resolves at a job's sign of life, a new event of somebody else's, a wake, or after `ms`. */
  news(ms: number, signal: AbortSignal): Promise<void>;
  /** What an actor did since a time, one line each. */
  actionsBy(actor: string, since: number): readonly string[];
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(
    level: "info" | "warn" | "error",
    message: string,
    facts?: Readonly<Record<string, unknown>>,
  ): void;
  thinking: Thinking;
}

/** The agent, or why there is none. */
export interface Thinking {
  agent: Agent | { none: string };
  credentials: string;
  health: ModelHealth;
  tools(mark: string): Promise<readonly Tool[]>;
  system(): string;
  newMark(): string;
  situation(input: SituationInput): string;
  messagesThatFit<M extends Message>(pending: readonly M[]): M[];
  readReply(text: string): { answer: string } | { ask: string } | undefined;
  budget(usedThisTick: number): BudgetLeft;
}
