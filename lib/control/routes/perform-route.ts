import { z } from "@hono/zod-openapi";
import { SweepParams } from "../request-parts.ts";
import { deskOf, documentRoute } from "../route.ts";
import type { Route } from "../route.ts";
import { decodeWire, encodeWire } from "../wire.ts";

export const PERFORM_ROUTE: Route = documentRoute({
  method: "post",
  path: "/v1/sweeps/{id}/perform",
  tag: "Internal",
  summary: "Carry out an action of herd's own command line",
  description: "Of the same version of herd only: `action` and `result` are what the program has " +
    "in memory, with marks for what JSON cannot say. Others use the actions above.",
  params: SweepParams,
  body: z.strictObject({ action: z.looseObject({ verb: z.string() }) }),
  answer: z.object({ result: z.unknown() }),
  failures: ["mistake", "refused", "nothing", "unreachable", "rejected"],
  async handle({ station, by, params, body }) {
    deskOf(station, params.id);
    const action = decodeWire(body.action);
    return { result: encodeWire(await station.perform(params.id, action, by)) };
  },
});
