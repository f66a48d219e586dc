import type { ModelUse } from "../sweep/monitor-event.ts";
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
}
