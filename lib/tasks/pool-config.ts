import type { TokenPrice } from "../sweep/config.ts";
import type { Thinking } from "./backend.ts";
import type { SandboxLevel } from "./sandbox.ts";

/** The section `pool` of herd's own configuration file. */
export interface PoolConfig {
  /** Undefined: the pool is not on Discord. */
  discord: PoolDiscord | undefined;
  defaults: {
    /** Name of a model of `models`, or `BACKEND/MODEL`. Undefined when there is none at all. */
    model: string | undefined;
    thinking: Thinking;
    sandbox: SandboxLevel;
    /** For what is confined; `none` always has it. */
    network: boolean;
    /** Of one attempt. */
    timeoutMs: number;
  };
  /** By name: settings of lib/backends, checked there. Secrets are names of variables or stand in the file. */
  backends: Readonly<Record<string, Readonly<Record<string, unknown>> & { kind: string }>>;
  models: Readonly<Record<string, PoolModel>>;
  budget: { usdPerDay: number | undefined; usdPerTask: number | undefined };
  limits: {
    attempts: number;
    running: number | undefined;
    /** Characters of a task's text. */
    longestTask: number;
  };
  retention: { succeededMs: number; quotaBytes: number | undefined };
  schedules: readonly PoolSchedule[];
  slurm: PoolSlurm | undefined;
}

export interface PoolDiscord {
  /** Name of the environment variable with the token, or the token itself. */
  token: { env: string } | { text: string };
  guildId: string;
  /** Names, or ids of digits. */
  channels: { queue: string; results: string; workers: string };
  /** Ids of users and roles who may submit; nobody when empty. Undefined: who may manage the channel. */
  authors: readonly string[] | undefined;
  operators: readonly string[] | undefined;
  /** Ids of bots whose messages are tasks too. */
  bots: readonly string[];
}

export interface PoolModel {
  backend: string;
  /** As the provider names it; undefined for the backend's default. */
  model: string | undefined;
  /** Undefined: unknown, which is said. US dollars per million tokens. */
  price: TokenPrice | undefined;
  /** What it is good for, one line for people. */
  use: string | undefined;
}

export interface PoolSchedule {
  name: string;
  /** Five fields, or `@daily` and its like. */
  cron: string;
  /** IANA name. */
  timeZone: string;
  /** After a time when the daemon was not there: nothing, the last one that was due, or each. */
  catchUp: "none" | "last" | "all";
  /** As somebody would write it, tags included. */
  task: string;
}

/** Workers that are SLURM jobs. */
export interface PoolSlurm {
  partition: string | undefined;
  /** Extra options of sbatch, each one word: `--account=x`. */
  options: readonly string[];
  timeMinutes: number;
  slots: number;
  least: number;
  most: number;
  /** A job without work for so long ends. */
  idleMs: number;
}
