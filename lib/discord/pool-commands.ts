import type { Thinking } from "../tasks/backend.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import type { WorkerVia } from "../tasks/pool-event.ts";
import type { SandboxLevel } from "../tasks/sandbox.ts";
import type { TaskStatus } from "../tasks/task.ts";
import type { CommandDefinition, CommandOption, Subcommand } from "./command-definition.ts";
import { LIMITS } from "./limits.ts";

/** Names of the commands that are the pool's. */
export const POOL_COMMANDS: readonly string[] = ["task", "pool", "cost", "models"];

// As records, so that a word that is new there is missing here.
const THINKING: Readonly<Record<Thinking, true>> = {
  off: true,
  low: true,
  medium: true,
  high: true,
};
const SANDBOX: Readonly<Record<SandboxLevel, true>> = {
  none: true,
  workspace: true,
  "read-only": true,
};
const STATUS: Readonly<Record<TaskStatus, true>> = {
  queued: true,
  assigned: true,
  running: true,
  succeeded: true,
  failed: true,
  cancelled: true,
  expired: true,
  dead: true,
};
const VIA: Readonly<Record<WorkerVia, string>> = {
  http: "it reaches this machine over the network",
  files: "it shares this machine's file system",
  discord: "it reaches nothing but Discord",
};

/** The pool's commands, with the models of the configuration to choose from. */
export function poolDefinitions({ models }: Pick<PoolConfig, "models">): CommandDefinition[] {
  const own = (name: string, description: string, subcommands: Subcommand[]) => ({
    name,
    description,
    options: [],
    subcommands,
  });
  return [
    own("task", "One-off work for the pool's agents", [
      { name: "submit", description: "Gives the pool a task", options: submitOptions(models) },
      {
        name: "list",
        description: "Tasks, what is open first",
        options: [{ ...text("status", "Only these"), choices: choicesOf(Object.keys(STATUS)) }],
      },
      { name: "show", description: "All there is to know of a task", options: [ID] },
      {
        name: "cancel",
        description: "Ends a task; one of somebody else takes an operator",
        options: [ID, { ...text("why", "The reason, for people"), longest: 200 }],
      },
      { name: "retry", description: "Has a task that ended otherwise done again", options: [ID] },
    ]),
    own("pool", "The workers of the pool", [
      { name: "status", description: "Queue, workers, money", options: [] },
      {
        name: "drain",
        description: "A worker finishes what it has and takes nothing new",
        options: [{ ...WORKER, required: true }],
      },
      {
        name: "resume",
        description: "Lets a drained worker take tasks again; without one, the stopped pool",
        options: [WORKER],
      },
      {
        name: "stop",
        description: "No new work begins; with now, every agent is ended at once",
        options: [
          { name: "now", description: "End every agent at once", type: "yes-no", required: false },
          { ...text("why", "The reason, for people"), longest: 60 },
        ],
      },
      {
        name: "scale",
        description: "Workers as SLURM jobs: so many, or between a least and a most by what waits",
        options: [
          { ...COUNT, name: "slurm", description: "So many, always; 0 ends them" },
          { ...COUNT, name: "min", description: "Workers even without work" },
          { ...COUNT, name: "max", description: "Workers at the most" },
          { ...text("partition", "The jobs' partition"), longest: 100 },
        ],
      },
      {
        name: "enrol",
        description: "A code with which a new worker joins, once; only you see it",
        options: [
          { ...text("name", "The worker's name"), required: true, longest: 40 },
          { ...text("labels", "Words that tasks can ask for, with commas"), longest: 200 },
          {
            ...text("via", "How it reaches the daemon; http when left out"),
            choices: Object.entries(VIA).map(([value, what]) => ({
              name: `${value}: ${what}`,
              value,
            })),
          },
        ],
      },
    ]),
    {
      name: "cost",
      description: "What the pool's agents have cost",
      options: [
        {
          ...text("by", "By what it is summed; by day when left out"),
          choices: choicesOf(["day", "model", "worker"]),
        },
        {
          name: "days",
          description: "Of so many days up to today; 7 when left out",
          type: "whole",
          required: false,
          least: 1,
          most: 366,
        },
      ],
    },
    { name: "models", description: "Models that tasks can ask for, and their prices", options: [] },
  ];
}

function submitOptions(models: PoolConfig["models"]): CommandOption[] {
  const names = Object.keys(models).filter((name) => name.length <= LIMITS.choiceName);
  // Beyond what Discord lists they are completed.
  const model = names.length > 0 && names.length <= LIMITS.choices
    ? { choices: choicesOf(names) }
    : { autocomplete: true, longest: 200 };
  return [
    {
      ...text("text", "What is to be done; [model:…] and the like may stand in it"),
      required: true,
      longest: 6_000,
    },
    { ...text("model", "Which model"), ...model },
    { ...text("thinking", "How hard it thinks"), choices: choicesOf(Object.keys(THINKING)) },
    { ...text("worker", "Only this worker, or those with this label"), autocomplete: true },
    { ...text("timeout", "How long one attempt may take: 30m, 2h"), longest: 20 },
    { ...text("priority", "low, normal, high, urgent, or -100 to 100"), longest: 10 },
    { ...text("sandbox", "What it may reach"), choices: choicesOf(Object.keys(SANDBOX)) },
    { ...text("key", "Two submissions with the same key are one task"), longest: 100 },
  ];
}

function text(name: string, description: string): CommandOption {
  return { name, description, type: "text", required: false };
}

const ID: CommandOption = {
  ...text("id", "The task"),
  required: true,
  autocomplete: true,
  longest: 100,
};
const COUNT = { type: "whole", required: false, least: 0, most: 10_000 } as const;
const WORKER: CommandOption = { ...text("worker", "The worker"), autocomplete: true, longest: 100 };

function choicesOf(words: readonly string[]): { name: string; value: string }[] {
  return words.map((word) => ({ name: word, value: word }));
}
