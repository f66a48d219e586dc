import { z } from "@hono/zod-openapi";
import { answerSlash } from "../../slash/run.ts";
import { RequestError } from "../failure.ts";
import { SweepParams } from "../request-parts.ts";
import { deskOf, documentRoute } from "../route.ts";
import type { Route } from "../route.ts";

export const SLASH_ROUTES: readonly Route[] = [
  documentRoute({
    method: "post",
    path: "/v1/sweeps/{id}/slash",
    tag: "Messages",
    summary: "Carry out a slash command and answer in words",
    description: "What `/status` and the others do in every channel: deterministic, no model is " +
      "called. A mistake in the command is an answer, too. `code`: columns matter.",
    params: SweepParams,
    body: z.strictObject({
      text: z.string().trim().min(1).max(10_000).openapi({ example: "/status 2" }),
    }),
    answer: z.object({
      text: z.string(),
      code: z.boolean(),
      attachment: z.object({ name: z.string(), text: z.string() }).optional()
        .openapi({ description: "The whole of what the text shows a part of" }),
    }),
    failures: ["refused"],
    async handle({ station, by, params, body: { text } }) {
      const answer = await answerSlash(deskOf(station, params.id), text, by);
      if (answer !== undefined) return answer;
      throw new RequestError("bad-request", `Cannot carry out "${text}": it is no slash command`);
    },
  }),
];
