import type { Desk } from "../actions/desk.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { TrialTasks } from "../tasks/trial-tasks.ts";
import type { Tokens } from "../sweep/monitor-event.ts";

/** What the daemon offers to whoever speaks to it over HTTP. */
export interface Station {
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** The sweeps that it holds, in the order in which they came. */
  desks(): readonly Desk[];
  /** Undefined when it holds no such sweep. */
  desk(id: string): Desk | undefined;
  /** Takes a further sweep over; resolves when it is held. Throws UserError or RefusedError. */
  hold(request: HoldRequest, by: string): Promise<Desk>;
  /** Ends the monitor of one sweep; its trials go on. */
  release(id: string, by: string): Promise<void>;
  /** Ends the daemon, with its final messages; resolves when that has begun. */
  shutdown(reason: string, by: string): Promise<void>;
  /**
   * Carries out an `Action` of lib/actions/perform.ts under the sweep's lease and
   * gives back its result or refusal: the door of our own command line.
   */
  perform(id: string, action: unknown, by: string): Promise<unknown>;
  metrics(): StationFacts;
  /** Undefined when this daemon runs no pool. */
  pool(): PoolDesk | undefined;
  /** Tasks about trials; undefined when this daemon runs no pool. */
  trialTasks(): TrialTasks | undefined;
  /** Opens it where it is not open, and keeps the daemon for it. Throws UserError or RefusedError. */
  startPool(): Promise<void>;
  /** The bots that converse; undefined when this daemon runs none. */
  broker(): BrokerStatus | undefined;
  /** The same as `startPool` for the broker. */
  startBroker(): Promise<void>;
}

/** What a broker is doing now. */
export interface BrokerStatus {
  bots: readonly BotStatus[];
  /** Bots that are configured and could not be opened as they are configured now. */
  missing: readonly { name: string; why: string }[];
  /** What is wrong with the configuration; the one before goes on. */
  mistake: string | null;
}

export interface BotStatus {
  name: string;
  /** As Discord knows it; null before its first connection. */
  user: { id: string; name: string } | null;
  /** `connected`, `connecting`, `waiting` or `refused`; why and what to do stand beside it. */
  connection: { phase: string; detail: string | null; hint: string | null };
  /** All that it remembers. */
  conversations: number;
  /** What runs now. */
  turns: readonly {
    conversation: string;
    turn: string;
    /** `queued`, `starting`, `running`, `asking` or `stuck`. */
    state: string;
    /** Milliseconds since the epoch. */
    started_at: number | null;
    active_at: number;
    /** What a person is asked. */
    asks: string | null;
  }[];
  /** Messages that wait for their turn. */
  waiting: number;
  /** Conversations with something that people do not see yet. */
  untold: number;
  agents: { live: number; most: number; waiting: number };
  today: { usd: number; budget_usd: number | null };
}

export interface HoldRequest {
  /** Absolute: a workspace's folder or its YAML. */
  path: string;
  /** The environment of whoever hands it over; may hold secrets, so it is never logged. */
  env: Readonly<Record<string, string>>;
  options?: {
    noAgent?: boolean;
    /** A first message to the agent. */
    message?: string;
  };
}

/** What the daemon has done since its start; counters only grow. */
export interface StationFacts {
  uptimeSeconds: number;
  residentBytes: number;
  looks: number;
  /** Program, such as `squeue`, to how often it was run. */
  schedulerCalls: Readonly<Record<string, number>>;
  ticks: number;
  modelCalls: number;
  tokens: Tokens;
  usd: number;
  journalAppends: number;
}
