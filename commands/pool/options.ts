import type { Context } from "../command.ts";
import { SETUP_OPTIONS } from "../setup-options.ts";

export const POOL_OPTIONS = [
  { name: "detach", short: "d", description: "start: in the background" },
  { name: "now", description: "stop: end every agent, too" },
  { name: "reason", value: "WORDS", description: "stop: why" },
  {
    name: "label",
    short: "l",
    value: "LABEL",
    repeatable: true,
    description: "enrol: what tasks may ask for",
  },
  {
    name: "via",
    value: "WAY",
    choices: ["http", "files", "discord"],
    description: "enrol: how it reaches the daemon (default http)",
  },
  {
    name: "slurm",
    value: "N",
    number: "whole",
    least: 0,
    description: "scale: so many workers, always",
  },
  {
    name: "min",
    value: "N",
    number: "whole",
    least: 0,
    description: "scale: workers even without work",
  },
  { name: "max", value: "N", number: "whole", least: 0, description: "scale: workers at most" },
  {
    name: "slots",
    value: "N",
    number: "whole",
    least: 1,
    description: "scale: tasks of one worker",
  },
  { name: "partition", value: "NAME", description: "scale: the jobs' partition" },
  { name: "time", value: "TIME", description: "scale: of one job, such as 8:00:00" },
  { name: "account", value: "NAME", description: "scale: the jobs' account" },
  { name: "mem", value: "SIZE", description: "scale: memory of one job, such as 8G" },
  {
    name: "cpus",
    value: "N",
    number: "whole",
    least: 1,
    description: "scale: processors of one job",
  },
  {
    name: "token-env",
    value: "NAME",
    repeatable: true,
    description: "setup: variable that holds the bot's token (default DISCORD_BOT_TOKEN); " +
      "invite: the same of a worker's own bot",
  },
  {
    name: "bot",
    value: "ID",
    repeatable: true,
    description: "invite: client id of a worker's own bot; setup --private: it sees #worker-pool",
  },
  { name: "queue", value: "CHANNEL", description: "setup: name or id instead of task-queue" },
  { name: "results", value: "CHANNEL", description: "setup: name or id instead of results" },
  { name: "workers", value: "CHANNEL", description: "setup: name or id instead of worker-pool" },
  { name: "private", description: "setup: channels that it makes are for authors and operators" },
  {
    name: "author",
    value: "ID",
    repeatable: true,
    description: "setup: user or role who may submit (default: who manages the channel)",
  },
  {
    name: "operator",
    value: "ID",
    repeatable: true,
    description: "setup: user or role who may act on workers and others' tasks (default the same)",
  },
  { name: "no-discord", description: "setup, check: without Discord" },
  ...SETUP_OPTIONS,
  {
    name: "import",
    value: "FILE",
    repeatable: true,
    description: "setup: OpenClaw's openclaw.json, discord-orchestration's discord-config.env",
  },
] as const;

export type PoolContext = Context<typeof POOL_OPTIONS>;
