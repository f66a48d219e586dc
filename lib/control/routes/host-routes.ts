import { z } from "@hono/zod-openapi";
import { documentRoute } from "../route.ts";
import type { Route } from "../route.ts";

const tag = "Hosts";

const HostSchema = z.object({
  name: z.string(),
  state: z.string(),
  since: z.number().nullable(),
  detail: z.string().nullable(),
  hint: z.string().nullable(),
  retry_at: z.number().nullable(),
  user: z.string().nullable(),
  address: z.string().nullable(),
  port: z.number().nullable(),
  jumps: z.array(z.string()),
  method: z.string().nullable(),
  latency_ms: z.number().nullable(),
  question: z.object({
    id: z.string(),
    kind: z.string(),
    title: z.string(),
    prompt: z.string(),
    echo: z.boolean(),
    attempt: z.number(),
    asked_at: z.number(),
  }).nullable(),
  sweeps: z.array(
    z.object({ id: z.string(), path: z.string(), totals: z.record(z.string(), z.number()) }),
  ),
}).openapi("Host");

export const HOST_ROUTES: readonly Route[] = [
  documentRoute({
    method: "get",
    path: "/v1/hosts",
    tag,
    summary: "The computers behind ssh that its sweeps use, and what their logins ask",
    answer: z.object({ items: z.array(HostSchema) }),
    handle: async ({ station }) => ({ items: [...await station.hosts()] }),
  }),
  documentRoute({
    method: "post",
    path: "/v1/hosts/{host}/answer",
    tag,
    summary: "Log in there: begin, or answer what the login asks",
    description:
      "Without `answer` a login begins and is answered by hand: the document that comes " +
      "back has its `question` while `state` is `connecting`. With `answer` the open question is " +
      "answered, or a login begins that uses it; null gives up. What is answered is written nowhere.",
    params: z.object({ host: z.string().min(1).max(500) }),
    body: z.strictObject({
      question: z.string().max(100).optional(),
      answer: z.string().max(10_000).nullable().optional(),
    }),
    answer: HostSchema,
    failures: ["refused", "nothing"],
    handle: ({ station, params: { host }, body }) => station.answerHost(host, body),
  }),
];
