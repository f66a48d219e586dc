import type { Resources } from "./config.ts";
import type { Cause, Ending, Phase, Usage } from "./attempt.ts";
import type { Home } from "./home.ts";
import type { Place } from "./place.ts";
import type { MonitorHappening } from "./monitor-event.ts";
import type { PlannedTrial } from "./trial.ts";
import type { Value } from "./value.ts";

/** The version that this program writes into each event as `v`. */
export const EVENT_VERSION = 1;

/** One line of the journal. State is the fold of these; nothing else is remembered. */
export interface Event<H = Happening> {
  v: number;
  seq: number;
  /** Milliseconds since the epoch. */
  at: number;
  /** Who: `cli:alice`, `api:alice`, `mcp:alice`, `broker:BOT:discord:123`, `agent`, `rules`, `slurm`, `discord:123`. */
  by: string;
  what: H;
}

export type Happening = SweepHappening | MonitorHappening;

/** What happens to trials and their jobs. */
export type SweepHappening =
  /** The configuration as a later run compares it: what is fixed and what each parameter defaults to. */
  | { type: "sweep-defined"; sweep: string; definition: Definition }
  | { type: "trials-added"; trials: readonly (PlannedTrial & { index: number; key: string })[] }
  /** The configuration no longer has them; records and files stay. */
  | { type: "trials-dropped"; indices: readonly number[] }
  /** Same swept choice, other key, extras, resources or parameters; names stay. */
  | {
    type: "trials-redefined";
    trials: readonly {
      index: number;
      key: string;
      params: Readonly<Record<string, Value>>;
      extras: Readonly<Record<string, Value>>;
      resources: Partial<Resources>;
      conditions: readonly string[];
      /** True when a dropped trial is back. */
      back?: boolean;
    }[];
  }
  /** The user chose that results made under other fixed overrides count as results of today's. */
  | { type: "drift-accepted"; trials: readonly { index: number; as: string }[] }
  | {
    type: "submission-intended";
    submission: string;
    scheduler: "slurm" | "local";
    jobName: string;
    /** Digest of the fixed overrides (see `Definition.fixed`) under which these attempts run. */
    fixed: string;
    /** `as` is the digest of the overrides that this attempt runs with, its name left out. */
    tasks: readonly { task: number; trial: number; attempt: number; as: string }[];
    /** Absent in journals of before it was kept, and where it cannot be told. */
    home?: Home;
    /** The computer whose scheduler has it; absent for this one. */
    there?: Place;
    /** Minutes are whole; null is unlimited. Kept to tell a time-out where the scheduler forgets. */
    timeSeconds: number | null;
  }
  | { type: "submission-accepted"; submission: string; jobId: string; adopted?: boolean }
  /** It never reached the scheduler (`void` marker written), or the scheduler said no. */
  | {
    type: "submission-ended";
    submission: string;
    why: "refused" | "never-arrived";
    detail: string;
  }
  | { type: "attempts-changed"; changes: readonly AttemptChange[] }
  | { type: "intent-set"; indices: readonly number[]; intent: Intent; reason?: string }
  /** Ask the scheduler to cancel was sent for these trials (again). */
  | { type: "cancel-sent"; indices: readonly number[]; ok: boolean; detail?: string }
  | { type: "rung-decided"; decisions: readonly RungDecision[] }
  /** Brought over from a workspace that HyperHerd made. */
  | {
    type: "carried-over";
    attempts: readonly CarriedAttempt[];
    statuses: Readonly<Record<number, string>>;
    /** What HyperHerd named the sweep's jobs. Absent in journals of before it was kept: any name is taken for it. */
    jobName?: string;
  }
  /** `inode`: the user said that this folder is now the one which submitted everything so far. */
  | { type: "noted"; text: string; inode?: string };

/** What the user wants of a trial; absent means that it should run. */
export type Intent = "run" | "stop" | "pause" | "prune";

/** Key of an attempt: its submission's nonce and its task in the array. */
export function attemptKey(submission: string, task: number): string {
  return `${submission}/${task}`;
}

/** A change of one attempt. Fields that are absent stay as they are. */
export interface AttemptChange {
  submission: string;
  task: number;
  phase: Phase;
  schedulerState?: string;
  reason?: string | null;
  startedAt?: number | null;
  endedAt?: number | null;
  node?: string;
  restarts?: number;
  /** null: a finished job that somebody requeued runs again. */
  ending?: Ending | null;
  usage?: Usage;
  usageDue?: boolean;
  unknownSince?: number | null;
}

/** What a run compares with the run before. */
export interface Definition {
  /** Parameter name to the value that stands for "not swept": its default, or its only value. Absent when there is none. */
  defaults: Readonly<Record<string, Value>>;
  parameters: readonly string[];
  staticOverrides: readonly string[];
  /** Digest of all that is fixed: static overrides and launcher text's name. 12 hex digits. */
  fixed: string;
}

/** Decided once for a trial and a rung, with the population that was seen. */
export interface RungDecision {
  trial: number;
  /** Steps of the rung. */
  rung: number;
  verdict: "promote" | "pause" | "prune";
  /** The trial's value at the rung; null for NaN or none. */
  value: number | null;
  /** Trials whose values were compared and that no earlier decision of this rung names with that value; the union is what was compared. */
  population: readonly { trial: number; value: number | null }[];
  explanation: string;
}

/** An attempt that HyperHerd made: a job id and an index, no nonce. */
export interface CarriedAttempt {
  trial: number;
  number: number;
  /** Absent when HyperHerd's record of it is lost. */
  jobId?: string;
  task: number;
  /** Undefined while it may still be alive. */
  cause?: Cause;
}
