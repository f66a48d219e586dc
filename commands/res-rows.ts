import type { Results } from "../lib/daemon/results.ts";
import type { Trial } from "../lib/sweep/trial.ts";
import type { Context } from "./command.ts";
import type { PIN_OPTION } from "./pin-option.ts";
import type { Remembered } from "./remembered.ts";

export const RES_OPTIONS = [
  { name: "steps", description: "Every logged step, as CSV" },
  { name: "csv", description: "Comma-separated instead of tab-separated, with all digits" },
  {
    name: "best",
    short: "b",
    value: "N",
    number: "whole",
    least: 1,
    bare: "10",
    description: "The N best trials (default 10), best first; repeats are averaged",
  },
  {
    name: "metric",
    short: "m",
    value: "NAME",
    description:
      "With --best: rank by it (default that of successive_halving); with --steps: only it",
  },
  {
    name: "direction",
    value: "WHICH",
    choices: ["min", "max"],
    description: "With --best: which values are better (default that of successive_halving)",
  },
  { name: "last", description: "Also what was logged last of metrics without a final result" },
  { name: "all", short: "a", description: "Also trials that the YAML no longer contains" },
] as const;

export type ResContext = Context<readonly [...typeof RES_OPTIONS, typeof PIN_OPTION]>;

/** The trials that were asked for. */
export interface Selection {
  now: Remembered;
  trials: readonly Trial[];
  results: Results;
}
