import { UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { parseDuration } from "../../sweep/duration.ts";
import { parseMemory } from "../../sweep/memory.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import { askDesk } from "./ask-desk.ts";
import type { Kit } from "./kit.ts";
import { optionalReason, reasonOf } from "./reason.ts";
import { readTrials, trialList } from "./trial-list.ts";

interface Measure {
  name: string;
  what: "memory" | "time";
  setting: string;
  to: string;
  /** In MiB or seconds. Throws UserError. */
  read(text: string): number;
}

const MEASURES: readonly Measure[] = [
  {
    name: "bump_memory",
    what: "memory",
    setting: "slurm.mem",
    to: '"16G", "1500M"',
    read: (text) => atLeastOne(parseMemory(text), text, "memory"),
  },
  {
    name: "bump_time",
    what: "time",
    setting: "slurm.time",
    to: '"2:30:00", "1-12:00:00"',
    read: (text) => atLeastOne(parseDuration(text) ?? Infinity, text, "time"),
  },
];

export function bumpTools(kit: Kit): Tool[] {
  return MEASURES.map((measure) => bumpTool(kit, measure));
}

function bumpTool(kit: Kit, { name, what, setting, to: forms, read }: Measure): Tool {
  return defineTool({
    name,
    description: `Raises ${setting}, by percent or to a value. trials: for these only; else as ` +
      "configured. resubmit: run again what failed for want of it. The rules did this already " +
      "for failures that they know; use it when a person asks.",
    input: z.strictObject({
      percent: z.number().min(1).max(1_000).optional(),
      to: z.string().min(1).max(30).describe(`Such as ${forms}`).optional(),
      trials: trialList.optional(),
      resubmit: z.boolean().optional(),
      reason: optionalReason,
    }),
    acts: true,
    run({ percent, to, trials, resubmit, reason }) {
      if ((percent === undefined) === (to === undefined)) {
        throw new UserError(
          `Cannot use ${name}: found ${percent === undefined ? "neither" : "both"} of "percent" ` +
            'and "to", wanted exactly one',
        );
      }
      return askDesk(kit, {
        verb: "bump",
        what,
        ...(percent === undefined ? {} : { percent }),
        ...(to === undefined ? {} : { to: read(to) }),
        ...(trials === undefined ? {} : { trials: readTrials(trials) }),
        ...(resubmit === undefined ? {} : { resubmit }),
        ...reasonOf(reason),
      });
    },
  });
}

/** Zero and UNLIMITED mean "all there is": a person's choice, in the YAML. */
function atLeastOne(value: number, text: string, what: string): number {
  if (Number.isFinite(value) && value >= 1) return value;
  throw new UserError(`Cannot bump the ${what} to "${text}": wanted is a limit`);
}
