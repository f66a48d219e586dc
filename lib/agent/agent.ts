import type { ModelUse } from "../sweep/monitor-event.ts";
import type { ModelMessage, SaidBlock } from "./conversation.ts";
import type { Tool } from "./tool.ts";

/** Something that thinks with tools: the Messages API, or the user's own `claude`. */
export interface Agent {
  /** What it is, for people: "claude-sonnet-5 at https://…, with the key ANTHROPIC_API_KEY". No secret in it. */
  readonly description: string;
  /** Name of the model, as prices know it. */
  readonly model: string;
  /** One turn, tools included, until it has nothing more to do. Never throws, never outlives its signal. */
  think(request: ThinkRequest): Promise<Thought>;
}

export interface ThinkRequest {
  /** What it is for: `message`, `failure`, `plateau`, `report`, `tick`, `interview`; kept with its cost. */
  purpose: string;
  /** Who it is and how it works: the playbook. Stable, so that it is cached. */
  system: string;
  /** The situation and what is wanted. */
  prompt: string;
  // From here to `shorten`: of the APIs; `claude-cli` knows none of it.
  /** In place of `prompt`, where pictures belong to what is wanted. */
  blocks?: readonly SaidBlock[];
  /** What was said before; it ends with an answer. */
  history?: readonly ModelMessage[];
  tools: readonly Tool[];
  /** Calls to the model at most; fewer than the settings allow, never more. */
  maxTurns?: number;
  /** US dollars that this turn may cost; checked before each call. */
  budgetUsd: number | undefined;
  signal: AbortSignal;
  /**
   * After each call to the model, before its tools run: what it cost. `toldUsd`: US dollars, where
   * the server itself said so.
   */
  onUse(use: ModelUse, toldUsd?: number): void | Promise<void>;
  /** The words of the answer so far, as they come. */
  onText?(text: string): void;
  /** All that was said in this turn so far, what came between tool calls too, in paragraphs. */
  onAnswer?(text: string): void;
  /** It thinks, and says nothing meanwhile: a sign of life. */
  onThought?(): void;
  /** All of the conversation whenever it is whole: each call has its result. */
  onConversation?(messages: readonly ModelMessage[]): void;
  /**
   * What people said into the turn since it was asked before; it goes into the next call. `isEnd`:
   * the model is done, and when there is nothing the turn ends at once.
   */
  said?(isEnd: boolean): readonly string[];
  /** A shorter conversation for a model that cannot read all of this one; undefined: it fails. */
  shorten?(messages: readonly ModelMessage[]): readonly ModelMessage[] | undefined;
  /** Each tool call with its result. */
  onTool?(
    call: { name: string; input: unknown; result: string; isError: boolean; ms: number },
  ): void;
}

export type Thought =
  | { kind: "answered"; text: string }
  /** It stopped short: what it said until then. */
  | { kind: "out-of-turns" | "out-of-budget" | "refused" | "aborted"; text: string }
  | { kind: "failed"; failure: ModelFailure; text: string };

export interface ModelFailure {
  kind:
    | "overloaded"
    | "rate-limited"
    | "timeout"
    /** The stream ended in the middle, or no connection came about. */
    | "unreachable"
    /** The key is missing, wrong or out of funds: no use to try again soon. */
    | "auth"
    /** The request is refused as malformed, or the model does not exist. */
    | "rejected"
    | "unreadable";
  /** One sentence for people. No secret in it. */
  message: string;
  status: number | undefined;
  /** What the server asked for, in milliseconds. */
  retryAfterMs: number | undefined;
  /** The conversation is longer than the model can read: less of it may do. */
  isTooLong?: true;
}
