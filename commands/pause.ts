import { TRIAL_ARGUMENTS } from "./chosen-trials.ts";
import { defineCommand } from "./command.ts";
import { MARK_OPTIONS, markTrials } from "./mark-trials.ts";

export const command = defineCommand({
  name: "pause",
  summary: "Let trials save their state and end, to be resumed later",
  details:
    "A running trainer learns of it when it next logs a step, saves a checkpoint and ends; one\n" +
    "that does not is cancelled after prune_grace_seconds. A waiting trial leaves the queue at\n" +
    "once. `herd run` leaves paused trials alone; `herd resume` submits them again.",
  arguments: TRIAL_ARGUMENTS,
  options: MARK_OPTIONS,
  examples: [
    { line: "herd pause 3", meaning: "pause trial 3" },
    { line: 'herd pause -i 0-4 --reason "make room"', meaning: "pause these, and say why" },
  ],
  run: (context) => markTrials(context, "pause"),
});
