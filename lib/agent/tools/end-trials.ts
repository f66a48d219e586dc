import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import { askDesk } from "./ask-desk.ts";
import type { Kit } from "./kit.ts";
import { optionalReason, reason, reasonOf } from "./reason.ts";
import { readTrials, trialList } from "./trial-list.ts";

const VERBS = [
  { name: "stop_trials", verb: "stop", does: "Cancels live trials; they may run again later." },
  {
    name: "pause_trials",
    verb: "pause",
    does: "Asks trials to save and end; resume_trials submits them again.",
  },
  {
    name: "prune_trials",
    verb: "prune",
    does: "Gives trials up for good. Without a person only for NaN or infinity in the metric.",
  },
] as const;

export function endTrialsTools(kit: Kit): Tool[] {
  return VERBS.map(({ name, verb, does }) =>
    defineTool({
      name,
      description: does,
      input: z.strictObject({ trials: trialList, reason }),
      acts: true,
      run: ({ trials, reason: why }) =>
        askDesk(kit, { verb, indices: readTrials(trials), ...reasonOf(why) }),
    })
  );
}

export function stopAllTool(kit: Kit): Tool {
  return defineTool({
    name: "stop_all",
    description: "Cancels every live trial. Only when a person in the channel asks for it.",
    input: z.strictObject({ reason }),
    acts: true,
    run: ({ reason: why }) => askDesk(kit, { verb: "stop", indices: "all", ...reasonOf(why) }),
  });
}

export function resumeTrialsTool(kit: Kit): Tool {
  return defineTool({
    name: "resume_trials",
    description: "Submits paused trials again.",
    input: z.strictObject({ trials: trialList, reason: optionalReason }),
    acts: true,
    run: ({ trials, reason: why }) =>
      askDesk(kit, { verb: "resume", indices: readTrials(trials), ...reasonOf(why) }),
  });
}
