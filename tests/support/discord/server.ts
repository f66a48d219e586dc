import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Refusal } from "./world.ts";

export interface Call {
  method: string;
  /** Without `/api/v10` and query. */
  path: string;
  query: URLSearchParams;
  token: string | undefined;
  body: unknown;
  /** `field`: `files[0]`, as an entry of `attachments` names it. */
  files: { name: string; bytes: Uint8Array; field: string }[];
}

/** What is no JSON: an attachment. */
export class Raw {
  constructor(readonly bytes: Uint8Array) {}
}

/** What befalls a call; asked before it acts and after. */
export type Fault =
  | { kind: "status"; status: number; when: "before" | "after" }
  | { kind: "drop"; when: "before" | "after" }
  | { kind: "limit"; seconds: number; scope: "user" | "shared" | "global" }
  | { kind: "hold"; until: Promise<void> }
  /** A success with something else in it, as of a login page. */
  | { kind: "nonsense"; body: string };

export interface RestServerParts {
  answer(call: Call): unknown;
  fault(call: Call): Fault | undefined;
  /** Seconds until a call of this route is allowed; 0: now. */
  limit(call: Call): { wait: number; headers: Record<string, string> };
  seen(call: Call, status: number, ms: number): void;
  /** Discord's clock, of the Date header. */
  now(): number;
}

/** HTTP as Discord speaks it: JSON or multipart, rate limit headers, errors with codes. */
export async function startRestServer(
  parts: RestServerParts,
): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    response.setHeader("date", new Date(parts.now()).toUTCString());
    const begun = performance.now();
    void serve(request, response).then(
      ([call, status]) => parts.seen(call, status, performance.now() - begun),
      () => response.destroy(),
    );
  });

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<[Call, number]> {
    const call = await readCall(request);
    const fault = parts.fault(call);
    if (fault?.kind === "hold") await fault.until;
    if (fault?.kind === "nonsense") {
      response.writeHead(200).end(fault.body);
      return [call, 200];
    }
    if (fault?.kind === "limit") return [call, limited(response, fault.seconds, fault.scope)];
    if (fault !== undefined && fault.kind !== "hold" && fault.when === "before") {
      return [call, fail(fault, response)];
    }
    const { wait, headers } = parts.limit(call);
    if (wait > 0) return [call, limited(response, wait, "user", headers)];
    const [status, body] = answerOf(call);
    if (body instanceof Raw) {
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(body.bytes);
      return [call, 200];
    }
    if (fault !== undefined && fault.kind !== "hold") return [call, fail(fault, response)];
    send(response, status, body, headers);
    return [call, status];
  }

  function answerOf(call: Call): [number, unknown] {
    try {
      const body = parts.answer(call);
      return body === undefined ? [204, undefined] : [200, body];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [error.status, { code: error.code, message: error.message }];
    }
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const url = new URL(request.url!, "http://127.0.0.1");
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  const files: Call["files"] = [];
  let body: unknown;
  if (type.startsWith("multipart/form-data")) {
    const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } })
      .formData();
    body = JSON.parse(`${form.get("payload_json") ?? "{}"}`);
    for (const [field, value] of form) {
      if (typeof value === "string") continue;
      files.push({ name: value.name, bytes: new Uint8Array(await value.arrayBuffer()), field });
    }
  } else if (bytes.length > 0) body = JSON.parse(bytes.toString("utf8"));
  return {
    method: request.method!,
    path: url.pathname.replace(/^\/api(\/v\d+)?/, ""),
    query: url.searchParams,
    token: request.headers.authorization?.replace(/^Bot /, ""),
    body,
    files,
  };
}

function fail(
  fault: Extract<Fault, { kind: "status" | "drop" }>,
  response: ServerResponse,
): number {
  if (fault.kind === "drop") {
    response.destroy();
    return 0;
  }
  send(response, fault.status, { code: 0, message: `${fault.status}: made by the test` });
  return fault.status;
}

function limited(
  response: ServerResponse,
  seconds: number,
  scope: string,
  headers: Record<string, string> = {},
): number {
  const body = {
    message: "You are being rate limited.",
    retry_after: seconds,
    global: scope === "global",
  };
  send(response, 429, body, {
    ...headers,
    "retry-after": `${Math.ceil(seconds)}`,
    "x-ratelimit-scope": scope,
    ...(scope === "global" ? { "x-ratelimit-global": "true" } : {}),
  });
  return 429;
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
