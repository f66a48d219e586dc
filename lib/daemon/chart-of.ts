import type { Desk, TrialDocument } from "../actions/desk.ts";
import { compactRanges, nearest } from "../base/text.ts";
import { COLOURED, GREY, POINTS } from "../charts/chart.ts";
import type { Chart } from "../charts/chart.ts";
import type { PlotRequest } from "../discord/draw-plot.ts";
import { valueText } from "../words/amount-text.ts";

export type ChartOf = { chart: Chart; caption: string } | { cannot: string };

interface Trial {
  index: number;
  label: string;
  params: Readonly<Record<string, unknown>>;
  /** Best of its points, by direction. */
  value: number | undefined;
  status: string;
}

/** Trials whose metrics are read for one picture. */
const MOST_TRIALS = COLOURED + GREY;

/** What a plot request asks for, as data; or why it cannot be drawn, in a sentence. */
export function chartOf(desk: Desk, request: PlotRequest): ChartOf {
  const unknown = (request.trials ?? []).filter((index) => desk.trial(index) === undefined);
  if (unknown.length > 0) return { cannot: `There is no trial ${compactRanges(unknown)}` };
  const documents = trialsOf(desk, request.trials);
  if (documents.length === 0) return { cannot: "No such trial has begun yet" };
  const names = metricsOf(desk, documents);
  if (!names.includes(request.metric)) return unknownMetric(request.metric, names);
  const direction = /loss|error|perplexity|mae|mse|rmse/i.test(request.metric) ? "min" : "max";
  const trials = documents.map((one) => valued(desk, one, request.metric, direction))
    .filter(({ value }) => value !== undefined)
    .sort((a, b) => direction === "min" ? a.value! - b.value! : b.value! - a.value!);
  if (trials.length === 0) return { cannot: `No trial has a number for "${request.metric}" yet` };
  const made = draw(desk, request, trials, direction);
  if ("cannot" in made) return made;
  const best = trials[0]!;
  const caption = `${request.metric}: best so far ${valueText(best.value)} by trial ${best.index}` +
    (trials.length === 1 ? "" : `, of ${trials.length} trials`);
  return { chart: made, caption };
}

function draw(
  desk: Desk,
  request: PlotRequest,
  trials: readonly Trial[],
  direction: "min" | "max",
): Chart | { cannot: string } {
  const { metric, kind, theme } = request;
  const sweep = desk.info().sweep;
  const look = { theme, subtitle: `${sweep} · ${trials.length} trials` };
  switch (kind) {
    case "curves": {
      const series = trials.map(({ index, label }) => ({
        label: `#${index} ${label}`,
        points: smoothed(pointsOf(desk, index, metric), request.smooth),
      }));
      const smooth = request.smooth > 1 ? `, mean of ${request.smooth}` : "";
      return {
        kind: "curves",
        ...look,
        title: metric + smooth,
        xTitle: "step",
        yTitle: metric,
        series,
        stepped: false,
      };
    }
    case "best":
      return {
        kind: "curves",
        ...look,
        title: `Best ${metric} so far`,
        xTitle: "trials, by index",
        yTitle: metric,
        series: [{ label: "best so far", points: bestSoFar(trials, direction) }],
        stepped: true,
      };
    case "parameter": {
      const varied = variedOf(trials);
      const name = request.parameter ?? varied[0];
      if (name === undefined || !trials.some(({ params }) => name in params)) {
        return unknownParameter(name, varied);
      }
      return {
        kind: "scatter",
        ...look,
        title: `${metric} by ${name}`,
        xTitle: name,
        yTitle: metric,
        points: trials.map(({ index, params, value }, i) => ({
          x: cell(params[name]) ?? "null",
          y: value!,
          label: `#${index}`,
          best: i === 0,
        })),
      };
    }
    case "parallel": {
      const axes = variedOf(trials).slice(0, 7);
      if (axes.length === 0) return { cannot: "Every trial has the same parameters" };
      return {
        kind: "parallel",
        ...look,
        title: `Parameters and ${metric}`,
        axes: [...axes, metric],
        rows: trials.map((
          { params, value },
        ) => [...axes.map((name) => cell(params[name])), value!]),
        direction,
      };
    }
  }
}

function trialsOf(desk: Desk, indices: readonly number[] | undefined): readonly TrialDocument[] {
  const statuses = ["completed", "running", "failed", "pruned", "paused", "cancelled"];
  const query = indices === undefined ? { statuses } : { indices };
  return desk.status({ ...query, limit: MOST_TRIALS }).items;
}

function metricsOf(desk: Desk, documents: readonly TrialDocument[]): string[] {
  const names = documents.slice(0, 20).flatMap(({ index }) =>
    desk.metricNames(index).map(({ name }) => name)
  );
  return [...new Set(names)];
}

function unknownMetric(metric: string, names: readonly string[]): { cannot: string } {
  if (names.length === 0) return { cannot: "No metric was logged by step yet" };
  const near = nearest(metric, names);
  const meant = near === undefined ? "" : ` Did you mean ${near}?`;
  return {
    cannot: `There is no metric "${metric}".${meant} There are ${names.slice(0, 15).join(", ")}`,
  };
}

function unknownParameter(name: string | undefined, varied: readonly string[]): { cannot: string } {
  return {
    cannot: name === undefined
      ? "Every trial has the same parameters"
      : `There is no parameter "${name}". There are ${varied.join(", ")}`,
  };
}

function valued(
  desk: Desk,
  { index, experiment_name: label, params, status }: TrialDocument,
  metric: string,
  direction: "min" | "max",
): Trial {
  const document = desk.metric(index, metric);
  const value = document === undefined
    ? undefined
    : (direction === "min" ? document.min : document.max) ?? undefined;
  return { index, label, params, status, value };
}

function pointsOf(desk: Desk, index: number, metric: string): { x: number; y: number | null }[] {
  const points = desk.metric(index, metric, { points: POINTS })?.points ?? [];
  return points.map(({ step, value }) => ({ x: step, y: value }));
}

/** Each value becomes the mean of the last `most` that are numbers. */
function smoothed(
  points: readonly { x: number; y: number | null }[],
  most: number,
): { x: number; y: number | null }[] {
  if (most <= 1) return [...points];
  return points.map(({ x, y }, i) => {
    if (y === null) return { x, y };
    const window = points.slice(Math.max(0, i - most + 1), i + 1)
      .flatMap((one) => one.y === null ? [] : [one.y]);
    return { x, y: window.reduce((sum, value) => sum + value, 0) / window.length };
  });
}

function bestSoFar(
  trials: readonly Trial[],
  direction: "min" | "max",
): { x: number; y: number }[] {
  let best: number | undefined;
  return [...trials].sort((a, b) => a.index - b.index).map(({ index, value }) => {
    const better = best === undefined || (direction === "min" ? value! < best : value! > best);
    if (better) best = value!;
    return { x: index, y: best! };
  });
}

/** Parameters that are not the same in all of them. */
function variedOf(trials: readonly Trial[]): string[] {
  const names = new Set(trials.flatMap(({ params }) => Object.keys(params)));
  return [...names].filter((name) =>
    new Set(trials.map(({ params }) => JSON.stringify(params[name] ?? null))).size > 1
  );
}

function cell(value: unknown): number | string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "number"
    ? value
    : typeof value === "string"
    ? value
    : JSON.stringify(value);
}
