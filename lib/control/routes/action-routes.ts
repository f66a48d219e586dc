import { z } from "@hono/zod-openapi";
import { RefusedError } from "../../base/errors.ts";
import type { Request } from "../../actions/desk.ts";
import { given, Indices, Reason, SweepParams } from "../request-parts.ts";
import { deskOf, documentRoute } from "../route.ts";
import type { Route } from "../route.ts";
import { DoneSchema } from "../schemas.ts";

/** `leave` has a route of its own: DELETE of the sweep. */
type Verb = Exclude<Request["verb"], "leave">;

const chosen = { indices: Indices, reason: Reason };

/** What each verb is given, and what it does in a line. */
const VERBS: Readonly<Record<Verb, readonly [summary: string, body: z.ZodObject]>> = {
  run: [
    "Submit trials: these, or all that are ready, failed or cancelled",
    z.strictObject({ indices: Indices.optional(), force: z.boolean().optional(), reason: Reason }),
  ],
  stop: [
    "Cancel live trials",
    z.strictObject({
      indices: z.union([Indices, z.literal("all")], {
        error: 'must be a list of trials, or "all"',
      }),
      reason: Reason,
    }),
  ],
  pause: ["Let trials save their state and end", z.strictObject(chosen)],
  resume: ["Submit paused or pruned trials again", z.strictObject(chosen)],
  prune: ["End trials that are not worth going on with", z.strictObject(chosen)],
  halve: [
    "Make one pass of successive halving",
    z.strictObject({ dryRun: z.boolean().optional() }),
  ],
  bump: [
    "Ask for more memory or time from now on, by so much per cent or to so much (MiB, seconds)",
    z.strictObject({
      what: z.enum(["memory", "time"]),
      percent: z.number().positive().max(1000).optional(),
      to: z.number().positive().optional(),
      trials: Indices.optional(),
      resubmit: z.boolean().optional(),
      reason: Reason,
    }).refine(({ percent, to }) => (percent === undefined) !== (to === undefined), {
      path: ["percent"],
      error: "give one of percent and to",
    }),
  ],
  halt: [
    "Submit nothing by itself any more; live trials go on",
    z.strictObject({ reason: z.string().min(1).max(2000) }),
  ],
  continue: ["End a halt", z.strictObject({ reason: Reason })],
  confirm: [
    "Answer an open confirmation",
    z.strictObject({ id: z.string().min(1), yes: z.boolean() }),
  ],
  schedule: [
    "Choose when the next tick is due",
    z.strictObject({ seconds: z.number().min(0).max(7 * 24 * 3600) }),
  ],
  tick: ["Make a tick now", z.strictObject({})],
  "acknowledge-prompt": [
    "Say that PROMPT.md was read",
    z.strictObject({
      sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: "must be 64 hex digits" }),
    }),
  ],
};

export const ACTION_ROUTES: readonly Route[] = Object.entries(VERBS).map(
  ([verb, [summary, body]]) =>
    documentRoute({
      method: "post",
      path: `/v1/sweeps/{id}/actions/${verb}`,
      tag: "Actions",
      summary,
      params: SweepParams,
      body,
      answer: DoneSchema,
      failures: ["mistake", "refused", "unreachable", "rejected"],
      async handle({ station, by, params, body }) {
        // The schema of this verb was checked above; the compiler sees only their union.
        const request = { verb, ...given(body) } as unknown as Request;
        const outcome = await deskOf(station, params.id).act(request, by);
        if (outcome.done) {
          const { text, data, warnings } = outcome;
          return { text, data, warnings };
        }
        const { reason, hint, facts } = outcome;
        throw new RefusedError(reason, { facts, ...(hint === undefined ? {} : { hint }) });
      },
    }),
);
