import type { ClientContext } from "@agentclientprotocol/sdk";
import { cleanLine } from "../agent/quote-data.ts";
import type { Clock } from "../base/clock.ts";
import { z } from "../base/schema.ts";
import type { Block, PromptEnd, PromptHooks } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { acpUpdateSchema } from "./acp-updates.ts";
import { createAcpUsage } from "./acp-usage.ts";
import type { ConfigOf } from "./backend-config.ts";
import { toolKind } from "./tool-kind.ts";

export interface RunPrompt {
  agent: ClientContext;
  blocks: readonly Block[];
  /** Whether the agent takes pictures. */
  images: boolean;
  hooks: PromptHooks;
  gone: Promise<TurnFailure>;
  clock: Clock;
  cancelMs: number;
  onDeaf(): Promise<void>;
  failureOf(error: unknown): TurnFailure;
  clean(text: string): string;
}

const answer = z.object({ stopReason: z.string(), usage: z.unknown().optional() });
const words = z.object({ type: z.literal("text"), text: z.string() });
const call = z.object({ toolCallId: z.string() });
/** Memory of ours is not the agent's to fill. Characters. */
const LONGEST = 1_000_000;

/** One prompt at a time, and what the agent says and does meanwhile. */
export function createAcpPrompts(
  { sessionId, config }: { sessionId(): string | undefined; config: ConfigOf<"acp"> },
) {
  let now: { hooks: PromptHooks; text: string; apart: boolean } | undefined;
  let heard = 0;
  const idle = new AbortController();
  const usage = createAcpUsage(() => config.command[0] ?? "unknown");

  function hear(params: unknown): void {
    const read = acpUpdateSchema.safeParse(params);
    if (!read.success) return;
    const { update } = read.data;
    if (update.sessionUpdate.endsWith("_message_chunk")) heard++;
    if (now === undefined || read.data.sessionId !== sessionId()) return;
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return say(update.content);
      case "agent_thought_chunk":
        return now.hooks.onThought();
      case "tool_call":
      case "tool_call_update": {
        const id = call.safeParse(Object(params)["update"]);
        if (id.success) tool(id.data.toolCallId, update);
        return;
      }
      case "usage_update":
        usage.addCost(update.cost);
    }
  }

  function say(content: unknown): void {
    const block = words.safeParse(content);
    if (!block.success || now === undefined || now.text.length >= LONGEST) return;
    // What is said after a tool begins a paragraph.
    now.text += now.apart && now.text !== "" ? `\n\n${block.data.text}` : block.data.text;
    now.apart = false;
    now.hooks.onText(now.text);
  }

  function tool(
    id: string,
    { title, kind, status }: {
      title?: string | null | undefined;
      kind?: string | null | undefined;
      status?: string | null | undefined;
    },
  ): void {
    if (now === undefined) return;
    now.apart = true;
    now.hooks.onTool({
      id,
      ...(title ? { title: cleanLine(title, 400) } : {}),
      ...(kind ? { kind: toolKind(kind) } : {}),
      ...(status
        ? {
          status: status === "completed" || status === "failed" ? status : "running",
        }
        : {}),
    });
  }

  async function run(parts: RunPrompt): Promise<PromptEnd> {
    const { agent, hooks } = parts;
    const session = sessionId();
    now = { hooks, text: "", apart: false };
    const own = now;
    const asked = agent.request<unknown>("session/prompt", {
      sessionId: session,
      prompt: parts.blocks.map((block) => contentOf(block, parts.images)),
    }).then((value) => ({ value }), (error: unknown) => ({ error }));
    const cancelled = new Promise<"cancelled">((resolve) => {
      const cancel = () => {
        agent.notify("session/cancel", { sessionId: session }).catch(() => {});
        resolve("cancelled");
      };
      hooks.signal.addEventListener("abort", cancel, { once: true });
      if (hooks.signal.aborted) cancel();
    });
    try {
      const first = await Promise.race([asked, cancelled, parts.gone]);
      const end = first === "cancelled" ? await lastWords(asked, parts) : first;
      if (end === undefined) {
        await parts.onDeaf();
        return { kind: "cancelled", text: own.text };
      }
      tellUse("value" in end ? end.value : undefined, hooks);
      if (hooks.signal.aborted) return { kind: "cancelled", text: own.text };
      if ("kind" in end) return { kind: "failed", failure: end, text: own.text };
      if ("error" in end) {
        return { kind: "failed", failure: parts.failureOf(end.error), text: own.text };
      }
      return endOf(end.value, own.text);
    } finally {
      now = undefined;
    }
  }

  /** Undefined when it does not say in time that it has stopped. */
  async function lastWords<T>(asked: Promise<T>, { clock, cancelMs, gone }: RunPrompt) {
    const waited = new AbortController();
    const late = clock.sleep(cancelMs, waited.signal).then(() => undefined, () => undefined);
    const end = await Promise.race([asked, late, gone]);
    waited.abort();
    return end;
  }

  function tellUse(value: unknown, hooks: PromptHooks): void {
    const use = usage.close(answer.safeParse(value).data?.usage);
    if (use === undefined) return;
    const { usd, ...tokens } = use;
    hooks.onUse({ ...tokens, usd: usd ?? null });
  }

  return {
    hear,
    /** Messages that were told again while a session was loaded. */
    heard: () => heard,
    run,
    /** Of the prompt that runs: who is asked meanwhile need not answer after it. */
    signal: () => now?.hooks.signal ?? idle.signal,
  };
}

function contentOf(block: Block, images: boolean): Record<string, unknown> {
  if (block.type === "text") return { type: "text", text: block.text.toWellFormed() };
  return images
    ? { type: "image", mimeType: block.mimeType, data: block.data }
    : { type: "text", text: "[A picture was attached; this agent takes none]" };
}

function endOf(value: unknown, text: string): PromptEnd {
  const read = answer.safeParse(value);
  const failed = (kind: TurnFailure["kind"], message: string): PromptEnd => ({
    kind: "failed",
    failure: { kind, message, code: undefined, stderr: "", hint: undefined },
    text,
  });
  if (!read.success) return failed("protocol", "The agent's answer to the prompt cannot be read");
  const { stopReason } = read.data;
  switch (stopReason) {
    case "end_turn":
      return { kind: "done", text };
    case "cancelled":
      return { kind: "cancelled", text };
    case "refusal":
      return failed("refused", "The agent declines to answer");
    case "max_tokens":
    case "max_turn_requests":
      return failed("model", `The agent stopped at its limit (${stopReason})`);
    default:
      return failed("protocol", `The agent stopped by itself (${cleanLine(stopReason, 60)})`);
  }
}
