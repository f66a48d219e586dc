import { delimitedLine } from "../lib/base/delimited.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { count } from "../lib/base/text.ts";
import { curveOf } from "../lib/sweep/metrics.ts";
import type { Point } from "../lib/sweep/metrics.ts";
import { say } from "./open.ts";
import { metricCell } from "../lib/sweep/result-text.ts";
import type { ResContext, Selection } from "./res-rows.ts";

interface Step {
  trial: number;
  metric: string;
  point: Point;
}

/** Every step by trial, metric and step; of a step that was logged twice the later record. */
export function showSteps(context: ResContext, selection: Selection): number {
  const { out, json } = context;
  const skipped = { lines: 0, streams: 0 };
  const steps = stepsOf(context, selection, skipped);
  if (json) {
    out.json({ rows: documents(steps) });
  } else {
    out.print("trial_id,step,metric,timestamp,value");
    let lines: string[] = [];
    for (const { trial, metric, point } of steps) {
      const cells = [`${trial}`, `${point.step}`, metric, timeOf(point) ?? ""];
      lines.push(delimitedLine([...cells, metricCell(point.value ?? point.raw, "all")], ","));
      if (lines.length < 2000) continue;
      out.print(lines.join("\n"));
      lines = [];
    }
    if (lines.length > 0) out.print(lines.join("\n"));
  }
  if (skipped.lines > 0) {
    say(
      out,
      `${count(skipped.lines, "line")} of ${
        count(skipped.streams, "stream")
      } could not be read: torn or foreign`,
    );
  }
  return EXIT.done;
}

function* stepsOf(
  { values }: ResContext,
  { trials, results }: Selection,
  skipped: { lines: number; streams: number },
): Generator<Step> {
  for (const { index: trial } of trials) {
    for (const metric of results.listStreams(trial)) {
      if (values.metric !== undefined && metric !== values.metric) continue;
      const stream = results.readStream(trial, metric);
      skipped.lines += stream.skipped;
      skipped.streams += stream.skipped > 0 ? 1 : 0;
      for (const point of curveOf(stream.points)) yield { trial, metric, point };
    }
  }
}

function* documents(steps: Iterable<Step>): Generator<unknown> {
  for (const { trial, metric, point } of steps) {
    yield {
      trial_id: trial,
      step: point.step,
      metric,
      timestamp: timeOf(point),
      value: point.value ?? point.raw ?? null,
    };
  }
}

/** UTC to the second; null when the trainer did not say, or said what is no time. */
function timeOf({ at }: Point): string | null {
  const date = new Date(Math.floor(at) * 1000);
  if (at === 0 || Number.isNaN(date.getTime())) return null;
  return date.toISOString().replace(".000Z", "Z");
}
