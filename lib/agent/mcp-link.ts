import type { Transport } from "@modelcontextprotocol/sdk/shared/transport";
import { currentBuild } from "../base/build.ts";
import { z } from "../base/schema.ts";
import { createHttpTransport } from "./mcp-http.ts";
import { isRecord } from "./mcp-schema.ts";
import type { ReadyServer } from "./mcp-settings.ts";
import { createStdioTransport } from "./mcp-stdio.ts";

/** One open connection to a server. */
export interface McpLink {
  /** Rejects with LinkError. */
  request(
    method: string,
    params: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>>;
  /** Whether it can still be used. */
  open(): boolean;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** `answered`: the server said no; `expired`: it wants a new session; `broken`: there is no use to go on. */
export class LinkError extends Error {
  readonly kind: "answered" | "expired" | "broken" | "aborted";
  constructor(kind: LinkError["kind"], message: string) {
    super(message);
    this.name = "LinkError";
    this.kind = kind;
  }
}

/** Any object: one strict field would cost the whole answer, and what is used is read with care. */
const ANSWER = z.looseObject({});
/** Time is kept by who asks. */
const FOR_EVER = { timeout: 2_147_483_647 };
/** JSON-RPC's codes that the SDK makes itself: it was closed, it waited too long. */
const OWN_CODES = [-32000, -32001];

/** Connects and shakes hands. Rejects with LinkError, with nothing left behind. */
export async function openLink(
  server: ReadyServer,
  { signal, onToolsChanged }: { signal: AbortSignal; onToolsChanged(): void },
): Promise<McpLink> {
  const { Client } = await import("@modelcontextprotocol/sdk/client");
  const transport = await transportTo(server);
  const why = () => "why" in transport ? (transport.why as () => string | undefined)() : undefined;
  let open = true;
  const client = new Client({ name: "herd", version: currentBuild().version }, {
    // Ours are never used; the SDK's own would compile what a foreign server sends.
    jsonSchemaValidator: {
      getValidator: () => (input) => ({
        valid: true,
        data: input as never,
        errorMessage: undefined,
      }),
    },
  });
  client.onclose = () => open = false;
  client.onerror = () => {};
  client.fallbackNotificationHandler = ({ method }) => {
    if (method === "notifications/tools/list_changed") onToolsChanged();
    return Promise.resolve();
  };

  async function close(): Promise<void> {
    open = false;
    await transport.close().catch(() => {});
    await client.close().catch(() => {});
  }

  try {
    await client.connect(transport, { signal, ...FOR_EVER });
  } catch (error) {
    const told = linkError(error, why(), signal);
    await close();
    throw told;
  }
  return {
    open: () => open,
    close,
    async request(method, params, requestSignal) {
      try {
        return await client.request({ method, params }, ANSWER, {
          signal: requestSignal,
          ...FOR_EVER,
        });
      } catch (error) {
        throw linkError(error, why(), requestSignal);
      }
    },
  };
}

async function transportTo(server: ReadyServer): Promise<Transport> {
  if (server.transport === "stdio") return createStdioTransport(server);
  try {
    return await createHttpTransport(server);
  } catch {
    throw new LinkError("broken", "its address is no URL");
  }
}

function linkError(error: unknown, why: string | undefined, signal: AbortSignal): LinkError {
  if (signal.aborted) return new LinkError("aborted", "it was interrupted");
  if (why !== undefined) return new LinkError("broken", why);
  const code = isRecord(error) ? error["code"] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : "";
  if (name === "StreamableHTTPError" || error?.constructor?.name === "StreamableHTTPError") {
    return httpError(code, message);
  }
  if (name === "UnauthorizedError") return new LinkError("broken", "it refuses our credentials");
  if (name === "McpError" || error?.constructor?.name === "McpError") {
    if (OWN_CODES.includes(code as number)) return new LinkError("broken", "it went away");
    return new LinkError("answered", message.replace(/^MCP error -?\d+: /, ""));
  }
  if (name === "ZodError" || name === "$ZodError") {
    return new LinkError("broken", "it answers with what is no MCP");
  }
  return new LinkError("broken", networkWords(error, message));
}

function httpError(code: unknown, message: string): LinkError {
  if (code === 401 || code === 403) {
    return new LinkError("broken", `it refuses our credentials (${code})`);
  }
  if (code === 404) return new LinkError("expired", "it knows no such address or session (404)");
  return typeof code === "number" && code > 0
    ? new LinkError("broken", `it answers with the HTTP status ${code}`)
    : new LinkError("broken", message);
}

function networkWords(error: unknown, message: string): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = [cause, error].map((one) =>
    isRecord(one) || one instanceof Error ? (one as { code?: unknown }).code : undefined
  ).find((one) => typeof one === "string");
  return code === undefined ? message : `it cannot be reached (${code})`;
}
