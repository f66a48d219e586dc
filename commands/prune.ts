import { TRIAL_ARGUMENTS } from "./chosen-trials.ts";
import { defineCommand } from "./command.ts";
import { MARK_OPTIONS, markTrials } from "./mark-trials.ts";

export const command = defineCommand({
  name: "prune",
  summary: "End trials that are not worth going on with",
  details:
    "A running trainer learns of it when it next logs a step and ends by itself; one that does\n" +
    "not is cancelled after prune_grace_seconds. A waiting trial leaves the queue at once. For\n" +
    "an end right now, `herd stop` first. `herd run` leaves pruned trials alone.",
  arguments: TRIAL_ARGUMENTS,
  options: MARK_OPTIONS,
  examples: [
    { line: "herd prune 3 --reason diverged", meaning: "give up trial 3" },
    { line: "herd prune sweep -i 4-7", meaning: "give up these" },
  ],
  run: (context) => markTrials(context, "prune"),
});
