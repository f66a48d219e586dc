import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";

/** Bytes of one response; an endless one is cut off as an error. */
const MOST_BYTES = 64 * 1024 * 1024;
/** How long the goodbye to a server may take. */
const GOODBYE_MS = 2_000;

export interface HttpParts {
  url: string;
  headers: Readonly<Record<string, string>>;
}

/** Talks to a server over streamable HTTP. Throws TypeError when the address is none. */
export async function createHttpTransport({ url, headers }: HttpParts): Promise<Transport> {
  // The package has types for this file only under its name without the ending.
  const { StreamableHTTPClientTransport } = await import(
    "@modelcontextprotocol/sdk/client/streamableHttp.js"
  ) as typeof import("@modelcontextprotocol/sdk/client/streamableHttp");
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: fetchLimited,
    // Who comes back when is decided by the connection, not in here.
    reconnectionOptions: {
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 30_000,
      reconnectionDelayGrowFactor: 2,
      maxRetries: 2,
    },
  });
  const close = transport.close.bind(transport);
  transport.close = async () => {
    await goodbye(transport.terminateSession());
    await close();
  };
  return transport as Transport;
}

async function goodbye(said: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, GOODBYE_MS));
  await Promise.race([said.catch(() => {}), late]);
  clearTimeout(timer);
}

async function fetchLimited(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.body === null) return response;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) controller.error(new Error("it sends without end"));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
}
