import type { AttemptDocument } from "../../actions/desk.ts";
import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import { asked } from "./asked.ts";
import type { Kit } from "./kit.ts";
import { pageArguments, pageRows, quoteFacts } from "./page-rows.ts";
import { requireTrial, trialIndex } from "./trial-list.ts";

/** Of a trial that was started fifty times only the last ones tell something. */
const ATTEMPTS = 5;
const PAGE = 20;

export function readTrialTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "read_trial",
    description: "All about one trial: parameters, status, cause of failure, job, usage, and its " +
      `last ${ATTEMPTS} attempts.`,
    input: z.strictObject({ trial: trialIndex }),
    acts: false,
    run({ trial }) {
      const document = requireTrial(desk, trial);
      const attempts: readonly AttemptDocument[] = desk.attempts(trial);
      return quoteFacts(quote, {
        ...document,
        attempts_in_all: attempts.length,
        last_attempts: attempts.slice(-ATTEMPTS),
      }, `trial ${trial}`);
    },
  });
}

export function readParametersTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "read_parameters",
    description: "The sweep's parameters, grid and conditions, and planned trials' values.",
    input: z.strictObject(pageArguments),
    acts: false,
    async run({ offset = 0, limit = PAGE }) {
      const document = await asked(quote, () => desk.parameters({ offset, limit }));
      const { trials, total, offset: _, ...head } = document as Readonly<Record<string, unknown>>;
      const rows = Array.isArray(trials) ? trials : [];
      return pageRows(quote, {
        ...(offset === 0 ? { head } : {}),
        rows,
        offset,
        total: typeof total === "number" ? total : offset + rows.length,
        source: "parameters of the sweep",
      });
    },
  });
}
