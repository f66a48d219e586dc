import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ControlEnv } from "./door.ts";

/** The API described in OpenAPI 3.1, made from the same schemas that check requests. */
export function openApiDocument(app: OpenAPIHono<ControlEnv>, version: string) {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "herd",
      version,
      description: "The daemon of `herd monitor`, on 127.0.0.1 and a Unix socket. Times are " +
        "milliseconds since the epoch, money is US dollars.",
    },
    security: [{ token: [] }],
  });
  document.components = {
    ...document.components,
    securitySchemes: {
      token: { type: "http", scheme: "bearer", description: "What the daemon's token file holds" },
    },
  };
  return document;
}
