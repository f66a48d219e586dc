import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages";
import type { Tokens } from "../sweep/monitor-event.ts";
import type { ModelFailure } from "./agent.ts";
import type { Tool } from "./tool.ts";

/** One call to a model: no retries, no tools run. */
export interface ModelCall {
  system: string;
  messages: readonly MessageParam[];
  tools: readonly Tool[];
  /** Longest answer, in tokens. */
  maxTokens: number;
  signal: AbortSignal;
  /** The words of this answer so far. */
  onText(text: string): void;
  /** It thinks. */
  onThought?(): void;
}

/** A tool call as the model wrote it. */
export interface ToolCall {
  id: string;
  name: string;
  input: unknown;
  /** Why `input` is not what was written: a sentence for the model. */
  problem: string | undefined;
}

export interface ModelReply {
  /** What the conversation keeps of it: whole blocks only. */
  content: readonly ContentBlockParam[];
  text: string;
  /** Whole calls, in order. */
  calls: readonly ToolCall[];
  /** Name of a call that the length limit cut in half; it is in neither list. */
  halfCall: string | undefined;
  stop: "done" | "length" | "refused" | "paused" | "too-long";
}

/**
 * Longest answer of a call, in characters: a server that writes on and on, past what it was asked
 * for, is broken or hostile.
 */
export function longestAnswer({ maxTokens }: Pick<ModelCall, "maxTokens">): number {
  return 100_000 + 32 * maxTokens;
}

/** What a call cost so far as is known; undefined when the server never began to answer. */
export interface CallUse {
  tokens: Tokens;
  estimated: boolean;
  /** US dollars, where the server itself says so; it wins over the table of prices. */
  usd?: number;
}

export type ModelOutcome =
  | { ok: true; reply: ModelReply; used: CallUse }
  | {
    ok: false;
    failure: ModelFailure;
    /** What was said until then. */
    text: string;
    used: CallUse | undefined;
  };
