import { z } from "../base/schema.ts";
import type { Chart } from "./chart.ts";

const Look = { title: z.string(), subtitle: z.string(), theme: z.enum(["light", "dark"]) };

const ChartSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("curves"),
    ...Look,
    xTitle: z.string(),
    yTitle: z.string(),
    stepped: z.boolean(),
    series: z.array(z.object({
      label: z.string(),
      points: z.array(z.object({ x: z.number(), y: z.number().nullable() })),
    })),
  }),
  z.object({
    kind: z.literal("scatter"),
    ...Look,
    xTitle: z.string(),
    yTitle: z.string(),
    points: z.array(z.object({
      x: z.union([z.number(), z.string()]),
      y: z.number(),
      label: z.string(),
      best: z.boolean(),
    })),
  }),
  z.object({
    kind: z.literal("parallel"),
    ...Look,
    axes: z.array(z.string()).min(2),
    rows: z.array(z.array(z.union([z.number(), z.string(), z.null()]))),
    direction: z.enum(["min", "max"]),
  }),
]);

/** A chart as another process wrote it; throws when it is none. */
export function readChart(json: string): Chart {
  return ChartSchema.parse(JSON.parse(json));
}
