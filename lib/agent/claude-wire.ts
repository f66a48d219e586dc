import Anthropic from "@anthropic-ai/sdk";
import type { Environment, Secret } from "./credentials.ts";
import { failure, ModelError } from "./model-failure.ts";

export interface WireParts {
  url: string;
  secret: Secret;
  env: Environment;
  fetch: typeof fetch;
  /** Whenever bytes arrive, keep-alives too. */
  onBytes(): void;
}

/**
 * The library's client without its habits: no retries, no logging, no tracing, and
 * nothing read from the process's own environment. What goes over the wire has
 * exactly the headers of `headersOf`.
 *
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured by `fetch` itself, in Bun and in
 * Deno, as the environment of the process has them: those of a workspace's .env come too late.
 */
export function createWire(parts: WireParts): Anthropic {
  return new Anthropic({
    baseURL: parts.url.replace(/\/+$/, ""),
    // Any key keeps it from looking for one; `headersOf` has the real one.
    apiKey: "set-by-herd",
    // Null, not undefined: that would be read from the environment.
    webhookKey: null,
    maxRetries: 0,
    timeout: 24 * 3_600_000,
    logLevel: "off",
    openTelemetry: false,
    fetch: (url, init) => send(url, init, parts),
  });
}

async function send(
  url: string | URL | Request,
  init: RequestInit | undefined,
  parts: WireParts,
): Promise<Response> {
  const response = await parts.fetch(url, {
    ...init,
    headers: headersOf(parts.secret, parts.env),
    // A redirect to another host would carry the key along.
    redirect: "manual",
  });
  parts.onBytes();
  const { status, headers, body } = response;
  if (status >= 300 && status < 400) {
    await body?.cancel();
    const message = "Cannot ask the model: its address redirects elsewhere " +
      `(status ${status}), set agent.base_url or ANTHROPIC_BASE_URL to the final address`;
    throw new ModelError(failure("rejected", message, { status }));
  }
  const type = headers.get("content-type")?.split(";")[0]?.trim() ?? "nothing";
  if (response.ok && type !== "text/event-stream") {
    await body?.cancel();
    const message = `Cannot read the model's answer: it is ${JSON.stringify(type)} ` +
      "instead of a stream of events, maybe a proxy or a login page answered";
    throw new ModelError(failure("unreadable", message, { status }));
  }
  const tapped = body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        parts.onBytes();
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(tapped ?? null, { status, statusText: response.statusText, headers });
}

/** All headers of a call; those of ANTHROPIC_CUSTOM_HEADERS ("Name: value" lines) come on top. */
export function headersOf(secret: Secret, env: Environment): Headers {
  const headers = new Headers({
    "content-type": "application/json",
    accept: "text/event-stream",
    "user-agent": "herd",
    "anthropic-version": "2023-06-01",
  });
  setHeader(
    headers,
    secret.kind === "api-key" ? "x-api-key" : "authorization",
    secret.kind === "api-key" ? secret.value : `Bearer ${secret.value}`,
    secret.variable,
  );
  for (const line of (env.ANTHROPIC_CUSTOM_HEADERS ?? "").split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim();
    setHeader(headers, name, line.slice(colon + 1).trim(), "ANTHROPIC_CUSTOM_HEADERS");
  }
  return headers;
}

function setHeader(headers: Headers, name: string, value: string, variable: string): void {
  try {
    headers.set(name, value);
  } catch {
    // The runtime's own message quotes the value.
    const message = `Cannot ask the model: ${variable} holds characters that no header may have`;
    throw new ModelError(failure("auth", message));
  }
}
