import { RefusedError, UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import { cleanLine, cleanText } from "../quote-data.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { authorityChange } from "./plan-authority.ts";

const LONGEST = 8_000;
/** People's own section, whatever they call it exactly. */
const CUSTOM = /^\s{0,3}#{1,6}\s*(?:your |custom |own |special )+rules?\b/im;

export function readPlanTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "read_plan",
    description: "MONITOR_PLAN.md: objective, remediation, metric source, custom rules.",
    input: z.strictObject({}),
    acts: false,
    run() {
      const plan = desk.plan();
      return plan === undefined
        ? "There is no plan yet: the interview makes it."
        : quote(plan, { kind: "owner", source: "MONITOR_PLAN.md" });
    },
  });
}

export function writePlanTool({ desk, by }: Kit): Tool {
  return defineTool({
    name: "write_plan",
    description: "Replaces MONITOR_PLAN.md: read it first, keep its form, change only what a " +
      "person asked for. What you may do (grants, caps, limits, budgets) cannot be changed here.",
    input: z.strictObject({ text: z.string().min(20).max(LONGEST) }),
    acts: true,
    run({ text }) {
      const plan = cleanText(text);
      refusePlan(desk.plan() ?? "", plan);
      const wrong = desk.writePlan(plan, by);
      if (wrong === undefined) return "Done: the plan is written.";
      throw new UserError(`Cannot write the plan: ${cleanLine(wrong, 600)}`);
    },
  });
}

function refusePlan(old: string, plan: string): void {
  const change = authorityChange(old, plan);
  if (change !== undefined) {
    throw new RefusedError(
      `Refused: the line "${cleanLine(change, 120)}" would change what you may do, and only a ` +
        "person changes that",
      { hint: "Keep such lines as they are; who wants it edits MONITOR_PLAN.md or the YAML" },
    );
  }
  if (CUSTOM.test(old) && !CUSTOM.test(plan)) {
    throw new RefusedError("Refused: the section with custom rules is missing in the new plan", {
      hint: "People write there; keep it, with what it holds",
    });
  }
}
