import { UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import { askDesk } from "./ask-desk.ts";
import type { Kit } from "./kit.ts";
import { optionalReason, reason, reasonOf } from "./reason.ts";

export function haltTool(kit: Kit): Tool {
  return defineTool({
    name: "halt",
    description: "Nothing is submitted or repaired by itself any more; live trials go on and " +
      "messages are still answered. For when a person says pause, stop or halt, or when going on " +
      "would only waste compute.",
    input: z.strictObject({ reason }),
    acts: true,
    run({ reason: why }) {
      const { reason: clean = "" } = reasonOf(why);
      if (clean === "") throw new UserError('Cannot halt: "reason" is empty, wanted is a sentence');
      return askDesk(kit, { verb: "halt", reason: clean });
    },
  });
}

export function continueTool(kit: Kit): Tool {
  return defineTool({
    name: "continue_sweep",
    description: "Ends a halt. Only when a person asks for it.",
    input: z.strictObject({ reason: optionalReason }),
    acts: true,
    run: ({ reason: why }) => askDesk(kit, { verb: "continue", ...reasonOf(why) }),
  });
}

const LEAST = 60;
const MOST = 86_400;

export function scheduleNextTool(kit: Kit): Tool {
  return defineTool({
    name: "schedule_next",
    description: "When the next tick is due, in seconds. herd chooses well by itself and wakes " +
      "for failures, endings and messages: only when a person asks for another rhythm.",
    input: z.strictObject({ seconds: z.int().min(1) }),
    acts: true,
    async run({ seconds }) {
      const within = Math.min(MOST, Math.max(LEAST, seconds));
      const text = await askDesk(kit, { verb: "schedule", seconds: within });
      return within === seconds ? text : `${text}\nOnly ${LEAST} to ${MOST} seconds are possible.`;
    },
  });
}
