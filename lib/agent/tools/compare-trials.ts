import { UserError } from "../../base/errors.ts";
import type { Desk } from "../../actions/desk.ts";
import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { pageRows } from "./page-rows.ts";
import { metricName } from "./read-metrics.ts";
import { readTrials, requireTrial, trialList } from "./trial-list.ts";

const MOST = 10;

export function compareTrialsTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "compare_trials",
    description: `2 to ${MOST} trials side by side: the parameters that differ, status, cause, ` +
      "steps, time, and a metric's last, best and trend when named.",
    input: z.strictObject({ trials: trialList, metric: metricName.optional() }),
    acts: false,
    run({ trials, metric }) {
      const indices = readTrials(trials);
      if (indices.length < 2 || indices.length > MOST) {
        throw new UserError(
          `Cannot compare ${indices.length} trials: wanted are 2 to ${MOST}`,
        );
      }
      const documents = indices.map((index) => requireTrial(desk, index));
      const differing = differingKeys(documents.map(({ params }) => params));
      return pageRows(quote, {
        rows: documents.map((trial) => ({
          index: trial.index,
          status: trial.status,
          cause: trial["cause"],
          step: trial["step"],
          elapsed_seconds: trial["elapsed_seconds"],
          differs: Object.fromEntries(
            differing.filter((key) => Object.hasOwn(trial.params, key))
              .map((key) => [key, trial.params[key]]),
          ),
          ...(metric === undefined ? {} : { metric: metricOf(desk, trial.index, metric) }),
        })),
        offset: 0,
        total: documents.length,
        source: "trials side by side",
        longest: 120,
      });
    },
  });
}

function differingKeys(params: readonly Readonly<Record<string, unknown>>[]): string[] {
  const keys = new Set(params.flatMap((one) => Object.keys(one)));
  return [...keys].filter((key) =>
    new Set(params.map((one) => Object.hasOwn(one, key) ? JSON.stringify(one[key]) : undefined))
      .size > 1
  );
}

function metricOf(desk: Desk, trial: number, name: string): object | string {
  const found = desk.metric(trial, name);
  if (found === undefined) return "not logged";
  const { n, stepLast, last, min, max, hasNanOrInf, recent } = found;
  return { n, stepLast, last, min, max, ...(hasNanOrInf ? { hasNanOrInf } : {}), recent };
}
