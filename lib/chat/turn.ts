/**
 * One turn of a conversation: some messages of people, worked on by the agent, answered. What is
 * shown of it, text and reaction, is a function of this and of nothing else.
 */
export interface Turn {
  id: string;
  conversation: string;
  /** The messages that it answers, oldest first; its signs are on the last. */
  messages: readonly string[];
  state: TurnState;
  /** Milliseconds since the epoch. */
  startedAt: number | undefined;
  /** When the agent last did or said anything; text counts. */
  activeAt: number;
  tools: readonly ToolUse[];
  /** Finished uses before those, of which only the number is kept. */
  earlierTools?: ToolCounts;
  /** The agent's words so far. */
  text: string;
  use: TurnUse | undefined;
  /** What people, or nobody, said to the agent's questions; oldest first. */
  answers?: readonly PermissionWord[];
}

/** What became of a question for a permission. */
export interface PermissionWord {
  what: string;
  answer: "once" | "always" | "deny";
  /** Such as `discord:123`, or what stood for a person, such as "silence". */
  by: string;
  /** So many questions in a row; absent: one. */
  times?: number;
}

export type TurnState =
  /** `ahead`: how many turns are before it. */
  | { kind: "queued"; ahead: number }
  | { kind: "starting" }
  | { kind: "running" }
  /** A person is asked for a permission. */
  | {
    kind: "asking";
    what: string;
    /** The command, the path and the change; shown below. */
    detail?: string;
    /** Which question it is: an answer to an earlier one is none to this. */
    question?: string | undefined;
    /** How many more wait behind it. */
    behind?: number | undefined;
  }
  /** Silent for longer than the limit; people may wait on or stop it. */
  | { kind: "stuck"; silentMs: number }
  | { kind: "done" }
  | { kind: "failed"; failure: TurnFailure }
  | { kind: "cancelled"; by: string };

/** Why a turn failed, honest and for people. */
export interface TurnFailure {
  kind:
    | "not-found"
    | "not-logged-in"
    | "busy"
    | "timeout"
    | "gone"
    | "refused"
    | "model"
    | "protocol"
    | "nothing-said"
    | "budget"
    | "lost";
  /** One sentence, no period. */
  message: string;
  /** HTTP status or JSON-RPC code. */
  code: number | undefined;
  /** Last lines of the agent's standard error. */
  stderr: string;
  /** What may help, a sentence without period. */
  hint: string | undefined;
}

export interface ToolCounts {
  completed: number;
  failed: number;
}

export interface ToolUse {
  id: string;
  /** As the agent calls it; flattened only when it is shown. */
  title: string;
  kind: ToolKind;
  status: "running" | "completed" | "failed";
}

/** As ACP has them; `other` for what nobody classified. */
export type ToolKind =
  | "read"
  | "edit"
  | "delete"
  | "move"
  | "search"
  | "execute"
  | "think"
  | "fetch"
  | "other";

export interface TurnUse {
  model: string | undefined;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** US dollars; null when nobody knows. */
  usd: number | null;
}

export function turnId(conversation: string, number: number): string {
  return `${conversation}-${number}`;
}

export function conversationOfTurn(id: string): string {
  return id.slice(0, id.lastIndexOf("-"));
}

/** The how many-th of its conversation, from 1. */
export function turnNumber(id: string): number {
  return Number(id.slice(id.lastIndexOf("-") + 1));
}

export function isOver({ kind }: TurnState): boolean {
  return kind === "done" || kind === "failed" || kind === "cancelled";
}
