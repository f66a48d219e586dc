import { z } from "@hono/zod-openapi";
import { RequestError } from "../failure.ts";
import { documentRoute } from "../route.ts";
import type { Route } from "../route.ts";
import { LooseSchema } from "../schemas.ts";

const tag = "Broker";

export const BROKER_ROUTES: readonly Route[] = [
  documentRoute({
    method: "get",
    path: "/v1/broker",
    tag,
    summary: "Bots, conversations, turns",
    answer: z.object({
      bots: z.array(LooseSchema),
      missing: z.array(z.object({ name: z.string(), why: z.string() })),
      mistake: z.string().nullable(),
    }),
    failures: ["not-found"],
    handle({ station }) {
      const status = station.broker();
      if (status !== undefined) {
        const { bots, missing, mistake } = status;
        return { bots: bots.map((one) => ({ ...one })), missing: [...missing], mistake };
      }
      throw new RequestError("not-found", "Cannot tell of the broker: this daemon runs none", {
        hint: "`herd broker start` opens it",
      });
    },
  }),
  documentRoute({
    method: "post",
    path: "/v1/broker/start",
    tag,
    summary: "Open the broker in this daemon, and keep the daemon for it",
    body: z.strictObject({}),
    answer: z.object({ done: z.literal(true) }),
    failures: ["refused"],
    async handle({ station }) {
      await station.startBroker();
      return { done: true } as const;
    },
  }),
];
