import { z } from "../base/schema.ts";
import type { ModelFailure } from "./agent.ts";

const Usage = z.object({
  input_tokens: z.number().nullish(),
  output_tokens: z.number().nullish(),
  cache_read_input_tokens: z.number().nullish(),
  cache_creation_input_tokens: z.number().nullish(),
});
export type CliUsage = z.infer<typeof Usage>;

const Block = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({
    type: z.literal("tool_result"),
    tool_use_id: z.string(),
    content: z.unknown(),
    is_error: z.boolean().nullish(),
  }),
  z.object({ type: z.string() }).transform(() => ({ type: "other" as const })),
]);
export type CliBlock = z.infer<typeof Block>;

/** Lines of `claude --output-format stream-json`, as far as they matter here. */
const Event = z.union([
  z.object({
    type: z.literal("system"),
    subtype: z.literal("init"),
    model: z.string().optional(),
    tools: z.array(z.string()).optional(),
    mcp_servers: z.array(z.object({ name: z.string(), status: z.string() })).optional(),
  }),
  z.object({
    type: z.literal("assistant"),
    message: z.object({
      id: z.string().optional(),
      model: z.string().optional(),
      content: z.array(Block),
      usage: Usage.optional(),
    }),
    /** `authentication_failed`, `billing_error`, `rate_limit`, … */
    error: z.string().optional(),
  }),
  z.object({
    type: z.literal("user"),
    message: z.object({ content: z.union([z.string(), z.array(Block)]) }),
  }),
  z.object({
    type: z.literal("stream_event"),
    event: z.object({
      type: z.string(),
      message: z.object({ id: z.string().optional(), usage: Usage.optional() }).optional(),
      delta: z.object({ type: z.string().optional(), text: z.string().optional() }).optional(),
      usage: Usage.optional(),
    }),
  }),
  z.object({
    type: z.literal("result"),
    subtype: z.string(),
    is_error: z.boolean().optional(),
    result: z.string().optional(),
    total_cost_usd: z.number().optional(),
    usage: Usage.optional(),
    api_error_status: z.number().nullish(),
    errors: z.array(z.string()).optional(),
  }),
]);
export type CliEvent = z.infer<typeof Event>;

/** Undefined for lines of other kinds and for what is no JSON. */
export function readCliEvent(line: string): CliEvent | undefined {
  try {
    return Event.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Kind of failure, from the words that the command has for it. */
export function cliFailureKind(
  error: string | undefined,
  status: number | null | undefined,
): ModelFailure["kind"] {
  if (error === "authentication_failed" || error === "billing_error") return "auth";
  if (error === "oauth_org_not_allowed") return "auth";
  if (status === 401 || status === 402 || status === 403) return "auth";
  if (error === "rate_limit" || status === 429) return "rate-limited";
  if (error === "invalid_request" || error === "model_not_found") return "rejected";
  if (status === 400 || status === 404 || status === 413) return "rejected";
  if (error === "server_error" || error === "overloaded") return "overloaded";
  return status !== undefined && status !== null && status >= 500 ? "overloaded" : "unreadable";
}

/** The text of a tool's result, which is a string or a list of blocks. */
export function resultText(content: unknown): string {
  if (typeof content === "string") return content;
  const texts = z.array(z.object({ text: z.string().optional() })).safeParse(content).data ?? [];
  return texts.map(({ text }) => text ?? "").join("\n");
}
