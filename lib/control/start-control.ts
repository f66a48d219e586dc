import { chmodSync } from "node:fs";
import { createServer } from "node:http";
import type { Server, ServerOptions, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { ControlApp } from "./app.ts";
import type { Door } from "./door.ts";
import { failureOf, RequestError, STATUS_OF } from "./failure.ts";
import { assertSocketPath, clearSocket } from "./unix-socket.ts";

export interface ControlParts {
  app: ControlApp;
  /** In a folder that is ours alone. */
  socketPath: string;
  /** 0, the default: a free one. */
  port?: number;
  host?: "127.0.0.1" | "::1";
  /** Told what the servers themselves stumble over. */
  onError(error: unknown): void;
}

export interface Control extends AsyncDisposable {
  port: number;
  socketPath: string;
  /** Ends streams, waits a little for what is being answered, and stops listening. */
  close(): Promise<void>;
}

/** So long answers that are on their way are waited for. */
const FINISH_MS = 5000;

/** So long a client may take to hang up after its answer. */
const HANG_UP_MS = 300;

/** Connections at once; each costs a file descriptor, of which login nodes grant few. */
const MOST_CONNECTIONS = 200;

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 5000,
};

/**
 * Opens the API on the loopback and on a Unix socket. Throws RefusedError where
 * another daemon listens, UserError where the socket's path is too long.
 */
export async function startControl(parts: ControlParts): Promise<Control> {
  assertSocketPath(parts.socketPath);
  await clearSocket(parts.socketPath);
  const closing = new AbortController();
  const pending = new Set<Promise<unknown>>();
  const tcp = createDoor(parts, { kind: "tcp", port: 0, closing: closing.signal }, pending);
  const unix = createDoor(parts, { kind: "unix", port: 0, closing: closing.signal }, pending);
  try {
    await listen(tcp.server, { port: parts.port ?? 0, host: parts.host ?? "127.0.0.1" });
    tcp.door.port = (tcp.server.address() as AddressInfo).port;
    await listen(unix.server, { path: parts.socketPath });
    chmodSync(parts.socketPath, 0o600);
  } catch (error) {
    await Promise.all([tcp.stop(), unix.stop()]);
    throw error;
  }
  let closed: Promise<void> | undefined;

  async function close(): Promise<void> {
    closing.abort();
    // They listen to the last: a daemon that starts meanwhile is to see that this one still works.
    await within(FINISH_MS, Promise.allSettled([...pending]));
    await within(HANG_UP_MS, Promise.all([tcp.letGo(), unix.letGo()]));
    await Promise.all([tcp.stop(), unix.stop()]);
  }

  const closeOnce = () => closed ??= close();
  return {
    port: tcp.door.port,
    socketPath: parts.socketPath,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function createDoor(parts: ControlParts, door: Door, pending: Set<Promise<unknown>>) {
  const answer = getRequestListener(
    (request, env) => parts.app.fetch(request, { ...env, door }),
    { overrideGlobalObjects: false, errorHandler: (error) => unreadable(error, parts.onError) },
  );
  const server = createServer(SERVER_OPTIONS, (incoming, outgoing) => {
    const written = new Promise((resolve) => {
      outgoing.once("finish", resolve).once("close", resolve);
    });
    pending.add(written);
    written.finally(() => pending.delete(written));
    return door.closing.aborted ? turnAway(outgoing) : answer(incoming, outgoing);
  });
  const sockets = new Set<Socket>();
  server.maxConnections = MOST_CONNECTIONS;
  server.on("error", parts.onError);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  let gone: Promise<void> | undefined;

  /** No new connections; those without a request end. Resolves when the last has ended. */
  function letGo(): Promise<void> {
    gone ??= new Promise((resolve) => {
      if (!server.listening) return resolve();
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    return gone;
  }

  async function stop(): Promise<void> {
    const ended = letGo();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await within(FINISH_MS, ended);
  }

  return { server, door, letGo, stop };
}

function turnAway(outgoing: ServerResponse): void {
  const failure = failureOf(new RequestError("interrupted", "Cannot answer: the daemon is ending"));
  outgoing.writeHead(503, { "Content-Type": "application/json", "Connection": "close" });
  outgoing.end(JSON.stringify(failure));
}

/** What is no request at all, such as a Host header with a slash in it. */
function unreadable(error: unknown, onError: (error: unknown) => void): Response {
  const ours = (error as Error | undefined)?.name !== "RequestError";
  if (ours) onError(error);
  const kind = ours ? "unexpected" : "bad-request";
  const message = ours ? "Cannot answer" : `Cannot read the request: ${(error as Error).message}`;
  const failure = failureOf(new RequestError(kind, message));
  return Response.json(failure, { status: STATUS_OF[kind] });
}

function listen(server: Server, where: { port: number; host: string } | { path: string }) {
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

async function within(ms: number, what: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([what, promise]);
  clearTimeout(timer);
}
