import type { Desk } from "../actions/desk.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { TrialTasks } from "../tasks/trial-tasks.ts";
import type { Tokens } from "../sweep/monitor-event.ts";

/** What the daemon offers to whoever speaks to it over HTTP. */
export interface Station {
  readonly version: string;
  readonly commit: string;
  /** Where it was started from; with a runtime, the script. */
  readonly executable: string;
  readonly host: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** It becomes another version of itself now, which holds the same. */
  readonly isRestarting: boolean;
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
   * Becomes what lies at `executable` now and holds the same; resolves to its version when that
   * has begun. Throws RefusedError where that cannot be.
   */
  restart(by: string): Promise<string>;
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
  /** The computers behind ssh that its sweeps use. */
  hosts(): Promise<readonly HostStatus[]>;
  /**
   * Begins a login there, or answers what it asks; resolves when it asks something more, or is over.
   * Throws NothingError for a host that it does not use, RefusedError for an answer to nothing.
   */
  answerHost(
    name: string,
    given: { question?: string | undefined; answer?: string | null | undefined },
  ): Promise<HostStatus>;
}

/** A computer behind ssh as the daemon sees it; times are milliseconds since the epoch. */
export interface HostStatus {
  /** As the sweep names it. */
  name: string;
  /** `idle`, `connecting`, `connected`, `waiting`, `refused` or `closed`, as lib/ssh/ssh-host.ts has them. */
  state: string;
  /** Since when it is in this state. */
  since: number | null;
  /** Why it cannot be reached, and what to do. */
  detail: string | null;
  hint: string | null;
  /** Not tried before. */
  retry_at: number | null;
  user: string | null;
  address: string | null;
  port: number | null;
  jumps: readonly string[];
  method: string | null;
  /** There and back; null while it is not reached. */
  latency_ms: number | null;
  /** What a login wants to know. */
  question: {
    id: string;
    kind: string;
    title: string;
    prompt: string;
    echo: boolean;
    attempt: number;
    asked_at: number;
  } | null;
  sweeps: readonly SweepOnHost[];
}

/** Trials by status. */
export interface SweepOnHost {
  id: string;
  path: string;
  totals: Readonly<Record<string, number>>;
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
    /** Version of the daemon that held it until now; never from outside. */
    restartedFrom?: string;
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
