import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import { askDesk } from "./ask-desk.ts";
import type { Kit } from "./kit.ts";
import { optionalReason, reasonOf } from "./reason.ts";
import { readTrials, trialList } from "./trial-list.ts";

export function runTrialsTool(kit: Kit): Tool {
  return defineTool({
    name: "run_trials",
    description: "Submits trials; without `trials` all that are ready, failed or cancelled. Live " +
      "ones are left alone. force: also completed or pruned ones.",
    input: z.strictObject({
      trials: trialList.optional(),
      force: z.boolean().optional(),
      reason: optionalReason,
    }),
    acts: true,
    run: ({ trials, force, reason }) =>
      askDesk(kit, {
        verb: "run",
        ...(trials === undefined ? {} : { indices: readTrials(trials) }),
        ...(force === undefined ? {} : { force }),
        ...reasonOf(reason),
      }),
  });
}

export function runHalvingTool(kit: Kit): Tool {
  return defineTool({
    name: "run_halving",
    description: "Successive halving now. It runs by itself before each tick: only to look " +
      "(dry_run) or when a person asks.",
    input: z.strictObject({ dry_run: z.boolean().optional() }),
    acts: true,
    run: ({ dry_run }) =>
      askDesk(kit, { verb: "halve", ...(dry_run === undefined ? {} : { dryRun: dry_run }) }),
  });
}
