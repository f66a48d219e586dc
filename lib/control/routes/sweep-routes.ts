import { z } from "@hono/zod-openapi";
import { given, PageQuery, SweepParams, truth, whole } from "../request-parts.ts";
import { deskOf, documentRoute, found } from "../route.ts";
import type { Route } from "../route.ts";
import { BudgetSchema, InfoSchema, itemsOf, LooseSchema, TickSchema } from "../schemas.ts";

const tag = "Sweeps";

/** What `herd … --json` prints is an object, whatever its keys. */
function document(value: object): Readonly<Record<string, unknown>> {
  return value as Readonly<Record<string, unknown>>;
}

export const SWEEP_ROUTES: readonly Route[] = [
  documentRoute({
    method: "get",
    path: "/v1/sweeps",
    tag,
    summary: "The sweeps that the daemon holds",
    answer: itemsOf(InfoSchema),
    handle: ({ station }) => ({ items: station.desks().map((desk) => desk.info()) }),
  }),
  documentRoute({
    method: "post",
    path: "/v1/sweeps",
    tag,
    summary: "Hand a further sweep over",
    description: "Done when the daemon holds it. `env` is the environment of the sweep's trials " +
      "and agent, as a shell would give it; nothing of it is logged.",
    body: z.strictObject({
      path: z.string().startsWith("/", { error: "must be an absolute path" }).max(4096),
      env: z.record(z.string(), z.string()).default({}),
      options: z.strictObject({
        noAgent: z.boolean().optional(),
        message: z.string().max(100_000).optional(),
      }).optional(),
    }),
    status: 201,
    answer: InfoSchema,
    failures: ["mistake", "refused"],
    async handle({ station, by, body: { path, env, options } }) {
      const more = options === undefined ? {} : { options: given(options) };
      return (await station.hold({ path, env, ...more }, by)).info();
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}",
    tag,
    summary: "One sweep: phase, ticks, spending, open questions",
    params: SweepParams,
    answer: InfoSchema,
    handle: ({ station, params }) => deskOf(station, params.id).info(),
  }),
  documentRoute({
    method: "delete",
    path: "/v1/sweeps/{id}",
    tag,
    summary: "End the monitor of a sweep; its trials go on",
    params: SweepParams,
    answer: z.object({ released: z.string() }),
    failures: ["refused"],
    async handle({ station, by, params: { id } }) {
      deskOf(station, id);
      await station.release(id, by);
      return { released: id };
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/results",
    tag,
    summary: "What trials logged, as `herd res --json` prints it",
    params: SweepParams,
    query: z.strictObject({
      best: truth("Ranked, as with --best").optional(),
      metric: z.string().optional(),
      ...PageQuery,
    }),
    answer: LooseSchema,
    failures: ["mistake", "nothing"],
    handle: ({ station, params, query }) =>
      document(deskOf(station, params.id).results(given(query))),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/stats",
    tag,
    summary: "Memory, time and processors used, as `herd stats --json` prints it",
    params: SweepParams,
    query: z.strictObject({ index: whole({ description: "Only this trial" }).optional() }),
    answer: LooseSchema,
    failures: ["mistake", "nothing"],
    handle: ({ station, params, query }) => document(deskOf(station, params.id).stats(query.index)),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/efficiency",
    tag,
    summary: "Shares of what was asked for that were used, and advice",
    params: SweepParams,
    answer: LooseSchema,
    handle: ({ station, params }) => document(deskOf(station, params.id).efficiency()),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/parameters",
    tag,
    summary: "Parameters, grid and conditions, and each planned trial's values",
    params: SweepParams,
    query: z.strictObject(PageQuery),
    answer: LooseSchema,
    failures: ["mistake"],
    handle: ({ station, params, query }) =>
      document(deskOf(station, params.id).parameters(given(query))),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/queue",
    tag,
    summary: "Why trials wait and when they may start; asks the scheduler",
    params: SweepParams,
    answer: LooseSchema,
    failures: ["unreachable", "rejected"],
    handle: async ({ station, params }) => document(await deskOf(station, params.id).queue()),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/ticks",
    tag,
    summary: "The last ticks, newest last",
    params: SweepParams,
    query: z.strictObject({ limit: PageQuery.limit }),
    answer: itemsOf(TickSchema),
    handle: ({ station, params, query }) => ({
      items: deskOf(station, params.id).ticks(given(query)),
    }),
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/budget",
    tag,
    summary: "What the agent cost, and how much it may cost, in US dollars",
    params: SweepParams,
    answer: BudgetSchema,
    handle({ station, params }) {
      const { spent, budget } = deskOf(station, params.id).info();
      return { spent, limits: budget };
    },
  }),
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/prompt",
    tag,
    summary: "PROMPT.md as it is now, and whether it was acknowledged",
    params: SweepParams,
    answer: z.object({ text: z.string(), sha256: z.string(), seen: z.boolean() }),
    handle: ({ station, params }) => found(deskOf(station, params.id).userPrompt(), "PROMPT.md"),
  }),
];
