import type { Desk, TrialDocument } from "../../actions/desk.ts";
import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { pageArguments, pageRows } from "./page-rows.ts";
import { metricName } from "./read-metrics.ts";
import { readTrials, trialList } from "./trial-list.ts";

const PAGE = 20;
const METRICS = 8;

export function summarizeMetricsTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "summarize_metrics",
    description: `Metrics across trials, one trial per line: last value, or the mean of the last ` +
      `"smooth" points. Name up to ${METRICS} metrics; else each trial's first ${METRICS}.`,
    input: z.strictObject({
      metrics: z.array(metricName).max(METRICS).optional(),
      trials: trialList.optional(),
      smooth: z.int().min(1).max(1_000).optional(),
      ...pageArguments,
    }),
    acts: false,
    run({ metrics, trials, smooth = 1, offset = 0, limit = PAGE }) {
      const page = desk.status({
        ...(trials === undefined ? {} : { indices: readTrials(trials) }),
        offset,
        limit,
      });
      return pageRows(quote, {
        rows: page.items.map((trial) => summaryOf(desk, trial, { metrics, smooth })),
        offset,
        total: page.total,
        source: "metrics by trial",
        longest: 120,
      });
    },
  });
}

function summaryOf(
  desk: Desk,
  { index, status, experiment_name }: TrialDocument,
  { metrics, smooth }: { metrics: readonly string[] | undefined; smooth: number },
): object {
  const known = desk.metricNames(index);
  const wanted = metrics === undefined || metrics.length === 0
    ? known.slice(0, METRICS)
    : known.filter(({ name }) => metrics.includes(name));
  const values = wanted.map(({ name, last }) => [
    name,
    smooth === 1 ? last : desk.metric(index, name, { lastN: smooth })?.mean ?? null,
  ]);
  const left = metrics === undefined ? known.length - wanted.length : 0;
  return {
    index,
    status,
    experiment_name,
    metrics: Object.fromEntries(values),
    ...(left > 0 ? { more_metrics: left } : {}),
  };
}
