import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages";
import type { ModelCall } from "./model-call.ts";
import type { Tool } from "./tool.ts";

/** How a server of this kind wants to be asked; what it does not know it may refuse. */
export interface OpenAiHabits {
  /** OpenRouter has its own words for reasoning and tells what a call cost. */
  dialect: "openai" | "openrouter";
  thinking: "off" | "low" | "medium" | "high";
  /** Parameters that this server has refused by name: they are not sent again. */
  refused: ReadonlySet<string>;
}

type Part =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string } };

type Message =
  | { role: "system" | "user"; content: string | readonly Part[] }
  | { role: "tool"; tool_call_id: string; content: string }
  | {
    role: "assistant";
    content: string | null;
    tool_calls?: readonly {
      id: string;
      type: "function";
      function: { name: string; arguments: string };
    }[];
    reasoning_details?: unknown;
  };

/** What is sent to `/chat/completions`. */
export function openAiBody(
  call: ModelCall,
  model: string,
  habits: OpenAiHabits,
): Record<string, unknown> {
  const { refused } = habits;
  const optional: Record<string, unknown> = {
    ...reasoningOf(habits),
    stream_options: { include_usage: true },
    ...(habits.dialect === "openrouter" ? { usage: { include: true } } : {}),
  };
  for (const name of refused) delete optional[name];
  return {
    model,
    messages: [
      { role: "system", content: call.system.toWellFormed() },
      ...call.messages.flatMap(chatMessages),
    ],
    ...(call.tools.length === 0 ? {} : { tools: wireTools(call.tools) }),
    [refused.has("max_tokens") ? "max_completion_tokens" : "max_tokens"]: call.maxTokens,
    stream: true,
    ...optional,
  };
}

function reasoningOf({ dialect, thinking }: OpenAiHabits): Record<string, unknown> {
  if (dialect === "openrouter") {
    return { reasoning: thinking === "off" ? { enabled: false } : { effort: thinking } };
  }
  // There is no word for "off" that all of them know: the server's own default stays.
  return thinking === "off" ? {} : { reasoning_effort: thinking };
}

/** Sorted, so that a cached prefix is the same whatever order they came in. */
function wireTools(tools: readonly Tool[]): unknown[] {
  return [...tools]
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    .filter((tool, i, all) => tool.name !== all[i - 1]?.name)
    .map(({ name, description, schema }) => ({
      type: "function",
      function: { name, description, parameters: { ...schema, type: "object" } },
    }));
}

function chatMessages(message: MessageParam): Message[] {
  const blocks: readonly ContentBlockParam[] = typeof message.content === "string"
    ? [{ type: "text", text: message.content }]
    : message.content;
  return message.role === "assistant" ? [assistantMessage(blocks)] : userMessages(blocks);
}

/** Results first: a server refuses calls that are not followed by their results. */
function userMessages(blocks: readonly ContentBlockParam[]): Message[] {
  const results: Message[] = [];
  for (const block of blocks) {
    if (block.type !== "tool_result") continue;
    const text = typeof block.content === "string" ? block.content : JSON.stringify(block.content);
    const content = block.is_error === true ? `Error: ${text}` : text ?? "";
    results.push({ role: "tool", tool_call_id: block.tool_use_id, content });
  }
  const text = textOf(blocks);
  // Plain text where there are no pictures: smaller servers know nothing else.
  if (blocks.some(({ type }) => type === "image")) {
    return [...results, { role: "user", content: blocks.flatMap(partsOf) }];
  }
  return text === "" ? results : [...results, { role: "user", content: text }];
}

function partsOf(block: ContentBlockParam): Part[] {
  if (block.type === "text") return [{ type: "text", text: block.text.toWellFormed() }];
  if (block.type !== "image" || block.source.type !== "base64") return [];
  const { media_type: type, data } = block.source;
  return [{ type: "image_url", image_url: { url: `data:${type};base64,${data}` } }];
}

function assistantMessage(blocks: readonly ContentBlockParam[]): Message {
  const calls = blocks.filter((block) => block.type === "tool_use").map(({ id, name, input }) => ({
    id,
    type: "function" as const,
    function: { name, arguments: JSON.stringify(input ?? {}) },
  }));
  const hidden = blocks.find((block) => block.type === "redacted_thinking");
  const text = textOf(blocks);
  return {
    role: "assistant",
    content: text === "" ? null : text,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    // Some models refuse a call's result when the reasoning before the call does not come back.
    ...(hidden === undefined ? {} : { reasoning_details: JSON.parse(hidden.data) as unknown }),
  };
}

function textOf(blocks: readonly ContentBlockParam[]): string {
  return blocks.filter((block) => block.type === "text").map(({ text }) => text).join("\n\n")
    .toWellFormed();
}
