import { z } from "../base/schema.ts";

const count = z.number().nonnegative().catch(0);
const words = z.string().nullish().catch(undefined);

const toolCall = z.object({
  index: z.number().int().nonnegative().nullish().catch(undefined),
  id: words,
  function: z.object({
    name: words,
    /** Text by the specification; some servers send the object itself. */
    arguments: z.unknown().optional(),
  }).nullish().catch(undefined),
});

/** What is said; in a stream only what is new, in a whole answer all of it. */
const said = z.object({
  content: words,
  refusal: words,
  reasoning: words,
  reasoning_content: words,
  reasoning_details: z.array(z.record(z.string(), z.unknown())).nullish().catch(undefined),
  tool_calls: z.array(toolCall).nullish().catch(undefined),
});

const usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({
    cached_tokens: count.nullish(),
    cache_write_tokens: count.nullish(),
  }).nullish().catch(undefined),
  /** DeepSeek's name for the cached ones. */
  prompt_cache_hit_tokens: count.nullish(),
  /** OpenRouter: US dollars. */
  cost: z.number().nonnegative().nullish().catch(undefined),
  is_byok: z.boolean().nullish().catch(undefined),
  cost_details: z.object({
    upstream_inference_cost: z.number().nonnegative().nullish().catch(undefined),
  }).nullish().catch(undefined),
});

const failed = z.object({
  message: words,
  type: words,
  param: words,
  code: z.union([z.string(), z.number()]).nullish().catch(undefined),
});

/** An error as servers of this kind tell it, with status 400 and above or in the middle of a stream. */
export type SaidError = z.infer<typeof failed>;
export type ChunkUsage = z.infer<typeof usage>;
export type ChunkSaid = z.infer<typeof said>;
export type ChunkCall = z.infer<typeof toolCall>;

/** One event of a stream, or a whole answer, of `/chat/completions`. */
export const chunkSchema = z.object({
  choices: z.array(z.object({
    index: z.number().nullish().catch(undefined),
    delta: said.nullish(),
    message: said.nullish(),
    finish_reason: words,
  })).nullish(),
  usage: usage.nullish().catch(undefined),
  error: z.union([failed, z.string().transform((message) => ({ message }))]).nullish(),
});
export type Chunk = z.infer<typeof chunkSchema>;

/** The error in the body of an answer; undefined when there is none. */
export function errorIn(body: string): SaidError | undefined {
  try {
    const value: unknown = JSON.parse(body);
    // Some gateways wrap the document into a list.
    const document: unknown = Array.isArray(value) ? value[0] : value;
    const parsed = chunkSchema.safeParse(document);
    return parsed.success && parsed.data.error ? { ...parsed.data.error } : undefined;
  } catch {
    return undefined;
  }
}
