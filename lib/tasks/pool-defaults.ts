import type { PoolConfig, PoolDiscord, PoolSlurm } from "./pool-config.ts";

/** What counts where the file says nothing. */
export const POOL_DEFAULTS: PoolConfig = {
  discord: undefined,
  defaults: {
    model: undefined,
    thinking: "medium",
    sandbox: "workspace",
    network: false,
    timeoutMs: 30 * 60_000,
  },
  backends: {},
  models: {},
  budget: { usdPerDay: undefined, usdPerTask: undefined },
  limits: { attempts: 3, running: undefined, longestTask: 32_000 },
  retention: { succeededMs: 86_400_000, quotaBytes: undefined },
  schedules: [],
  slurm: undefined,
};

export const CHANNEL_DEFAULTS: PoolDiscord["channels"] = {
  queue: "task-queue",
  results: "results",
  workers: "worker-pool",
};

export const TOKEN_VARIABLE = "DISCORD_BOT_TOKEN";

export const POOL_SLURM_DEFAULTS: PoolSlurm = {
  partition: undefined,
  options: [],
  timeMinutes: 8 * 60,
  slots: 1,
  least: 0,
  most: 4,
  idleMs: 10 * 60_000,
};
