import type {
  MessageCreateParamsStreaming,
  MessageParam,
  Tool as WireTool,
} from "@anthropic-ai/sdk/resources/messages";
import type { AgentSettings } from "../sweep/config.ts";
import type { ModelCall } from "./model-call.ts";
import type { Tool } from "./tool.ts";

/** What is sent to /v1/messages. */
export function requestBody(
  call: ModelCall,
  model: string,
  effort: AgentSettings["effort"],
): MessageCreateParamsStreaming {
  return {
    model,
    max_tokens: call.maxTokens,
    stream: true,
    // Tools come before the system prompt in the cached prefix: this one mark covers both.
    system: [
      { type: "text", text: call.system.toWellFormed(), cache_control: { type: "ephemeral" } },
    ],
    messages: withCacheMark(call.messages),
    ...(call.tools.length === 0 ? {} : { tools: wireTools(call.tools) }),
    ...(effort === undefined ? {} : { output_config: { effort } }),
  };
}

/** Sorted, so that the cached prefix is the same whatever order they came in. */
function wireTools(tools: readonly Tool[]): WireTool[] {
  return [...tools]
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    .filter((tool, i, all) => tool.name !== all[i - 1]?.name)
    .map(({ name, description, schema }) => ({
      name,
      description,
      input_schema: { ...schema, type: "object" },
    }));
}

/** Marks the end of the conversation so far: the next call of this turn reads up to there. */
function withCacheMark(messages: readonly MessageParam[]): MessageParam[] {
  const last = messages.at(-1);
  if (last?.role !== "user" || typeof last.content === "string") return [...messages];
  const block = last.content.at(-1);
  const marks = block?.type === "text" || block?.type === "tool_result" || block?.type === "image";
  if (!marks) return [...messages];
  const marked = { ...block, cache_control: { type: "ephemeral" as const } };
  return [...messages.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), marked] }];
}
