import type { Place } from "../base/errors.ts";
import type { Expression } from "./expression.ts";
import type { Value } from "./value.ts";

/** `hyperherd.yaml`, read, checked and normalised. `readConfig` in read-config.ts makes it. */
export interface Config {
  /** Safe as a file name and a job name: letters, digits, `.`, `_`, `-`. */
  name: string;
  grid: Grid;
  /** In YAML order. Repeats are not in here. */
  parameters: readonly Parameter[];
  /** Groups of parameter names whose values go together, first with first. */
  zip: readonly (readonly string[])[];
  repeats: Repeats | undefined;
  /** Path of a CSV file of explicit trials, as written (relative to the YAML's folder). */
  trialsFile: string | undefined;
  conditions: readonly Condition[];
  /** Where the section stands in the file. */
  conditionsAt?: Place;
  staticOverrides: readonly string[];
  /** As written, relative to the YAML's folder; empty when missing. */
  launcher: string;
  /** Where jobs run when the command line does not say. */
  scheduler: "slurm" | "local" | undefined;
  slurm: SlurmSettings;
  local: LocalSettings;
  halving: HalvingSettings | undefined;
  pruneGraceSeconds: number;
  discord: DiscordSettings;
  mcpServers: readonly McpServerSettings[];
  monitor: MonitorSettings;
  remediation: RemediationSettings;
  agent: AgentSettings;
  /** What goes to `slurm.host` beside the YAML and the launcher; `!` before a pattern leaves out. */
  sync: readonly string[];
}

export type Grid =
  /** No `grid` key: the default trial, then each parameter's other values in turn. */
  | { kind: "one-at-a-time" }
  | { kind: "all" }
  | { kind: "some"; names: readonly string[] }
  | { kind: "random"; samples: number; seed: number }
  | { kind: "sobol"; samples: number; seed: number };

interface ParameterBase {
  /** As written, with any Hydra prefix (`+`, `++`, `~`). */
  name: string;
  abbrev: string | undefined;
  /** Undefined means that no default was given; null is a default. */
  default: Value | undefined;
}

export interface DiscreteParameter extends ParameterBase {
  type: "discrete";
  values: readonly Value[];
  /** Same length as `values` when given. */
  labels: readonly string[] | undefined;
  /** Whole numbers among `values` that were written as floats (`1.0e+5`): names say so. */
  floats?: readonly number[];
}

export interface ContinuousParameter extends ParameterBase {
  type: "continuous";
  low: number;
  high: number;
  scale: "linear" | "log";
  steps: number;
}

export type Parameter = DiscreteParameter | ContinuousParameter;

/** `repeats: 3` or `{count, parameter, first}`: each trial runs with `parameter` = first, first+1, … */
export interface Repeats {
  count: number;
  parameter: string;
  first: number;
}

export interface Condition {
  name: string;
  /** All clauses must hold. */
  when: readonly Clause[];
  /** Parameter to forbidden values. */
  exclude: Readonly<Record<string, readonly Value[]>>;
  force: Readonly<Record<string, Value>>;
  set: Readonly<Record<string, Value | { expression: Expression }>>;
  /** Resources that differ for the trials that match. */
  slurm: Partial<Resources>;
}

export type Operator = "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "in" | "not_in";

export type Clause =
  | { kind: "compare"; parameter: string; operator: Operator; value: Value }
  | { kind: "expression"; expression: Expression };

/** What one trial asks of the cluster. Undefined: the site's default. */
export interface Resources {
  partition: string | undefined;
  account: string | undefined;
  qos: string | undefined;
  constraint: string | undefined;
  /** SLURM's own syntax: "2" or "1-4". */
  nodes: string | undefined;
  ntasks: number | undefined;
  cpusPerTask: number;
  /** Mebibytes per node; 0 asks for all of a node's memory. */
  memoryMiB: number;
  /** Seconds, a whole number of minutes; null is UNLIMITED. */
  timeSeconds: number | null;
  gres: string | undefined;
  gpus: string | undefined;
  exclude: string | undefined;
  requeue: boolean | undefined;
  mailUser: string | undefined;
  mailType: string | undefined;
  /** Raw `#SBATCH` arguments, each checked to be one line. */
  extraArgs: readonly string[];
}

export interface SlurmSettings extends Resources {
  maxConcurrent: number | undefined;
  /** Signal sent to the trainer before the time limit, and how long before, in seconds. */
  signal: { name: string; seconds: number } | undefined;
  /** Names of further environment variables that jobs may see. */
  export: readonly string[];
  /** The login node where SLURM is, as ssh knows it; undefined: this machine. */
  host: string | undefined;
  /** Folder of the sweep there: absolute, or below the home folder. */
  path: string | undefined;
}

export interface LocalSettings {
  /** Trials at once; by default as many as processors and memory allow. */
  slots: number | undefined;
}

export interface HalvingSettings {
  metric: string;
  direction: "min" | "max";
  minSteps: number;
  budget: number;
  eta: number;
  mode: "sync" | "asha";
}

export interface DiscordSettings {
  guildId: string | undefined;
  channelId: string | undefined;
  channelName: string | undefined;
  /** 0: no dashboard. */
  dashboardRefreshSeconds: number;
  /** Ids of users and roles that may act; undefined: whoever may manage the channel. */
  operators: readonly string[] | undefined;
  /** Ids of users and roles that may look; undefined: everyone in the channel. */
  viewers: readonly string[] | undefined;
}

/** A tool server that the agent may use. Values hold `${VAR}`, which is expanded when the server is started. */
export type McpServerSettings =
  & {
    name: string;
    /** Names of the tools that the agent may call; undefined: all of them. */
    tools: readonly string[] | undefined;
  }
  & (
    | {
      transport: "stdio";
      command: string;
      args: readonly string[];
      env: Readonly<Record<string, string>>;
    }
    | { transport: "http"; url: string; headers: Readonly<Record<string, string>> }
  );

/** What is being optimised; `none` when nothing is. */
export type Objective = { metric: string; direction: "min" | "max" } | "none";

export type MetricSource = "results-json" | "wandb" | "none";

/** The section `monitor`: how the daemon goes about the sweep. */
export interface MonitorSettings {
  /** Trials of each stage in turn, the last one `rest`; a sum past the sweep's size is fine. */
  rollout: readonly (number | "rest")[];
  /** A stage whose trials show no sign of training for so long is reported. Seconds. */
  setupLimitSeconds: number;
  /** Between two heartbeats with totals; 0 for none. Seconds. */
  heartbeatSeconds: number;
  /** Share of the sweep's trials that may be pruned without a person, 0 to 1. */
  pruneShare: number;
  /** False: start at once with what is written here and defaults. */
  interview: boolean;
  /** Given here, the interview does not ask. */
  objective: Objective | undefined;
  metricSource: MetricSource | undefined;
  /** Between two ticks while things happen, and when all is quiet. Seconds. */
  activeSeconds: number;
  steadySeconds: number;
}

/** The section `remediation`: what may be repaired without a person. */
export interface RemediationSettings {
  /** Undefined: the interview asks, and `notify` is the default. */
  mode: "remediate" | "notify" | undefined;
  /** Whether a bump is for the whole sweep, by editing the YAML, or for the trials that failed. */
  scope: "sweep" | "trial";
  /** How much more a bump asks for, in per cent. */
  bumpPercent: number;
  /** Ceilings beside the partition's; undefined: only the partition's. */
  maxMemoryMiB: number | undefined;
  maxTimeSeconds: number | undefined;
  /** How often one trial is submitted again after an exception of its own. */
  retries: number;
  /** How often one trial is submitted again after node failures and preemption. */
  infrastructureRetries: number;
}

export interface TokenPrice {
  /** US dollars per million tokens. */
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** What the agent may do to a live sweep without asking a person first. */
export type Grant = "stop" | "prune" | "halt" | "bump" | "force";

/** The section `agent`. */
export interface AgentSettings {
  backend: "api" | "claude-cli" | "none";
  /** Undefined: herd's default of that backend. */
  model: string | undefined;
  /** Undefined: ANTHROPIC_BASE_URL, or Anthropic's own. */
  baseUrl: string | undefined;
  effort: "low" | "medium" | "high" | undefined;
  /** Longest answer of one call, in tokens. */
  maxTokens: number;
  /** Calls to the model in one turn. */
  maxTurns: number;
  /** Longest silence of the model within one call. Seconds. */
  timeoutSeconds: number;
  ticks: "needed" | "every";
  /** US dollars; undefined: no limit. */
  budget: { tick: number | undefined; day: number | undefined; sweep: number | undefined };
  /** Beside herd's own table, by model name. */
  prices: Readonly<Record<string, TokenPrice>>;
  grants: readonly Grant[];
}

/** What was understood but should be known: a legacy alias, a value read in a way worth saying. */
export interface Notice {
  message: string;
  line?: number;
  column?: number;
  path?: string;
}
