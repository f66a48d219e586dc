import { request as requestPlain } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as requestSecure } from "node:https";
import { codeOf } from "../base/files.ts";
import type { FileState, WorkerOrders, WorkerReport } from "./exchange.ts";
import { z } from "../base/schema.ts";
import { MOST_BYTES, readWorkerOrders } from "./exchange-schema.ts";
import { LinkError } from "./worker-link.ts";
import type { WorkerLink } from "./worker-link.ts";

export interface HttpLinkParts {
  /** A daemon's socket, or where its API is: `http://127.0.0.1:8674`. */
  base: { socketPath: string } | { url: string };
  worker: string;
  /** Sent as a header and named nowhere else. */
  secret: string;
  /** Beside `waitMs`, for the answer to come. Milliseconds. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 20_000;
/** A piece of a file over a slow tunnel. */
const PIECE_MS = 60_000;
const FILE_STATE = z.object({ received: z.number().int().min(0), whole: z.boolean() });

/** Reaches the coordinator through the daemon's API, at its socket or over TCP. */
export function createHttpLink(parts: HttpLinkParts): WorkerLink {
  const { worker, secret, timeoutMs = TIMEOUT_MS } = parts;
  const base = `/v1/pool/workers/${encodeURIComponent(worker)}`;

  async function ask<T>(
    { path, body, withinMs, signal }: {
      path: string;
      body: string | Uint8Array;
      withinMs: number;
      signal: AbortSignal;
    },
    read: (status: number, text: string) => T,
  ): Promise<T> {
    signal.throwIfAborted();
    const limit = AbortSignal.timeout(withinMs);
    const either = AbortSignal.any([signal, limit]);
    try {
      const answer = await send(placeOf(parts.base, `${base}${path}`), secret, body, either);
      return read(answer.statusCode ?? 0, await textOf(answer, either));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LinkError) throw error;
      throw new LinkError(
        "unreachable",
        limit.aborted
          ? `The daemon did not answer within ${withinMs / 1000} s`
          : `Cannot reach the daemon: ${codeOf(error) ?? (error as Error).message}`,
      );
    }
  }

  return {
    exchange(report, { signal, waitMs }) {
      const path = `/exchange?wait=${Math.floor(waitMs / 1000)}`;
      const asked = { path, body: JSON.stringify(report), withinMs: waitMs + timeoutMs, signal };
      return ask(asked, (status, text) => judge(status, text, report));
    },
    send({ task, epoch, path, from, bytes, gone }, signal) {
      const query = new URLSearchParams({ task, epoch: `${epoch}`, path, from: `${from}` });
      if (gone === true) query.set("gone", "true");
      const asked = { path: `/files?${query}`, body: bytes, withinMs: PIECE_MS, signal };
      return ask(asked, readFileState);
    },
  };
}

function readFileState(status: number, text: string): FileState {
  if (status !== 200) throw new LinkError("refused", `The daemon answered with status ${status}`);
  try {
    return FILE_STATE.parse(JSON.parse(text));
  } catch {
    throw new LinkError("unreadable", "Cannot read the daemon's answer to a file");
  }
}

interface Place extends RequestOptions {
  secure: boolean;
}

function placeOf(base: HttpLinkParts["base"], path: string): Place {
  if ("socketPath" in base) {
    return { socketPath: base.socketPath, path, headers: { host: "localhost" }, secure: false };
  }
  const url = new URL(base.url);
  const secure = url.protocol === "https:";
  return {
    // A literal address of version 6 stands in brackets in a URL and without them here.
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    path: `${url.pathname.replace(/\/+$/, "")}${path}`,
    secure,
  };
}

function send(
  { secure, headers, ...place }: Place,
  secret: string,
  body: string | Uint8Array,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = (secure ? requestSecure : requestPlain)({
      ...place,
      method: "POST",
      // One connection per request: a kept one may be the daemon's of before its restart.
      agent: false,
      headers: {
        ...headers as Record<string, string>,
        authorization: `Bearer ${secret}`,
        accept: "application/json",
        "content-type": typeof body === "string" ? "application/json" : "application/octet-stream",
        "content-length": Buffer.byteLength(body),
      },
    });
    const stop = () => {
      sent.destroy();
      reject(signal.reason);
    };
    const over = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop, { once: true });
    sent.on("error", (error) => {
      over();
      reject(error);
    });
    sent.on("response", (answer) => {
      over();
      resolve(answer);
    });
    sent.end(body);
  });
}

async function textOf(answer: IncomingMessage, signal: AbortSignal): Promise<string> {
  const stop = () => answer.destroy();
  signal.addEventListener("abort", stop, { once: true });
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of answer as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > MOST_BYTES) {
        throw new LinkError("unreadable", `The answer has more than ${MOST_BYTES} bytes`);
      }
      pieces.push(piece);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    answer.destroy();
  }
  signal.throwIfAborted();
  if (!answer.complete) throw new LinkError("unreachable", "The connection broke");
  return Buffer.concat(pieces).toString("utf8");
}

function judge(status: number, text: string, report: WorkerReport): WorkerOrders {
  if (status === 401 || status === 403 || status === 404) {
    throw new LinkError(
      "refused",
      `The daemon does not know worker "${report.worker}" (status ${status})`,
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    throw new LinkError("unreachable", `The daemon cannot answer now (status ${status})`);
  }
  if (status !== 200) {
    throw new LinkError("unreadable", `The daemon answered with status ${status}`);
  }
  const orders = readWorkerOrders(text);
  if ("wrong" in orders) {
    throw new LinkError("unreadable", `Cannot read the daemon's answer: ${orders.wrong}`);
  }
  return orders;
}
