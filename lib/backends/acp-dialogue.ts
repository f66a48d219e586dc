import type { ClientContext } from "@agentclientprotocol/sdk";
import { PROTOCOL_VERSION, RequestError } from "@agentclientprotocol/sdk";
import { cleanLine } from "../agent/quote-data.ts";
import { currentBuild } from "../base/build.ts";
import { z } from "../base/schema.ts";
import type { Said } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { type AcpSession, acpSessionSchema } from "./acp-session.ts";
import type { ToolOffer } from "./converser-parts.ts";
import { memoryOf } from "./replay.ts";

/** What an agent can do, as its answer to `initialize` says. */
export interface AcpAbilities {
  loads: boolean;
  images: boolean;
}

const AUTH_REQUIRED = -32000;
const hello = z.object({
  protocolVersion: z.number(),
  agentCapabilities: z.object({
    loadSession: z.boolean().catch(false),
    promptCapabilities: z.object({ image: z.boolean().catch(false) }).nullish().catch(undefined),
  }).nullish().catch(undefined),
});

export async function greet(
  agent: ClientContext,
  writes: boolean,
): Promise<AcpAbilities | { problem: string }> {
  const answer = await agent.request<unknown>("initialize", {
    protocolVersion: PROTOCOL_VERSION,
    clientCapabilities: { fs: { readTextFile: true, writeTextFile: writes }, terminal: false },
    clientInfo: { name: "herd", version: currentBuild().version },
  });
  const read = hello.safeParse(answer);
  if (!read.success) return { problem: "The agent's answer to initialize cannot be read" };
  const { protocolVersion, agentCapabilities } = read.data;
  if (protocolVersion !== PROTOCOL_VERSION) {
    return {
      problem:
        `The agent speaks version ${protocolVersion} of ACP, herd speaks ${PROTOCOL_VERSION}`,
    };
  }
  return {
    loads: agentCapabilities?.loadSession ?? false,
    images: agentCapabilities?.promptCapabilities?.image ?? false,
  };
}

export interface Opened {
  session: AcpSession;
  memory: "fresh" | "loaded" | "replayed" | "lost";
}

/**
 * The agent's own session where it can load it, else a new one. An agent that answers with
 * nothing has loaded only what it also told again: `heard` knows that.
 */
export async function openSession(
  agent: ClientContext,
  { folder, servers = [], earlier, abilities, heard }: {
    folder: string;
    servers?: readonly ToolOffer["server"][];
    earlier: { sessionId: string | undefined; transcript: readonly Said[] } | undefined;
    abilities: AcpAbilities;
    heard(session: string): boolean;
  },
): Promise<Opened | { problem: string }> {
  const wish = { cwd: folder, mcpServers: servers };
  const known = earlier?.sessionId;
  if (known !== undefined && abilities.loads) {
    try {
      const answer = await agent.request<unknown>("session/load", { sessionId: known, ...wish });
      const read = acpSessionSchema.safeParse({ ...Object(answer), sessionId: known });
      const isTold = Object.keys(Object(answer)).length > 0 || heard(known);
      if (read.success && isTold) return { session: read.data, memory: "loaded" };
    } catch (error) {
      // It has forgotten, or never kept it: herd has not.
      if (!(error instanceof RequestError) || error.code === AUTH_REQUIRED) throw error;
    }
  }
  const read = acpSessionSchema.safeParse(await agent.request<unknown>("session/new", wish));
  if (!read.success) return { problem: "The agent's answer to session/new cannot be read" };
  return { session: read.data, memory: memoryOf(earlier) };
}

export function acpFailure(
  error: unknown,
  { stderr, clean }: { stderr: string; clean(text: string): string },
): TurnFailure {
  const more = { stderr: clean(stderr), hint: undefined };
  if (!(error instanceof RequestError)) {
    const why = cleanLine(error instanceof Error ? error.message : String(error), 300);
    return { kind: "gone", message: clean(`The agent failed: ${why}`), code: undefined, ...more };
  }
  const said = clean(saidBy(error));
  const { code } = error;
  return code === AUTH_REQUIRED
    ? {
      ...more,
      kind: "not-logged-in",
      message: `The agent is not logged in: ${said}`,
      code,
      hint: "Log the agent's program in on the machine where herd runs, then say it again",
    }
    : { ...more, kind: "protocol", message: `The agent failed: ${said}`, code };
}

/** "Internal error" alone is all that many agents say in the message; what happened is beside it. */
function saidBy({ message, data }: RequestError): string {
  const beside: unknown = typeof data === "string" ? data : Object(data)["details"];
  const more = typeof beside === "string" && !message.includes(beside) ? beside : "";
  return cleanLine(more === "" ? message : `${message}: ${more}`, 500);
}
