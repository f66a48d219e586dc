import type { ContentBlockParam } from "@anthropic-ai/sdk/resources/messages";
import type { Tokens } from "../sweep/monitor-event.ts";
import {
  type CallUse,
  longestAnswer,
  type ModelCall,
  type ModelReply,
  type ToolCall,
} from "./model-call.ts";
import type { Chunk, ChunkCall, ChunkSaid, ChunkUsage } from "./openai-chunk.ts";
import { readCall } from "./read-reply.ts";

interface CallParts {
  index: number;
  id: string;
  name: string;
  json: string;
}

/** Written text per token, as far as one can tell. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * Puts the chunks of one answer together. `promptLength`: characters of what was asked, to estimate
 * the cost of a call that is cut before the server says what it used.
 */
export function createChunkReader(
  call: Pick<ModelCall, "onText" | "onThought" | "maxTokens">,
  promptLength: number,
) {
  const { onText, onThought = () => {} } = call;
  const longest = longestAnswer(call);
  const calls: CallParts[] = [];
  const details: Record<string, unknown>[] = [];
  let text = "";
  let refusal = "";
  let written = 0;
  let started = false;
  let finish: string | undefined;
  let usage: ChunkUsage | undefined;

  function addSaid(said: ChunkSaid): void {
    const hidden = said.reasoning ?? said.reasoning_content ?? "";
    written += hidden.length;
    refusal += said.refusal ?? "";
    for (const detail of said.reasoning_details ?? []) addDetail(details, detail);
    for (const call of said.tool_calls ?? []) addCall(call);
    if (!said.content) return onThought();
    text += said.content;
    written += said.content.length;
    onText(text);
  }

  function addCall(delta: ChunkCall): void {
    const { id } = delta;
    const last = calls.at(-1);
    const index = delta.index ?? (id && id !== last?.id ? calls.length : last?.index ?? 0);
    let call = calls.findLast((one) => one.index === index);
    // Some servers number every call 0: another id is another call.
    if (call === undefined || (id && call.id !== "" && id !== call.id)) {
      call = { index, id: "", name: "", json: "" };
      calls.push(call);
    }
    if (id) call.id = id;
    const { name, arguments: given } = delta.function ?? {};
    // A name comes whole; servers that repeat it with each piece are not to double it.
    if (name && call.name === "") call.name = name;
    const piece = typeof given === "string"
      ? given
      : given === undefined || given === null
      ? ""
      : JSON.stringify(given);
    call.json += piece;
    written += piece.length + (name?.length ?? 0);
  }

  return {
    /** False when the answer is longer than any answer may be. */
    add(chunk: Chunk): boolean {
      // An error in its place is no answer that began.
      started ||= Boolean(chunk.choices?.length);
      usage = chunk.usage ?? usage;
      const choice = chunk.choices?.find(({ index }) => (index ?? 0) === 0);
      const said = choice?.delta ?? choice?.message;
      if (said) addSaid(said);
      finish = choice?.finish_reason ?? finish;
      return written <= longest;
    },
    text: () => text,
    /** Undefined until the server has said why it stopped: then the answer is whole. */
    reply(): ModelReply | undefined {
      if (finish === undefined || finish === "error") return undefined;
      return assemble({ calls, details, text: text || refusal, refusal, finish });
    },
    used(): CallUse | undefined {
      if (usage !== undefined) return useOf(usage);
      if (!started) return undefined;
      const input = Math.ceil(promptLength / CHARACTERS_PER_TOKEN);
      const output = Math.max(1, Math.ceil(written / CHARACTERS_PER_TOKEN));
      return { tokens: { input, output, cacheRead: 0, cacheWrite: 0 }, estimated: true };
    },
  };
}

/** Pieces of one part of the reasoning follow each other with the same type and index. */
function addDetail(details: Record<string, unknown>[], detail: Record<string, unknown>): void {
  const last = details.at(-1);
  const same = last !== undefined && last["type"] === detail["type"] &&
    last["index"] === detail["index"] && detail["type"] !== "reasoning.encrypted";
  if (!same) {
    details.push({ ...detail });
    return;
  }
  for (const [key, value] of Object.entries(detail)) {
    const before = last[key];
    const grows = key === "text" || key === "summary";
    if (value === null || value === undefined) continue;
    last[key] = grows && typeof before === "string" && typeof value === "string"
      ? before + value
      : value;
  }
}

function useOf(usage: ChunkUsage): CallUse {
  const { prompt_tokens: prompt, completion_tokens: output, prompt_tokens_details: parts } = usage;
  const cacheRead = Math.min(prompt, parts?.cached_tokens ?? usage.prompt_cache_hit_tokens ?? 0);
  const cacheWrite = Math.min(prompt - cacheRead, parts?.cache_write_tokens ?? 0);
  const tokens: Tokens = { input: prompt - cacheRead - cacheWrite, output, cacheRead, cacheWrite };
  // With the account's own key the cost is OpenRouter's fee alone; the provider's bill comes on top.
  const upstream = usage.is_byok === true ? usage.cost_details?.upstream_inference_cost ?? 0 : 0;
  const { cost } = usage;
  return {
    tokens,
    estimated: false,
    ...(cost === undefined || cost === null ? {} : { usd: cost + upstream }),
  };
}

function assemble(
  { calls: parts, details, text, refusal, finish }: {
    calls: readonly CallParts[];
    details: readonly Record<string, unknown>[];
    text: string;
    refusal: string;
    finish: string;
  },
): ModelReply {
  const content: ContentBlockParam[] = [];
  const calls: ToolCall[] = [];
  let halfCall: string | undefined;
  const cut = finish === "length";
  if (details.length > 0) {
    content.push({ type: "redacted_thinking", data: JSON.stringify(details) });
  }
  if (text.trim() !== "") content.push({ type: "text", text: text.toWellFormed() });
  const ids = new Set<string>();
  parts.forEach((part, i) => {
    // Its input may look whole by chance; a call that was cut is never run.
    if (cut && i === parts.length - 1) {
      halfCall = part.name;
      return;
    }
    // The results are told apart by their ids, which some servers leave out or repeat.
    const id = part.id === "" || ids.has(part.id) ? `call_${crypto.randomUUID()}` : part.id;
    ids.add(id);
    const call = readCall(id, part.name || "unnamed", {}, part.json);
    calls.push(call);
    content.push({
      type: "tool_use",
      id,
      name: call.name,
      input: call.problem === undefined ? call.input : {},
    });
  });
  const whole = content.some(({ type }) => type !== "redacted_thinking");
  return {
    // Reasoning alone is no message that a server would take back.
    content: whole ? content : [],
    text: text.toWellFormed(),
    calls,
    halfCall,
    stop: stopOf(finish, refusal),
  };
}

function stopOf(finish: string, refusal: string): ModelReply["stop"] {
  if (finish === "length") return "length";
  return finish === "content_filter" || refusal !== "" ? "refused" : "done";
}
