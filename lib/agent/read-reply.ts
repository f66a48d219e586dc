import type {
  ContentBlockParam,
  MessageDeltaUsage,
  RawMessageStreamEvent,
  Usage,
} from "@anthropic-ai/sdk/resources/messages";
import { noTokens } from "../sweep/monitor-state.ts";
import type { CallUse, ModelReply, ToolCall } from "./model-call.ts";

interface Block {
  start: Extract<RawMessageStreamEvent, { type: "content_block_start" }>["content_block"];
  text: string;
  signature: string;
}

/** Longest piece of a malformed input that is quoted back. Characters. */
const QUOTED = 200;
/** Written text per token, as far as one can tell. */
const CHARACTERS_PER_TOKEN = 4;

/** Puts a stream of events together; what is missing at the end is told by `reply` and `used`. */
export function createReplyReader(
  onText: (text: string) => void,
  onThought: () => void = () => {},
) {
  const blocks = new Map<number, Block>();
  const tokens = noTokens();
  let started = false;
  let size = 0;
  let stopReason: string | undefined;

  const ordered = () => [...blocks.entries()].sort(([a], [b]) => a - b).map(([, block]) => block);
  const text = () =>
    ordered().filter(({ start }) => start.type === "text").map((block) => block.text).join("");

  function count(usage: Partial<Usage | MessageDeltaUsage> | undefined): void {
    tokens.input = usage?.input_tokens ?? tokens.input;
    tokens.output = usage?.output_tokens ?? tokens.output;
    tokens.cacheRead = usage?.cache_read_input_tokens ?? tokens.cacheRead;
    tokens.cacheWrite = usage?.cache_creation_input_tokens ?? tokens.cacheWrite;
  }

  function addDelta(block: Block | undefined, event: RawMessageStreamEvent): void {
    if (block === undefined || event.type !== "content_block_delta") return;
    const { delta } = event;
    const before = block.text.length + block.signature.length;
    if (delta.type === "text_delta") {
      block.text += delta.text;
      onText(text());
    } else if (delta.type === "input_json_delta") {
      block.text += delta.partial_json;
      onThought();
    } else if (delta.type === "thinking_delta") {
      block.text += delta.thinking;
      onThought();
    } else if (delta.type === "signature_delta") block.signature += delta.signature;
    size += block.text.length + block.signature.length - before;
  }

  return {
    add(event: RawMessageStreamEvent): void {
      if (event.type === "message_start") {
        started = true;
        count(event.message.usage);
      } else if (event.type === "content_block_start") {
        blocks.set(event.index, opened(event.content_block));
        if (event.content_block.type === "text" && event.content_block.text) onText(text());
      } else if (event.type === "content_block_delta") {
        addDelta(blocks.get(event.index), event);
      } else if (event.type === "message_delta") {
        stopReason = event.delta.stop_reason ?? stopReason;
        count(event.usage);
      }
    },
    text,
    /** Characters of all that came. */
    size: () => size,
    /** Undefined until the server has said why it stopped: then the answer is whole. */
    reply(): ModelReply | undefined {
      return stopReason === undefined ? undefined : assemble(ordered(), stopReason, text());
    },
    used(): CallUse | undefined {
      if (!started) return undefined;
      if (stopReason !== undefined) return { tokens: { ...tokens }, estimated: false };
      const written = ordered().reduce((sum, block) => sum + block.text.length, 0);
      const output = Math.max(tokens.output, Math.ceil(written / CHARACTERS_PER_TOKEN), 1);
      return { tokens: { ...tokens, output }, estimated: true };
    },
  };
}

function opened(start: Block["start"]): Block {
  const text = start.type === "text" ? start.text : start.type === "thinking" ? start.thinking : "";
  const signature = start.type === "thinking" ? start.signature : "";
  return { start, text: text ?? "", signature: signature ?? "" };
}

function assemble(blocks: readonly Block[], stopReason: string, text: string): ModelReply {
  const content: ContentBlockParam[] = [];
  const calls: ToolCall[] = [];
  const cut = stopReason === "max_tokens" || stopReason === "model_context_window_exceeded";
  let halfCall: string | undefined;
  blocks.forEach((block, i) => {
    const { start } = block;
    if (start.type === "tool_use") {
      // Its input may look whole by chance; a call that was cut is never run.
      if (cut && i === blocks.length - 1) halfCall = start.name;
      else {
        const call = readCall(start.id || `call_${i}`, start.name, start.input, block.text);
        calls.push(call);
        const input = call.problem === undefined ? call.input : {};
        content.push({ type: "tool_use", id: call.id, name: call.name, input });
      }
    } else if (start.type === "text") {
      // The API refuses empty text, and text that is only white space.
      if (block.text.trim() !== "") content.push({ type: "text", text: block.text.toWellFormed() });
    } else if (start.type === "thinking") {
      // Without its signature the API refuses it.
      if (block.signature !== "") {
        content.push({ type: "thinking", thinking: block.text, signature: block.signature });
      }
    } else if (start.type === "redacted_thinking") {
      content.push({ type: "redacted_thinking", data: start.data });
    }
  });
  return { content, text: text.toWellFormed(), calls, halfCall, stop: stopOf(stopReason) };
}

/** A call from its input as it was written; `input` where nothing was written. */
export function readCall(id: string, name: string, input: unknown, json: string): ToolCall {
  if (json.trim() === "") return checked({ id, name, input: input ?? {}, problem: undefined });
  try {
    return checked({ id, name, input: JSON.parse(json), problem: undefined });
  } catch {
    const quoted = JSON.stringify(json.slice(0, QUOTED).toWellFormed());
    const problem = `Cannot run ${name}: its input is not valid JSON. It began with ${quoted}. ` +
      "Send a JSON object that follows the tool's schema";
    return { id, name, input: json.slice(0, QUOTED), problem };
  }
}

function checked(call: ToolCall): ToolCall {
  const { input } = call;
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return call;
  const found = input === null ? "null" : Array.isArray(input) ? "an array" : `a ${typeof input}`;
  return {
    ...call,
    problem: `Cannot run ${call.name}: its input is ${found}, expected a JSON object`,
  };
}

function stopOf(reason: string): ModelReply["stop"] {
  if (reason === "max_tokens") return "length";
  if (reason === "refusal") return "refused";
  if (reason === "pause_turn") return "paused";
  return reason === "model_context_window_exceeded" ? "too-long" : "done";
}
