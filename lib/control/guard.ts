import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { ControlEnv, Door } from "./door.ts";
import { RequestError } from "./failure.ts";

export interface GuardParts {
  token: string;
  /** Values of the Host header that are ours beside the loopback's, such as `localhost:8000` of a tunnel. */
  allowedHosts: readonly string[];
  /** Login name, for `by`. */
  user: string;
  /** Whose secret it is, where it is a worker's. */
  worker?: (secret: string) => string | undefined;
}

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** Doors of ours that a client may name, so that the journal says `cli:alice` and not `api:alice`. */
const WAYS = ["api", "cli", "mcp", "page"];

/** What needs no token: whether somebody is at home. */
const OPEN_PATH = "/healthz";
/** What a one-time code opens. */
const ENROL_PATH = "/v1/pool/enrol";
/** What a worker may do, with its own name in the path. */
const WORKER_PATH = /^\/v1\/pool\/workers\/([^/]+)\/(?:exchange|files|relay)(?:\/|$)/;

/**
 * Lets in who came to our own address (a page that rebinds a name to 127.0.0.1 did
 * not), from no other page, with the token. In this order: nothing is told before.
 */
export function createGuard(parts: GuardParts): MiddlewareHandler<ControlEnv> {
  const wanted = digest(parts.token);
  return async (context, next) => {
    const { req, env } = context;
    const host = req.header("host") ?? "";
    refuseHost(host, env?.door, parts.allowedHosts);
    refusePage(host, env?.door, req.header("origin"), req.header("sec-fetch-site"));
    const worker = workerOf(req.path, req.header("authorization"), parts);
    const isOpen = req.path === OPEN_PATH || req.path === ENROL_PATH || worker !== undefined;
    if (!isOpen) refuseStranger(req.header("authorization"), wanted);
    context.set(
      "by",
      worker === undefined
        ? `${wayOf(req.header("x-herd-way"))}:${parts.user}`
        : `worker:${worker}`,
    );
    await next();
    context.header("Cache-Control", "no-store");
    context.header("X-Content-Type-Options", "nosniff");
  };
}

function refuseHost(host: string, door: Door | undefined, allowed: readonly string[]): void {
  // Nobody but us reaches the socket, and what a client calls it is of no account.
  if (door?.kind === "unix" || allowed.includes(host)) return;
  // A rebound name is not of these, whatever its port; a tunnel has a port of its own at its other end.
  const [, name = "", port] = /^(.*):(\d{1,5})$/.exec(host.toLowerCase()) ?? [];
  if (door !== undefined && port !== undefined && LOOPBACK.includes(name)) return;
  throw new RequestError("forbidden", `Cannot answer under the name "${host.slice(0, 100)}"`, {
    hint: `Ask for ${door === undefined ? "our own address" : `127.0.0.1:${door.port}`}`,
  });
}

function refusePage(
  host: string,
  door: Door | undefined,
  origin: string | undefined,
  site: string | undefined,
): void {
  const own = door?.kind !== "unix" && origin === `http://${host}`;
  const foreign = site !== undefined && site !== "same-origin" && site !== "none";
  if ((origin === undefined || own) && !foreign) return;
  throw new RequestError("forbidden", "Cannot answer a page of another site");
}

function refuseStranger(header: string | undefined, wanted: Uint8Array): void {
  const given = /^Bearer +([^\s]+)\s*$/i.exec(header ?? "")?.[1];
  // Digests have one length, so that the comparison takes one time whatever was given.
  if (given !== undefined && timingSafeEqual(digest(given), wanted)) return;
  const found = header === undefined ? "there is none" : "it is not the daemon's";
  throw new RequestError("unauthorized", `Cannot accept the token: ${found}`, {
    hint: 'Send "Authorization: Bearer TOKEN"; `herd api --curl PATH` prints the whole line',
  });
}

/** The worker that asks in its own name; undefined for everybody else. */
function workerOf(
  path: string,
  header: string | undefined,
  { worker }: GuardParts,
): string | undefined {
  const named = WORKER_PATH.exec(path)?.[1];
  const secret = /^Bearer +([^\s]+)\s*$/i.exec(header ?? "")?.[1];
  if (named === undefined || secret === undefined) return undefined;
  const known = worker?.(secret);
  return known !== undefined && known === decodeURIComponent(named) ? known : undefined;
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function wayOf(told: string | undefined): string {
  return told !== undefined && WAYS.includes(told) ? told : "api";
}
