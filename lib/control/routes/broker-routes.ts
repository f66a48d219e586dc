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
    answer: z.object({ bots: z.array(LooseSchema) }),
    failures: ["not-found"],
    handle({ station }) {
      const status = station.broker();
      if (status !== undefined) return { bots: status.bots.map((one) => ({ ...one })) };
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
