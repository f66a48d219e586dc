import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ControlEnv } from "../door.ts";
import { eventStream } from "../event-stream.ts";
import type { StreamTiming } from "../event-stream.ts";
import { RequestError } from "../failure.ts";
import { journalFrames } from "../journal-frames.ts";
import { logFrames } from "../log-frames.ts";
import { AfterQuery, SweepParams, TrialParams, whole } from "../request-parts.ts";
import { deskOf, rawRoute } from "../route.ts";
import type { Route } from "../route.ts";
import type { Station } from "../station.ts";
import { deskWithTrial, StreamName } from "./trial-routes.ts";

const tag = "Streams";
const media = "text/event-stream";

/** What the client saw last wins over where it once began: a browser keeps the query when it reconnects. */
function placeOf(context: Context<ControlEnv>, after: number | undefined): number | undefined {
  const last = context.req.header("last-event-id");
  if (last === undefined || last === "") return after;
  if (/^\d{1,15}$/.test(last)) return Number(last);
  throw new RequestError("bad-request", 'Cannot read header "Last-Event-ID": it is no number');
}

export function streamRoutes(
  timing: StreamTiming,
  onError: (error: unknown, request: { method: string; path: string }) => void,
): readonly Route[] {
  const answer = (
    context: Context<ControlEnv>,
    source: (signal: AbortSignal) => AsyncGenerator<string>,
  ) => {
    const told = (error: unknown) => onError(error, context.req);
    return eventStream(context, { stallMs: timing.stallMs, onError: told }, source);
  };
  return [
    rawRoute({
      method: "get",
      path: "/v1/sweeps/{id}/events",
      tag,
      summary: "Every event of the sweep as it is written, and passing notices",
      description: "Events come as `message`, with their sequence number as id; go on after a " +
        "break with `Last-Event-ID` or `after`, from the beginning with `after=0`. Notices come " +
        "as `notice` without id and are not repeated. `end` says that no more will come.",
      params: SweepParams,
      query: z.strictObject({
        ...AfterQuery,
        types: z.string().transform((text) => text.split(","))
          .openapi({
            type: "string",
            example: "said,ticked",
            description: "Only events of these types",
          }).optional(),
      }),
      media,
      respond({ station, params: { id }, query, context }) {
        const desk = deskOf(station, id);
        const after = placeOf(context, query.after);
        const standing = standingOf(station, id);
        const following = { desk, after, types: query.types, ...standing, ...timing };
        return answer(context, (signal) => journalFrames(following, signal));
      },
    }),
    rawRoute({
      method: "get",
      path: "/v1/sweeps/{id}/trials/{index}/log/follow",
      tag,
      summary: "The end of a log and what is written to it from then on",
      description: "The id of each frame is the place behind its text, in bytes. `reset`: the " +
        "file became shorter and comes again from its beginning.",
      params: TrialParams,
      query: z.strictObject({
        stream: StreamName.default("stdout"),
        lines: whole({ least: 1, most: 1000, description: "The last lines first" }).optional(),
        ...AfterQuery,
      }),
      media,
      respond({ station, params, query, context }) {
        const desk = deskWithTrial(station, params);
        const from = placeOf(context, query.after);
        const standing = standingOf(station, params.id);
        const { stream, lines } = query;
        const following = { desk, index: params.index, stream, from, lines, ...standing, timing };
        return answer(context, (signal) => logFrames(following, signal));
      },
    }),
  ];
}

/** Whether the sweep is still the one that it is now. */
function standingOf(station: Station, id: string) {
  const desk = station.desk(id);
  return {
    isHeld: () => station.desk(id) === desk,
    isRestarting: () => station.isRestarting,
  };
}
