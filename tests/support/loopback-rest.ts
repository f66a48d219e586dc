import { Buffer } from "node:buffer";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface ScriptedReply {
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
  /** Cuts the connection instead of answering. */
  drop?: boolean;
  /** Answers only after this. */
  after?: Promise<void>;
}

/** A small HTTP server that answers as a test says, and remembers what it was asked. */
export interface LoopbackRest extends AsyncDisposable {
  url: string;
  seen: SeenRequest[];
}

export async function startLoopbackRest(
  reply: (request: SeenRequest, number: number) => ScriptedReply,
): Promise<LoopbackRest> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const one = { method: request.method!, path: request.url!, headers: request.headers, body };
      seen.push(one);
      const { status = 200, headers = {}, json, text, drop, after } = reply(one, seen.length);
      await after;
      if (drop) return void request.socket.destroy();
      response.writeHead(status, {
        "content-type": "application/json",
        ...headers,
      });
      response.end(status === 204 ? undefined : text ?? JSON.stringify(json ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
