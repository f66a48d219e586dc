import {
  client,
  type ClientApp,
  type ClientContext,
  methods,
  PROTOCOL_VERSION,
  RequestError,
} from "@agentclientprotocol/sdk";
import { cleanLine } from "../agent/quote-data.ts";
import { currentBuild } from "../base/build.ts";
import { z } from "../base/schema.ts";
import type { Work, WorkEnd } from "../tasks/backend.ts";
import { createAcpFiles } from "./acp-files.ts";
import { answerPermission } from "./acp-permission.ts";
import { type AcpSession, acpSessionSchema, type AcpWish, stepsOf } from "./acp-session.ts";
import { usageIn } from "./acp-usage.ts";

/** How a conversation ended by itself; the words of its answer are the listener's. */
export type Talk =
  | { kind: "answered"; usage: unknown }
  | { kind: "stopped"; end: Extract<WorkEnd, { kind: "failed" }>; usage: unknown };

const AUTH_REQUIRED = -32000;
const promptAnswer = z.object({ stopReason: z.string() });

/** The side of the protocol that answers: permissions and files. Nothing else is offered. */
export function createAcpClient(
  work: Pick<Work, "folder" | "sandbox" | "log">,
): ClientApp {
  const { sandbox } = work;
  const files = createAcpFiles(work.folder, sandbox);
  return client({ name: "herd" })
    .onRequest(methods.client.session.requestPermission, ({ params }) => {
      const outcome = answerPermission(params, sandbox.level);
      const title = cleanLine(params.toolCall.title ?? params.toolCall.kind ?? "a tool", 200);
      const answer = outcome.outcome === "selected" ? outcome.optionId : "cancelled";
      work.log(`\n[asked for permission: ${title}; answered: ${cleanLine(answer, 80)}]\n`);
      return { outcome };
    })
    .onRequest(methods.client.fs.readTextFile, ({ params }) => files.read(params))
    .onRequest(methods.client.fs.writeTextFile, ({ params }) => {
      files.write(params);
      return {};
    });
}

/** From `initialize` to the end of the one prompt. `onSession` hears of the session's id. */
export async function talk(
  agent: ClientContext,
  { work, wish, onStarted }: {
    work: Work;
    wish: AcpWish;
    /** The session is there and the prompt is on its way. */
    onStarted(session: AcpSession): void;
  },
): Promise<Talk> {
  try {
    const refusal = await open(agent, work);
    if (refusal !== undefined) return stopped("agent", refusal, false);
    const created = acpSessionSchema.safeParse(
      await agent.request<unknown>("session/new", { cwd: work.folder, mcpServers: [] }),
    );
    if (!created.success) {
      return stopped("agent", "The agent's answer to session/new cannot be read", false);
    }
    const { sessionId } = created.data;
    const steps = stepsOf(created.data, wish);
    if ("refused" in steps) return stopped("refused", steps.refused, false);
    for (const { method, params } of steps) await agent.request<unknown>(method, params);
    onStarted(created.data);
    const prompt = [work.instructions, work.prompt]
      .filter((text) => text.trim() !== "")
      .map((text) => ({ type: "text" as const, text: text.toWellFormed() }));
    const answer = await agent.request<unknown>("session/prompt", { sessionId, prompt });
    return readAnswer(answer);
  } catch (error) {
    return { kind: "stopped", end: failureOf(error), usage: undefined };
  }
}

/** Why this agent cannot be talked to; undefined when it can. */
async function open(agent: ClientContext, { sandbox }: Work): Promise<string | undefined> {
  const answer = await agent.request<unknown>("initialize", {
    protocolVersion: PROTOCOL_VERSION,
    clientCapabilities: {
      fs: { readTextFile: true, writeTextFile: sandbox.level !== "read-only" },
      terminal: false,
    },
    clientInfo: { name: "herd", version: currentBuild().version },
  });
  const read = z.object({ protocolVersion: z.number() }).safeParse(answer);
  if (!read.success) return "The agent's answer to initialize cannot be read";
  const { protocolVersion } = read.data;
  return protocolVersion === PROTOCOL_VERSION
    ? undefined
    : `The agent speaks version ${protocolVersion} of ACP, herd speaks ${PROTOCOL_VERSION}`;
}

function readAnswer(answer: unknown): Talk {
  const read = promptAnswer.safeParse(answer);
  if (!read.success) {
    return stopped("agent", "The agent's answer to the prompt cannot be read", true);
  }
  const { stopReason } = read.data;
  const usage = usageIn(answer);
  switch (stopReason) {
    case "end_turn":
      return { kind: "answered", usage };
    case "refusal":
      return { ...stopped("model", "The agent declines the task", false), usage };
    case "max_tokens":
    case "max_turn_requests":
      return {
        ...stopped("no-result", `The agent stopped at its limit (${stopReason})`, false),
        usage,
      };
    default: {
      const shown = JSON.stringify(cleanLine(stopReason, 60));
      return { ...stopped("agent", `The agent stopped by itself (${shown})`, true), usage };
    }
  }
}

function stopped(
  cause: "agent" | "refused" | "model" | "no-result",
  message: string,
  passing: boolean,
): Extract<Talk, { kind: "stopped" }> {
  const end = { kind: "failed" as const, cause, message, passing, partial: "" };
  return { kind: "stopped", end, usage: undefined };
}

function failureOf(error: unknown): Extract<WorkEnd, { kind: "failed" }> {
  if (error instanceof RequestError) {
    const said = JSON.stringify(cleanLine(error.message, 300));
    return error.code === AUTH_REQUIRED
      ? stopped("agent", `The agent is not logged in: ${said}`, false).end
      : stopped("agent", `The agent failed: ${said} (code ${error.code})`, true).end;
  }
  const why = cleanLine(error instanceof Error ? error.message : String(error), 300);
  return stopped("agent", `The agent failed: ${why}`, true).end;
}
