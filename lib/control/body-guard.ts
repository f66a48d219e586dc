import type { Context, MiddlewareHandler } from "hono";
import type { ControlEnv } from "./door.ts";
import { RequestError } from "./failure.ts";

export interface BodyLimits {
  /** Bytes. */
  most: number;
  /** Milliseconds from the first to the last byte: a client that dribbles is not waited for. */
  withinMs: number;
}

/** What takes bytes as they are, see routes/pool-routes.ts. */
const FILE_PATH = /^\/v1\/pool\/workers\/[^/]+\/files$/;
const WITH_BODY = ["POST", "PUT", "PATCH"];

/**
 * Reads the body whole before anybody looks at it: JSON only, not too large, not
 * too slow. An absent body counts as `{}`.
 */
export function createBodyGuard(
  limitsOf: (path: string) => BodyLimits,
): MiddlewareHandler<ControlEnv> {
  return async (context, next) => {
    if (!WITH_BODY.includes(context.req.method)) return await next();
    const limits = limitsOf(context.req.path);
    const told = Number(context.req.header("content-length") ?? 0);
    if (told > limits.most) throw tooLarge(context, limits.most);
    const bytes = await readBody(context, limits);
    const type = context.req.header("content-type");
    const isFile = FILE_PATH.test(context.req.path) && type === "application/octet-stream";
    if (!isFile && bytes.length > 0 && !/^application\/json\s*(;|$)/i.test(type ?? "")) {
      throw new RequestError(
        "media-type",
        `Cannot read the body: its type is ${type === undefined ? "not told" : `"${type}"`}`,
        { hint: "Send JSON with Content-Type: application/json" },
      );
    }
    const { url, method, headers } = context.req.raw;
    const kept = new Headers(headers);
    if (!isFile) kept.set("content-type", "application/json");
    kept.delete("content-length");
    kept.delete("transfer-encoding");
    const body = bytes.length === 0 && !isFile ? "{}" : bytes;
    context.req.raw = new Request(url, { method, headers: kept, body });
    return await next();
  };
}

async function readBody(
  context: Context<ControlEnv>,
  { most, withinMs }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = context.req.raw.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), withinMs);
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const got = await Promise.race([reader.read(), late.promise]);
      if (got === "late") throw tooSlow(context, withinMs);
      if (got.done) return new Uint8Array(Buffer.concat(pieces));
      size += got.value.length;
      if (size > most) throw tooLarge(context, most);
      pieces.push(got.value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(context: Context<ControlEnv>, most: number): RequestError {
  hangUpAfterwards(context);
  return new RequestError("too-large", `Cannot read the body: it has more than ${most} bytes`);
}

function tooSlow(context: Context<ControlEnv>, withinMs: number): RequestError {
  hangUpAfterwards(context);
  return new RequestError(
    "timeout",
    `Cannot read the body: it was not there after ${withinMs / 1000} s`,
  );
}

/** What else the client sends would be read as its next request. */
function hangUpAfterwards(context: Context<ControlEnv>): void {
  context.header("Connection", "close");
}
