import type { ClientContext } from "@agentclientprotocol/sdk";
import { costOf } from "../agent/cost.ts";
import { cleanLine } from "../agent/quote-data.ts";
import type { TokenPrice } from "../sweep/config.ts";
import type { Clock } from "../base/clock.ts";
import { z } from "../base/schema.ts";
import type { Block, PromptEnd, PromptHooks } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { contentOf, endOf } from "./acp-prompt-end.ts";
import { createToolFacts, type ToolFacts } from "./acp-tool-facts.ts";
import { acpUpdateSchema } from "./acp-updates.ts";
import { createAcpUsage, usageIn } from "./acp-usage.ts";
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
}

const words = z.object({ type: z.literal("text"), text: z.string() });
const NO_TOKENS = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } as const;
/** Memory of ours is not the agent's to fill. Characters. */
const LONGEST = 1_000_000;
const MOST_SESSIONS = 100;

interface Now {
  hooks: PromptHooks;
  /** That of the turn, and the prompt's own end. */
  signal: AbortSignal;
  text: string;
  /** What is said next begins a paragraph. */
  apart: boolean;
  messageId: string | undefined;
  /** Told so far; US dollars. */
  usd: number | undefined;
}

/** One prompt at a time, and what the agent says and does meanwhile. */
export function createAcpPrompts(
  { sessionId, model, prices, onOptions }: {
    sessionId(): string | undefined;
    /** As the agent calls it, where it does. */
    model(): string | undefined;
    /** What people said that its tokens cost; herd's own table is for keys, not for subscriptions. */
    prices: Readonly<Record<string, TokenPrice>>;
    /** It tells what can be chosen, or was. */
    onOptions(update: Readonly<Record<string, unknown>>): void;
  },
) {
  let now: Now | undefined;
  const heard = new Set<string>();
  const facts = createToolFacts();
  const usage = createAcpUsage(() => "unknown");

  function hear(params: unknown): void {
    const read = acpUpdateSchema.safeParse(params);
    if (!read.success) return;
    const { update } = read.data;
    if (update.sessionUpdate.endsWith("_message_chunk") && heard.size < MOST_SESSIONS) {
      heard.add(read.data.sessionId);
    }
    if (read.data.sessionId !== sessionId()) return;
    const raw: unknown = Object(params)["update"];
    onOptions(Object(raw));
    if (now === undefined) return;
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return say(now, update);
      case "agent_thought_chunk":
        return now.hooks.onThought();
      case "tool_call":
      case "tool_call_update":
        hearTool(raw);
        return;
      case "usage_update": {
        const part = usage.addCost(update.cost);
        if (part?.usd === undefined) return;
        now.usd = (now.usd ?? 0) + part.usd;
        now.hooks.onUse({ ...NO_TOKENS, model: model(), usd: now.usd });
      }
    }
  }

  function hearTool(told: unknown): ToolFacts {
    const { id, facts: known } = facts.add(told) ?? {};
    if (id === undefined || known === undefined) return {};
    const status: unknown = Object(told)["status"];
    tool(id, { ...known, status: typeof status === "string" ? status : undefined });
    return known;
  }

  function say(one: Now, { content, messageId }: { content?: unknown; messageId?: unknown }): void {
    const block = words.safeParse(content);
    if (!block.success) return;
    const id = typeof messageId === "string" ? messageId : undefined;
    // What is said after a tool, or in another message, begins a paragraph.
    const apart = one.apart ||
      (id !== undefined && one.messageId !== undefined && id !== one.messageId);
    one.messageId = id ?? one.messageId;
    if (one.text.length >= LONGEST) return one.hooks.onThought();
    const more = apart && one.text !== "" ? `\n\n${block.data.text}` : block.data.text;
    one.text = (one.text + more).slice(0, LONGEST);
    one.apart = false;
    one.hooks.onText(one.text);
  }

  function tool(
    id: string,
    { title, kind, status }: ToolFacts & { status: string | undefined },
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
    const over = new AbortController();
    const signal = AbortSignal.any([hooks.signal, over.signal]);
    const own: Now = {
      hooks,
      signal,
      text: "",
      apart: false,
      messageId: undefined,
      usd: undefined,
    };
    now = own;
    const told = new AbortController();
    const asked = agent.request<unknown>("session/prompt", {
      sessionId: session,
      prompt: parts.blocks.map((block) => contentOf(block, parts.images)),
    }).then((value) => ({ value }), (error: unknown) => ({ error }));
    const cancelled = new Promise<"cancelled">((resolve) => {
      const cancel = () => {
        agent.notify("session/cancel", { sessionId: session }).catch(() => {});
        resolve("cancelled");
      };
      hooks.signal.addEventListener("abort", cancel, { once: true, signal: told.signal });
      if (hooks.signal.aborted) cancel();
    });
    try {
      const first = await Promise.race([asked, cancelled, parts.gone]);
      const end = first === "cancelled" ? await lastWords(asked, parts) : first;
      if (end === undefined) {
        await parts.onDeaf();
        return { kind: "cancelled", text: own.text };
      }
      tellUse("value" in end ? end.value : undefined, own);
      if (hooks.signal.aborted) return { kind: "cancelled", text: own.text };
      if ("kind" in end) return { kind: "failed", failure: end, text: own.text };
      if ("error" in end) {
        return { kind: "failed", failure: parts.failureOf(end.error), text: own.text };
      }
      return endOf(end.value, own.text);
    } finally {
      told.abort();
      // What it still asks for is nobody's to allow any more.
      over.abort();
      facts.clear();
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

  function tellUse(value: unknown, { hooks, usd: before }: Now): void {
    const use = usage.close(usageIn(value));
    if (use === undefined) return;
    const { usd, model: _, ...tokens } = use;
    const name = model();
    const isTold = usd !== undefined || before !== undefined;
    const price = name !== undefined && Object.hasOwn(prices, name) ? prices[name] : undefined;
    const all = isTold
      ? (usd ?? 0) + (before ?? 0)
      : price === undefined
      ? null
      : costOf(tokens, price);
    hooks.onUse({ ...tokens, model: name, usd: all });
  }

  return {
    hear,
    /** Whether messages of a session were told again while it was loaded. */
    heard: (session: string) => heard.has(session),
    run,
    /** Of the prompt that runs: who is asked meanwhile need not answer after it. */
    signal: (session: string) => session === sessionId() ? now?.signal : undefined,
    hearTool,
  };
}
