import { z } from "@hono/zod-openapi";
import type { Desk } from "../../actions/desk.ts";
import { IndicesQuery, PageQuery, StatusesQuery } from "../request-parts.ts";
import { given, SweepParams, TrialParams, whole } from "../request-parts.ts";
import { deskOf, documentRoute, found } from "../route.ts";
import type { Route } from "../route.ts";
import {
  AttemptSchema,
  itemsOf,
  LogSchema,
  MetricSchema,
  MetricSummarySchema,
} from "../schemas.ts";
import { TrialSchema, TrialsSchema } from "../schemas.ts";
import type { Station } from "../station.ts";

const tag = "Trials";

/** The desk of a sweep that has this trial; "not found" for the sweep or the trial. */
export function deskWithTrial(
  station: Station,
  { id, index }: { id: string; index: number },
): Desk {
  const desk = deskOf(station, id);
  found(desk.trial(index), `trial ${index} of sweep "${id}"`);
  return desk;
}

export const StreamName = z.enum(["stdout", "stderr"]);

export const TRIAL_ROUTES: readonly Route[] = [
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/trials",
    tag,
    summary: "Trials with their statuses, in pages of 100",
    params: SweepParams,
    query: z.strictObject({
      status: StatusesQuery.optional(),
      indices: IndicesQuery.optional(),
      ...PageQuery,
    }),
    answer: TrialsSchema,
    failures: ["mistake"],
    handle({ station, params, query: { status: statuses, indices, offset, limit } }) {
      return deskOf(station, params.id).status(given({ statuses, indices, offset, limit }));
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/trials/{index}",
    tag,
    summary: "One trial",
    params: TrialParams,
    answer: TrialSchema,
    handle: ({ station, params: { id, index } }) =>
      found(deskOf(station, id).trial(index), `trial ${index} of sweep "${id}"`),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/trials/{index}/attempts",
    tag,
    summary: "Attempts of a trial, oldest first",
    params: TrialParams,
    answer: itemsOf(AttemptSchema),
    handle: ({ station, params }) => ({
      items: deskWithTrial(station, params).attempts(params.index),
    }),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/trials/{index}/log",
    tag,
    summary: "The end of a log, or what follows a place in it",
    description: "With `from`, whole lines from that byte on; `next` of the answer is the place " +
      "to go on from. Follow a growing log with `…/log/follow`.",
    params: TrialParams,
    query: z.strictObject({
      stream: StreamName.default("stdout"),
      lines: whole({ least: 1, most: 1000, description: "The last lines" }).optional(),
      from: whole({ description: "Bytes from the beginning of the file" }).optional(),
    }).refine(({ lines, from }) => lines === undefined || from === undefined, {
      path: ["from"],
      error: "cannot stand beside lines",
    }),
    answer: LogSchema,
    handle: ({ station, params, query }) =>
      deskWithTrial(station, params).log(params.index, given(query)),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/trials/{index}/metrics",
    tag,
    summary: "What a trial logged, by name",
    params: TrialParams,
    answer: itemsOf(MetricSummarySchema),
    handle: ({ station, params }) => ({
      items: deskWithTrial(station, params).metricNames(params.index),
    }),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/trials/{index}/metrics/{name}",
    tag,
    summary: "One metric: summary and points",
    description: "A slash in the name is written %2F.",
    params: TrialParams.extend({ name: z.string().min(1) }),
    query: z.strictObject({
      lastN: whole({ least: 1, description: "Only the last so many points" }).optional(),
      stepMin: whole().optional(),
      stepMax: whole().optional(),
      sinceSeconds: whole({ description: "Only what was logged in the last so many seconds" })
        .optional(),
      points: whole({ most: 2000, description: "Points beside the summary, thinned evenly" })
        .optional(),
    }),
    answer: MetricSchema,
    handle: ({ station, params: { id, index, name }, query }) =>
      found(
        deskWithTrial(station, { id, index }).metric(index, name, given(query)),
        `metric "${name}" of trial ${index}`,
      ),
  }),
];
