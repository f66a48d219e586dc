import type { Context } from "./command.ts";

export const TEST_OPTIONS = [
  {
    name: "cfg-job",
    description: "Only have Hydra print the resolved configuration (--cfg job --resolve)",
  },
  { name: "all", short: "a", description: "With --cfg-job: check every trial, several at once" },
  {
    name: "jobs",
    short: "j",
    value: "N",
    number: "whole",
    least: 1,
    description: "With --all: launchers at once (default: processors)",
  },
  {
    name: "timeout",
    short: "t",
    value: "SECONDS",
    number: "any",
    least: 0.001,
    description: "End a launcher that takes longer; the exit code is then 124",
  },
] as const;

export type TestContext = Context<typeof TEST_OPTIONS>;
