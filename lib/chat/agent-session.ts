import type { ToolKind, TurnFailure, TurnUse } from "./turn.ts";

/** What is given to the agent, in order. */
export type Block =
  | { type: "text"; text: string }
  /** Base64 without line breaks. */
  | { type: "image"; mimeType: string; data: string };

/** Something that one can converse with: an ACP program, a model's API with herd's tools, any program. */
export interface Converser {
  /** What it is, for people; no secret in it. */
  readonly description: string;
  /**
   * Opens a conversation, or takes one up again. Never throws: a failure says what failed. What it
   * starts ends with `close`, also when this process dies.
   */
  open(wish: OpenWish): Promise<AgentSession | { failed: TurnFailure }>;
}

export interface OpenWish {
  conversation: string;
  /** Absolute; the agent works here. */
  folder: string;
  /** The system's words: who it is, who is in the room, how it answers. */
  instructions: string;
  /** The agent's own id of an earlier life of the conversation, and all that was said in it. */
  earlier: { sessionId: string | undefined; transcript: readonly Said[] } | undefined;
  signal: AbortSignal;
  hooks: SessionHooks;
}

/** herd's own record of a conversation, by which it is replayed where the agent cannot load it. */
export interface Said {
  role: "person" | "agent";
  at: number;
  text: string;
}

export interface SessionHooks {
  /** Answered by a person or a policy; silence is denial. Rejects never. */
  permission(request: PermissionRequest, signal: AbortSignal): Promise<"once" | "always" | "deny">;
  log(text: string): void;
}

export interface PermissionRequest {
  tool: string;
  kind: ToolKind;
  title: string;
  /** What exactly is to be done: the command, the path and the change. */
  detail: string;
  /** Which of the conversation's questions it is; given by those who ask people. */
  question?: string;
  /** How many more questions wait behind it; absent: none. */
  behind?: number;
}

export interface AgentSession extends AsyncDisposable {
  /** The agent's own id, by which it may be loaded later; undefined where there is none. */
  readonly sessionId: string | undefined;
  /** How it came to know what was said before. */
  readonly memory: "fresh" | "loaded" | "replayed" | "lost";
  /** One prompt at a time. Never throws. Late answers to an earlier prompt never end this one. */
  prompt(blocks: readonly Block[], hooks: PromptHooks): Promise<PromptEnd>;
  /** Said into a running turn, where the agent can take it; false where it cannot. */
  steer(text: string): Promise<boolean>;
  options(): readonly SessionOption[];
  /** Undefined when it is done, else why not. */
  choose(option: string, value: string): Promise<string | undefined>;
  /** The last lines of its standard error. */
  stderr(): string;
  /** Resolves with the reason when it ends by itself. */
  readonly gone: Promise<string>;
}

export interface PromptHooks {
  /** Told to stop; what was said until then counts. */
  signal: AbortSignal;
  /** All of the answer so far. */
  onText(text: string): void;
  onTool(use: { id: string; title?: string; kind?: ToolKind; status?: ToolStatus }): void;
  onThought(): void;
  onUse(use: TurnUse): void;
}

export type ToolStatus = "running" | "completed" | "failed";

export type PromptEnd =
  | { kind: "done"; text: string }
  | { kind: "cancelled"; text: string }
  | { kind: "failed"; failure: TurnFailure; text: string };

/** A choice that the agent offers, such as its model or mode. */
export interface SessionOption {
  id: string;
  name: string;
  category: "model" | "mode" | "other";
  current: string | undefined;
  values: readonly { value: string; name: string }[];
}
