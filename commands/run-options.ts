import type { Context } from "./command.ts";
import { HOST_OPTION } from "./host-option.ts";
import { PIN_OPTION } from "./pin-option.ts";

/** What `herd run` takes. */
export const RUN_OPTIONS = [
  { name: "dry-run", short: "n", description: "Show what would be submitted; change nothing" },
  {
    name: "max-concurrent",
    short: "j",
    value: "N",
    number: "whole",
    least: 1,
    description: "Trials at once, instead of slurm.max_concurrent",
  },
  {
    name: "indices",
    short: "i",
    value: "SPEC",
    repeatable: true,
    description: "Only these trials, such as 0,3,7-9; paused and pruned ones too",
  },
  PIN_OPTION,
  {
    name: "force",
    short: "f",
    description:
      "With -i: stop live trials and run completed ones again. Without: let go of trials that the YAML lost",
  },
  { name: "skip", description: "With -i: pass over trials that are live or completed" },
  {
    name: "changed",
    value: "WHAT",
    choices: ["keep", "rerun"],
    description:
      "Trials that ran under other fixed overrides than today's: keep them or run them again",
  },
  HOST_OPTION,
  { name: "local", description: "Run trials as processes of this machine" },
  { name: "slurm", description: "Run trials through SLURM, whatever the YAML says" },
  { name: "wait", description: "Stay until the trials have ended, showing how they go" },
] as const;

export type RunContext = Context<typeof RUN_OPTIONS>;
