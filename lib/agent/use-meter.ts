import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import type { CallUse } from "./model-call.ts";
import { chunkSchema } from "./openai-chunk.ts";
import { createChunkReader } from "./openai-reader.ts";
import { createReplyReader } from "./read-reply.ts";

/** Reads along an answer that passes by, to know what it used. */
export interface UseMeter {
  add(bytes: Uint8Array): void;
  /** Undefined for an answer that is none. */
  used(): CallUse | undefined;
}

/** An answer that is no stream, and one line of a stream. Characters. */
const LONGEST = 16 * 1024 * 1024;

/** `isStream`: server-sent events; else one document. `promptLength` in characters. */
export function createUseMeter(
  kind: "anthropic" | "openai",
  { isStream, promptLength }: { isStream: boolean; promptLength: number },
): UseMeter {
  const decoder = new TextDecoder();
  const claude = createReplyReader(() => {});
  const chunks = createChunkReader({ onText: () => {}, maxTokens: 500_000 }, promptLength);
  let rest = "";

  /** What has not the expected shape says nothing of what was used. */
  function take(json: string): void {
    try {
      const value: unknown = JSON.parse(json);
      if (kind === "anthropic") claude.add(eventOf(value, isStream));
      else chunks.add(chunkSchema.parse(value));
    } catch {
      // It goes on to whoever asked, who will say what is wrong with it.
    }
  }

  return {
    add(bytes) {
      rest += decoder.decode(bytes, { stream: true });
      if (!isStream) {
        if (rest.length > LONGEST) rest = "";
        return;
      }
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST) rest = "";
      for (const line of lines) if (line.startsWith("data:")) take(line.slice(5).trim());
    },
    used() {
      if (!isStream && rest !== "") {
        take(rest);
        if (kind === "anthropic") claude.add({ type: "message_delta", ...STOPPED });
        rest = "";
      }
      return kind === "anthropic" ? claude.used() : chunks.used();
    },
  };
}

/** A document says at once what a stream says at its beginning and its end. */
const STOPPED = { delta: { stop_reason: "end_turn" } } as Omit<
  Extract<RawMessageStreamEvent, { type: "message_delta" }>,
  "type"
>;

function eventOf(value: unknown, isStream: boolean): RawMessageStreamEvent {
  if (isStream) return value as RawMessageStreamEvent;
  const isAnswer = typeof value === "object" && value !== null && "usage" in value;
  if (!isAnswer) throw new Error("no answer");
  return { type: "message_start", message: value } as RawMessageStreamEvent;
}
