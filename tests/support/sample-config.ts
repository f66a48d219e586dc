import type { Config, ContinuousParameter, DiscreteParameter } from "../../lib/sweep/config.ts";
import {
  AGENT_DEFAULTS,
  MONITOR_DEFAULTS,
  REMEDIATION_DEFAULTS,
} from "../../lib/sweep/read-monitor.ts";
import type { Value } from "../../lib/sweep/value.ts";

/** A configuration as `readConfig` would give it, with what a test wants to be different. */
export function sampleConfig(change: Partial<Config> = {}): Config {
  return {
    name: "sweep",
    grid: { kind: "all" },
    parameters: [],
    zip: [],
    repeats: undefined,
    trialsFile: undefined,
    conditions: [],
    staticOverrides: [],
    launcher: "./train.sh",
    scheduler: "local",
    slurm: {
      host: undefined,
      path: undefined,
      partition: undefined,
      account: undefined,
      qos: undefined,
      constraint: undefined,
      nodes: undefined,
      ntasks: undefined,
      cpusPerTask: 1,
      memoryMiB: 1024,
      timeSeconds: 3600,
      gres: undefined,
      gpus: undefined,
      exclude: undefined,
      requeue: undefined,
      mailUser: undefined,
      mailType: undefined,
      extraArgs: [],
      maxConcurrent: undefined,
      signal: undefined,
      export: [],
    },
    local: { slots: undefined },
    halving: undefined,
    pruneGraceSeconds: 600,
    discord: {
      guildId: undefined,
      channelId: undefined,
      channelName: undefined,
      dashboardRefreshSeconds: 60,
      operators: undefined,
      viewers: undefined,
    },
    mcpServers: [],
    monitor: MONITOR_DEFAULTS,
    remediation: REMEDIATION_DEFAULTS,
    agent: AGENT_DEFAULTS,
    sync: [],
    ...change,
  };
}

export function discrete(
  name: string,
  values: readonly Value[],
  more: { default?: Value; abbrev?: string; labels?: readonly string[] } = {},
): DiscreteParameter {
  return {
    type: "discrete",
    name,
    values,
    default: more.default,
    abbrev: more.abbrev,
    labels: more.labels,
  };
}

export function continuous(
  name: string,
  low: number,
  high: number,
  more: { steps?: number; scale?: "linear" | "log"; default?: Value; abbrev?: string } = {},
): ContinuousParameter {
  return {
    type: "continuous",
    name,
    low,
    high,
    scale: more.scale ?? "linear",
    steps: more.steps ?? 5,
    default: more.default,
    abbrev: more.abbrev,
  };
}
