import { OpenAPIHono } from "@hono/zod-openapi";
import type { z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { createBodyGuard } from "./body-guard.ts";
import type { ControlEnv } from "./door.ts";
import { STREAM_TIMING } from "./event-stream.ts";
import type { StreamTiming } from "./event-stream.ts";
import { failureOf, RequestError, STATUS_OF } from "./failure.ts";
import { createGuard } from "./guard.ts";
import { openApiDocument } from "./open-api.ts";
import { rawRoute } from "./route.ts";
import type { Route } from "./route.ts";
import { ACTION_ROUTES } from "./routes/action-routes.ts";
import { BROKER_ROUTES } from "./routes/broker-routes.ts";
import { HOST_ROUTES } from "./routes/host-routes.ts";
import { daemonRoutes } from "./routes/daemon-routes.ts";
import { POOL_ROUTES } from "./routes/pool-routes.ts";
import { TASK_ROUTES } from "./routes/task-routes.ts";
import { TRIAL_TASK_ROUTES } from "./routes/trial-task-routes.ts";
import { MESSAGE_ROUTES } from "./routes/message-routes.ts";
import { PERFORM_ROUTE } from "./routes/perform-route.ts";
import { PLAN_ROUTES } from "./routes/plan-routes.ts";
import { streamRoutes } from "./routes/stream-routes.ts";
import { SWEEP_ROUTES } from "./routes/sweep-routes.ts";
import { SLASH_ROUTES } from "./routes/slash-routes.ts";
import { TRIAL_ROUTES } from "./routes/trial-routes.ts";
import type { Station } from "./station.ts";

export type ControlApp = OpenAPIHono<ControlEnv>;

export interface ControlAppOptions {
  token: string;
  /** Host headers that are ours beside 127.0.0.1, localhost and [::1] with the port. */
  allowedHosts: readonly string[];
  /** Login name of the daemon's user: who asks is `api:NAME` in the journal. */
  user: string;
  /** Told what went wrong inside the daemon; the client gets a sentence. */
  onError?: (error: unknown, request: { method: string; path: string }) => void;
  timing?: Partial<StreamTiming>;
  /** Bytes and milliseconds that the body of a request may take. */
  body?: { most?: number; withinMs?: number };
}

/** 1 MiB: a plan, a message, a list of trials. */
const MOST_BODY = 1 << 20;

/** An action of the command line carries the sweep's trials: some hundred bytes each, 100,000 of them. */
const MOST_ACTION = 128 << 20;

const BODY_WITHIN_MS = 20_000;

/** The API as a web application: give its `fetch` requests, or start it with `startControl`. */
export function createControlApp(station: Station, options: ControlAppOptions): ControlApp {
  const app: ControlApp = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw badRequest(result.target, result.error);
    },
  });
  const routes = [...routesOf(options), descriptionRoute(app)];
  app.onError((error, context) => {
    const known = error instanceof HTTPException ? malformed(error) : error;
    const failure = failureOf(known);
    const status = STATUS_OF[failure.error.kind];
    if (status === 500) options.onError?.(error, context.req);
    if (status === 401) context.header("WWW-Authenticate", "Bearer");
    return context.json(failure, status, { "Cache-Control": "no-store" });
  });
  app.notFound(({ req }) => {
    throw unknownPath(req.method, req.path, routes);
  });
  app.use(createGuard({ ...options, worker: (secret) => station.pool()?.knows(secret) }));
  app.use(createBodyGuard((path) => ({
    most: options.body?.most ?? (path.endsWith("/perform") ? MOST_ACTION : MOST_BODY),
    withinMs: options.body?.withinMs ?? BODY_WITHIN_MS,
  })));
  for (const route of routes) route.mount(app, station);
  return app;
}

function routesOf(options: ControlAppOptions): readonly Route[] {
  return [
    ...daemonRoutes(options),
    ...SWEEP_ROUTES,
    ...TRIAL_ROUTES,
    ...ACTION_ROUTES,
    ...MESSAGE_ROUTES,
    ...PLAN_ROUTES,
    ...streamRoutes({ ...STREAM_TIMING, ...options.timing }, options.onError ?? (() => {})),
    ...SLASH_ROUTES,
    ...POOL_ROUTES,
    ...TASK_ROUTES,
    ...TRIAL_TASK_ROUTES,
    ...BROKER_ROUTES,
    ...HOST_ROUTES,
    PERFORM_ROUTE,
  ];
}

function descriptionRoute(app: ControlApp): Route {
  return rawRoute({
    method: "get",
    path: "/openapi.json",
    tag: "Daemon",
    summary: "This description",
    media: "application/json",
    respond: ({ station, context }) => context.json(openApiDocument(app, station.version)),
  });
}

const PLACES: Readonly<Record<string, string>> = { json: "body", param: "path", query: "query" };

/** Names each field that is wrong. */
function badRequest(target: string, error: z.core.$ZodError): RequestError {
  const where = PLACES[target] ?? target;
  const fields = error.issues.slice(0, 20).map(({ path, message, ...issue }) => {
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
    const field = [...path, ...keys.slice(0, 1)].join(".");
    return { in: where, field, message: keys.length > 0 ? "is not known" : message };
  });
  const [first] = fields;
  const name = first === undefined || first.field === "" ? "" : ` "${first.field}"`;
  return new RequestError(
    "bad-request",
    `Cannot read the ${where}: field${name}: ${first?.message ?? "it is malformed"}`,
    { hint: "/openapi.json says what each route takes", facts: { fields } },
  );
}

function malformed(error: HTTPException): RequestError {
  return error.status === 400
    ? new RequestError("bad-request", "Cannot read the body: it is no JSON")
    : new RequestError(error.status === 415 ? "media-type" : "unexpected", error.message);
}

function unknownPath(method: string, path: string, routes: readonly Route[]): RequestError {
  const there = routes.filter((route) => pattern(route.path).test(path));
  const allowed = [...new Set(there.map((route) => route.method.toUpperCase()))];
  if (allowed.length === 0) {
    return new RequestError("not-found", `Cannot find "${path.slice(0, 200)}"`, {
      hint: "/openapi.json lists every path",
    });
  }
  return new RequestError("method", `Cannot ${method} "${path.slice(0, 200)}"`, {
    hint: `It takes ${allowed.join(" and ")}`,
    facts: { allowed },
  });
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
