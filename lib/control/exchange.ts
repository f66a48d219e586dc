import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { RefusedError, SchedulerError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";

/** Where a daemon listens. */
export type Address = { socketPath: string } | { port: number };

export interface Exchange {
  method: string;
  /** Path and query. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | undefined;
  /** Until the head of the answer is there. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * One request over HTTP, its answer as it comes. Throws RefusedError when nobody
 * listens there, SchedulerError "unreachable" when no answer came in time or the
 * connection broke, so that nobody knows what was done.
 */
export function exchange(address: Address, asked: Exchange): Promise<IncomingMessage> {
  const { method, path, headers, body, timeoutMs, signal } = asked;
  const where = "port" in address ? { host: "127.0.0.1", port: address.port } : address;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const sent = request({
      ...where,
      method,
      path,
      // One connection per request: a kept one may be the daemon's of before its restart.
      agent: false,
      headers: {
        ...("port" in address ? {} : { host: "localhost" }),
        ...headers,
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
    });
    const fail = (error: unknown) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      sent.destroy();
      reject(error);
    };
    const stop = () => fail(signal?.reason);
    const timer = setTimeout(
      () => fail(lost(`it did not answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    signal?.addEventListener("abort", stop);
    sent.on("error", (error) => fail(explained(error, address)));
    sent.on("response", (answer) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      resolve(answer);
    });
    sent.end(body);
  });
}

/** The whole body of an answer, as text. */
export async function textOf(answer: IncomingMessage, timeoutMs: number): Promise<string> {
  return Buffer.from(await bytesOf(answer, timeoutMs)).toString("utf8");
}

/** The whole body of an answer. */
export async function bytesOf(answer: IncomingMessage, timeoutMs: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const timer = setTimeout(() => answer.destroy(), timeoutMs);
  try {
    for await (const piece of answer) pieces.push(piece);
  } catch {
    throw lost("the connection broke");
  } finally {
    clearTimeout(timer);
  }
  if (!answer.complete) throw lost("the connection broke");
  return Buffer.concat(pieces);
}

export function addressText(address: Address): string {
  return "port" in address ? `127.0.0.1:${address.port}` : address.socketPath;
}

/** Nobody knows whether the daemon did what it was asked. */
function lost(why: string): SchedulerError {
  return new SchedulerError(
    "unreachable",
    `Cannot tell what the daemon did: ${why}; \`herd status\` shows where things stand`,
  );
}

function explained(error: unknown, address: Address): Error {
  const code = codeOf(error);
  // Deno gives no code for a Unix socket that is not there.
  const nobody = ["ECONNREFUSED", "ENOENT", "ENOTSOCK", "FailedToOpenSocket"].includes(code ?? "");
  if (nobody) return noDaemon(addressText(address));
  if (code === "EACCES" || code === "EPERM") return error as Error;
  return lost(`the connection broke (${code ?? (error as Error).message})`);
}

export function noDaemon(where: string): RefusedError {
  return new RefusedError(`No daemon answers at ${where}`, {
    hint: "`herd monitor` starts it",
    facts: { daemon: "none" },
  });
}
