import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Desk } from "../actions/desk.ts";
import type { ControlEnv } from "./door.ts";
import { RequestError, STATUS_OF } from "./failure.ts";
import type { FailureKind } from "./failure.ts";
import { FailureSchema } from "./schemas.ts";
import type { Station } from "./station.ts";

/** What a handler may give back where a schema says T: the same, and read-only at will. */
export type Readable<T> = T extends readonly (infer E)[] ? readonly Readable<E>[]
  : T extends object ? { readonly [K in keyof T]: Readable<T[K]> }
  : T;

interface Call<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  station: Station;
  by: string;
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
  context: Context<ControlEnv>;
}

interface About<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  method: "get" | "post" | "put" | "delete";
  /** With `{name}` for each of `params`. */
  path: string;
  /** The heading under which it is documented. */
  tag: string;
  summary: string;
  description?: string;
  params?: P;
  query?: Q;
  body?: B;
  status?: 200 | 201 | 202;
  /** What can go wrong beside what can go wrong with every request. */
  failures?: readonly FailureKind[];
}

/** A route that answers with a document. */
interface DocumentRoute<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  A extends z.ZodType,
> extends About<P, Q, B> {
  answer: A;
  handle(call: Call<P, Q, B>): Readable<z.input<A>> | Promise<Readable<z.input<A>>>;
}

/** A route that answers with something else, such as a stream. */
interface RawRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>
  extends About<P, Q, B> {
  media: string;
  respond(call: Call<P, Q, B>): Response | Promise<Response>;
}

/** A route with its types forgotten; what they promise was checked where it was made. */
export interface Route {
  readonly method: string;
  readonly path: string;
  mount(app: OpenAPIHono<ControlEnv>, station: Station): void;
}

export function documentRoute<
  A extends z.ZodType,
  P extends z.ZodType = z.ZodObject<Record<never, never>>,
  Q extends z.ZodType = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(route: DocumentRoute<P, Q, B, A>): Route {
  const content = { "application/json": { schema: route.answer } };
  return made(route, content, async (call) => {
    const document = await route.handle(call);
    return call.context.json(document as object, route.status ?? 200);
  });
}

export function rawRoute<
  P extends z.ZodType = z.ZodObject<Record<never, never>>,
  Q extends z.ZodType = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(route: RawRoute<P, Q, B>): Route {
  const schema = route.media === "application/json" ? z.looseObject({}) : z.string();
  const content = { [route.media]: { schema } };
  return made(route, content, (call) => route.respond(call));
}

function made<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  about: About<P, Q, B>,
  content: Record<string, { schema: z.ZodType }>,
  respond: (call: Call<P, Q, B>) => Response | Promise<Response>,
): Route {
  const { method, path, params, query, body } = about;
  const config: RouteConfig = createRoute({
    method,
    path,
    tags: [about.tag],
    summary: about.summary,
    ...(about.description === undefined ? {} : { description: about.description }),
    ...(path === "/healthz" ? { security: [] } : {}),
    request: {
      ...(params === undefined ? {} : { params: params as never }),
      ...(query === undefined ? {} : { query: query as never }),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { "application/json": { schema: body } } } }),
    },
    responses: {
      [about.status ?? 200]: { description: about.summary, content },
      ...failuresOf(about),
    },
  });
  return {
    method,
    path,
    mount(app, station) {
      app.openapi(config, async (context): Promise<Response> => {
        const part = (target: string, wanted: unknown) =>
          wanted === undefined ? undefined : context.req.valid(target as never);
        return await respond({
          station,
          by: context.get("by"),
          params: part("param", params) as z.output<P>,
          query: part("query", query) as z.output<Q>,
          body: part("json", body) as z.output<B>,
          context,
        });
      });
    },
  };
}

function failuresOf(about: About<z.ZodType, z.ZodType, z.ZodType>) {
  const kinds: FailureKind[] = ["forbidden", "unexpected"];
  if (about.path !== "/healthz") kinds.push("unauthorized");
  if (about.params !== undefined) kinds.push("not-found");
  if (about.params !== undefined || about.query !== undefined) kinds.push("bad-request");
  if (about.body !== undefined) kinds.push("bad-request", "too-large", "media-type", "timeout");
  const byStatus = new Map<number, FailureKind[]>();
  for (const kind of new Set([...kinds, ...about.failures ?? []])) {
    const status = STATUS_OF[kind];
    byStatus.set(status, [...byStatus.get(status) ?? [], kind]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, all]) => [status, {
      description: `Kind ${all.map((kind) => `\`${kind}\``).join(" or ")}`,
      content: { "application/json": { schema: FailureSchema } },
    }]),
  );
}

/** The sweep of that id. Throws when the daemon holds none, and says which it holds. */
export function deskOf(station: Station, id: string): Desk {
  const desk = station.desk(id);
  if (desk !== undefined) return desk;
  const sweeps = station.desks().map((one) => one.id);
  throw new RequestError("not-found", `Cannot find sweep "${id.slice(0, 200)}"`, {
    hint: sweeps.length === 0
      ? "The daemon holds no sweep; `herd monitor` hands one over"
      : `The daemon holds ${sweeps.map((one) => `"${one}"`).join(", ")}`,
    facts: { sweeps },
  });
}

/** What a desk answered about a trial or its parts; undefined is "not found". */
export function found<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new RequestError("not-found", `Cannot find ${what}`);
}
