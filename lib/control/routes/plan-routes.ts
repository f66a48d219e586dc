import { z } from "@hono/zod-openapi";
import { UserError } from "../../base/errors.ts";
import { SweepParams } from "../request-parts.ts";
import { deskOf, documentRoute, found } from "../route.ts";
import type { Route } from "../route.ts";

const tag = "Plan";
const PlanSchema = z.object({ text: z.string() }).openapi("Plan");

export const PLAN_ROUTES: readonly Route[] = [
  documentRoute({
    method: "get",
    path: "/v1/sweeps/{id}/plan",
    tag,
    summary: "MONITOR_PLAN.md as it is now",
    params: SweepParams,
    answer: PlanSchema,
    handle: ({ station, params }) => ({
      text: found(deskOf(station, params.id).plan(), "the plan: the interview is not over"),
    }),
  }),
  documentRoute({
    method: "put",
    path: "/v1/sweeps/{id}/plan",
    tag,
    summary: "Replace MONITOR_PLAN.md; a plan that is not understood is not written",
    params: SweepParams,
    body: z.strictObject({ text: z.string().min(1) }),
    answer: PlanSchema,
    failures: ["mistake", "refused"],
    handle({ station, by, params, body }) {
      const desk = deskOf(station, params.id);
      const wrong = desk.writePlan(body.text, by);
      if (wrong !== undefined) {
        throw new UserError(wrong, { hint: "GET the same path for the plan in force" });
      }
      return { text: desk.plan() ?? body.text };
    },
  }),
];
