import { z } from "@hono/zod-openapi";
import { prometheusText } from "../prometheus.ts";
import { proofOf } from "../proof.ts";
import { documentRoute, rawRoute } from "../route.ts";
import type { Route } from "../route.ts";

const tag = "Daemon";

export function daemonRoutes({ token }: { token: string }): readonly Route[] {
  return [
    documentRoute({
      method: "get",
      path: "/healthz",
      tag,
      summary: "Whether the daemon answers; needs no token",
      description:
        "With `challenge`, `proof` shows that this is the daemon that has the token: a " +
        "client asks for it before it sends the token to a port.",
      query: z.strictObject({
        challenge: z.string().regex(/^[\w-]{16,128}$/, { error: "must be 16 to 128 letters" })
          .optional(),
      }),
      answer: z.object({ ok: z.boolean(), version: z.string(), proof: z.string().optional() }),
      handle({ station: { version }, query: { challenge } }) {
        const proof = challenge === undefined ? {} : { proof: proofOf(token, challenge) };
        return { ok: true, version, ...proof };
      },
    }),
    documentRoute({
      method: "get",
      path: "/v1/daemon",
      tag,
      summary: "The daemon itself",
      answer: z.object({
        version: z.string(),
        commit: z.string(),
        executable: z.string(),
        host: z.string(),
        pid: z.number(),
        startedAt: z.number(),
        sweeps: z.array(z.string()),
      }),
      handle: ({ station }) => ({
        version: station.version,
        commit: station.commit,
        executable: station.executable,
        host: station.host,
        pid: station.pid,
        startedAt: station.startedAt,
        sweeps: station.desks().map(({ id }) => id),
      }),
    }),
    documentRoute({
      method: "post",
      path: "/v1/shutdown",
      tag,
      summary: "End the daemon; the trials go on",
      body: z.strictObject({ reason: z.string().min(1).max(2000).default("asked over the API") }),
      status: 202,
      answer: z.object({ ending: z.boolean() }),
      failures: ["refused"],
      async handle({ station, by, body }) {
        await station.shutdown(body.reason, by);
        return { ending: true };
      },
    }),
    documentRoute({
      method: "post",
      path: "/v1/restart",
      tag,
      summary: "Become the executable that lies at the daemon's path now; it holds what it held",
      description: "Socket and process stay the same; port and token are told anew.",
      body: z.strictObject({}),
      status: 202,
      answer: z.object({ restarting: z.literal(true), version: z.string() }),
      failures: ["refused"],
      handle: async ({ station, by }) => ({
        restarting: true as const,
        version: await station.restart(by),
      }),
    }),
    rawRoute({
      method: "get",
      path: "/metrics",
      tag,
      summary: "Counters for Prometheus",
      media: "text/plain",
      respond: ({ station, context }) =>
        context.body(prometheusText(station), 200, {
          "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
        }),
    }),
  ];
}
