import type { Context } from "../command.ts";

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
  { name: "guild", value: "ID", description: "setup: the Discord server" },
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
  {
    name: "backend",
    value: "KIND",
    choices: ["anthropic", "openrouter", "openai", "acp", "command"],
    description: "setup: what works on tasks",
  },
  { name: "key-env", value: "NAME", description: "setup: variable that holds the API's key" },
  { name: "base-url", value: "URL", description: "setup: address of the API" },
  {
    name: "model",
    value: "[ALIAS=]ID",
    repeatable: true,
    description: "setup: instead of the usual models; the first is primary",
  },
  { name: "preset", value: "NAME", description: "setup --backend acp: claude, codex, gemini, …" },
  {
    name: "program",
    value: "WORD",
    repeatable: true,
    description: "setup --backend command: the program, then each argument",
  },
  {
    name: "sandbox",
    value: "LEVEL",
    choices: ["none", "workspace", "read-only"],
    description: "setup: what agents can reach if a task says nothing (default workspace)",
  },
  {
    name: "budget",
    value: "USD",
    number: "any",
    least: 0,
    description: "setup: what may be spent on a day",
  },
  {
    name: "import",
    value: "FILE",
    repeatable: true,
    description: "setup: OpenClaw's openclaw.json, discord-orchestration's discord-config.env",
  },
  {
    name: "store-keys",
    description: "setup: token and key themselves into the file, not their variables' names",
  },
  { name: "dry-run", description: "setup: look at everything, change nothing" },
  {
    name: "force",
    short: "f",
    description: "setup: replace the section that is there; the file is kept beside it",
  },
] as const;

export type PoolContext = Context<typeof POOL_OPTIONS>;
