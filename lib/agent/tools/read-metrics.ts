import { NothingError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { nearest } from "../../base/text.ts";
import { defineTool } from "../define-tool.ts";
import { cleanLine } from "../quote-data.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { pageArguments, pageRows, quoteFacts } from "./page-rows.ts";
import { requireTrial, trialIndex } from "./trial-list.ts";

const PAGE = 40;
const MOST = 100_000;

/** As long as a metric's name may be. */
export const metricName = z.string().min(1).max(300);

export function listMetricsTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "list_metrics",
    description: "Metrics that a trial logged: name, points, first and last step, last value.",
    input: z.strictObject({ trial: trialIndex, ...pageArguments }),
    acts: false,
    run({ trial, offset = 0, limit = PAGE }) {
      requireTrial(desk, trial);
      const all = desk.metricNames(trial);
      return pageRows(quote, {
        rows: all.slice(offset, offset + limit),
        offset,
        total: all.length,
        source: `metrics of trial ${trial}`,
        longest: 120,
      });
    },
  });
}

export function computeMetricTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "compute_metric",
    description: "One metric of one trial: n, last, mean, median, stddev, min, max, NaN or " +
      "infinity, recent values. A window of last_n points, steps or seconds is optional; " +
      "points > 0 adds an evenly thinned history.",
    input: z.strictObject({
      trial: trialIndex,
      metric: metricName,
      last_n: z.int().min(1).max(MOST).optional(),
      step_min: z.number().optional(),
      step_max: z.number().optional(),
      since_seconds: z.number().min(1).optional(),
      points: z.int().min(0).max(100).optional(),
    }),
    acts: false,
    run({ trial, metric, last_n, step_min, step_max, since_seconds, points }) {
      requireTrial(desk, trial);
      const found = desk.metric(trial, metric, {
        ...(last_n === undefined ? {} : { lastN: last_n }),
        ...(step_min === undefined ? {} : { stepMin: step_min }),
        ...(step_max === undefined ? {} : { stepMax: step_max }),
        ...(since_seconds === undefined ? {} : { sinceSeconds: since_seconds }),
        ...(points === undefined ? {} : { points }),
      });
      if (found === undefined) throw noMetric(metric, trial, desk.metricNames(trial));
      const { points: history, ...summary } = found;
      return quoteFacts(quote, {
        ...summary,
        ...(history.length === 0
          ? {}
          : { points: history.map(({ step, value }) => [step, value]) }),
      }, `a metric of trial ${trial}`);
    },
  });
}

/** Names the nearest one only: names come from outside and stand in quotations else. */
function noMetric(
  metric: string,
  trial: number,
  known: readonly { name: string }[],
): NothingError {
  const near = nearest(metric.slice(0, 100), known.slice(0, 500).map(({ name }) => name));
  const plain = near !== undefined && /^[\w./:@-]{1,60}$/.test(near);
  return new NothingError(
    `Cannot find metric "${cleanLine(metric, 60)}": trial ${trial} logged ${known.length} others`,
    { hint: plain ? `Did you mean "${near}"?` : "list_metrics shows their names" },
  );
}
