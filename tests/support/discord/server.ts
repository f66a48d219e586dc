import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Call, Reply } from "./pipeline.ts";

export type { Call, Fault } from "./pipeline.ts";

export interface RestServerParts {
  reply(call: Call): Promise<Reply>;
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
    const { status, headers, body, cut } = await parts.reply(call);
    response.setHeader("date", new Date(parts.now()).toUTCString());
    if (cut === "whole") response.destroy();
    else if (cut === "half") await sendHalf(response, status, headers, body);
    else response.writeHead(status, headers).end(body.length === 0 ? undefined : body);
    return [call, cut === undefined ? status : 0];
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

async function sendHalf(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array,
): Promise<void> {
  const bytes = Buffer.from(body.length === 0 ? "{}" : body as string);
  response.writeHead(status === 204 ? 200 : status, { ...headers, "content-length": bytes.length });
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  await new Promise<void>((resolve) => response.write(half, () => resolve()));
  response.destroy();
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const url = new URL(request.url!, "http://127.0.0.1");
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return await callOf({
    method: request.method!,
    url,
    type: request.headers["content-type"] ?? "",
    authorization: request.headers.authorization,
    bytes: Buffer.concat(chunks),
  });
}

/** A request as the routes get it. */
export async function callOf({ method, url, type, authorization, bytes }: {
  method: string;
  url: URL;
  type: string;
  authorization: string | undefined;
  bytes: Uint8Array;
}): Promise<Call> {
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
  } else if (bytes.length > 0) body = JSON.parse(Buffer.from(bytes).toString("utf8"));
  return {
    method,
    path: url.pathname.replace(/^\/api(\/v\d+)?/, ""),
    query: url.searchParams,
    token: authorization?.replace(/^Bot /, ""),
    body,
    files,
  };
}
