import type { TokenPrice } from "../sweep/config.ts";
import type { SandboxLevel } from "../tasks/sandbox.ts";
import type { ToolKind } from "./turn.ts";
import type { OrderWords } from "./word-order.ts";

/** The section `broker` of herd's own configuration file. */
export interface BrokerConfig {
  /** Those that are switched off are left out. */
  bots: readonly BotConfig[];
  /** By name, each with whom a bot or a project converses: settings of lib/backends. */
  agents: Readonly<Record<string, AgentSettings>>;
}

export type AgentSettings = Readonly<Record<string, unknown>> & { kind: string };

export interface BotConfig {
  name: string;
  /** Name of the environment variable with the token, or the token itself. */
  token: { env: string } | { text: string };
  rules: BotRules;
  dispatch: DispatchRules;
  agent: AgentChoice;
  /** Said to the agent beside herd's own words. */
  instructions: string | undefined;
  workspace: WorkspaceRules;
  /** By the id of a channel: what its conversations have instead. */
  projects: Readonly<Record<string, Project>>;
  permissions: PermissionRules;
  limits: TurnLimits;
  pool: SessionLimits;
  /** US dollars; undefined: no limit. When it is reached, no new turn begins on that day (UTC). */
  budget: { usdPerDay: number | undefined };
  attachments: AttachmentLimits;
  reactions: ReactionRules;
  answers: AnswerRules;
  stt: SpeechToText | undefined;
  cron: CronRules;
}

/** Who may talk to the bot, where, and when it answers. */
export interface BotRules {
  /** Nowhere when empty. A thread has its parent's permission. */
  channels: readonly string[] | "all";
  /** Nobody when empty. Whoever has one of `userRoles` may, too. */
  users: readonly string[] | "all";
  userRoles: readonly string[];
  botMessages: BotMode;
  /** Empty: any bot that the mode admits; never empty in mode `all`. */
  trustedBots: readonly string[];
  userMessages: UserMode;
  /** A mention of one of these roles is a mention of the bot. */
  triggerRoles: readonly string[];
  directMessages: boolean;
  /** Messages of bots in a conversation without a word of a person. */
  botTurns: BotTurnLimits;
}

export type BotMode = "off" | "mentions" | "all";
export type UserMode = "involved" | "mentions" | "multibot-mentions";

export interface BotTurnLimits {
  soft: number;
  hard: number;
  window: number;
  windowMs: number;
}

export interface DispatchRules {
  mode: "per-message" | "per-thread" | "per-lane";
  /** Of one turn, and of the queue. */
  mostMessages: number;
  /** Estimated: characters / 4 + 1, an image 512. */
  mostTokens: number;
  /** Single words that are orders while a turn runs. */
  words: OrderWords;
}

export interface AgentChoice {
  /** A key of `agents`. */
  name: string;
  /** As the provider names it; undefined for the agent's own. */
  model: string | undefined;
  /** US dollars per million tokens; undefined: unknown. */
  price: TokenPrice | undefined;
}

export interface WorkspaceRules {
  /** Absolute; undefined: a folder of herd's own. */
  folder: string | undefined;
  /** A folder for each conversation below it; otherwise all work in `folder` itself. */
  perThread: boolean;
  sandbox: SandboxLevel;
  /** For what is confined; `none` always has it. */
  network: boolean;
}

/** What a channel's conversations work on. */
export interface Project {
  /** Absolute. */
  folder: string;
  /** A git worktree for each conversation. */
  worktree: boolean;
  agent: AgentChoice | undefined;
}

export interface PermissionRules {
  kinds: Readonly<Record<ToolKind, "allow" | "ask" | "deny">>;
  /** Silence for so long is denial. */
  timeoutMs: number;
  /** Ids of users and roles who may answer; undefined: whoever may talk to the bot. */
  approvers: readonly string[] | undefined;
}

export interface TurnLimits {
  /** Without a sign of the agent, while no tool is running: the turn is stuck. */
  silenceMs: number;
  /** The same while a tool is running. */
  toolMs: number;
  /** A whole turn. */
  turnMs: number;
  initializeMs: number;
  loadMs: number;
  openMs: number;
}

export interface SessionLimits {
  /** Live agents; whoever is next waits. */
  mostSessions: number;
  /** Turns that wait for one. */
  mostWaiting: number;
  ttlMs: number;
}

export interface AttachmentLimits {
  textBytes: number;
  textFiles: number;
  textTotalBytes: number;
  imageBytes: number;
  /** Pixels of the longest side. */
  imageSide: number;
  audioBytes: number;
  /** Whatever is saved into the session's folder. */
  fileBytes: number;
  /** All that one conversation has received. */
  sessionBytes: number;
  /** Files that the agent sends. */
  sentBytes: number;
  sentFiles: number;
}

export interface ReactionRules {
  enabled: boolean;
  removeAfterReply: boolean;
  toolDisplay: "full" | "compact" | "none";
  emojis: Readonly<Record<EmojiName, string>>;
  timing: {
    debounceMs: number;
    stallSoftMs: number;
    stallHardMs: number;
    doneHoldMs: number;
    errorHoldMs: number;
  };
}

export type EmojiName =
  | "queued"
  | "thinking"
  | "tool"
  | "coding"
  | "web"
  | "asking"
  | "slow"
  | "stuck"
  | "done"
  | "error"
  | "cancelled"
  | "denied";

export interface AnswerRules {
  /** `auto`: off in a thread where other bots have written. */
  streaming: "auto" | "on" | "off";
  tables: "code" | "bullets" | "off";
  /** Tokens, cost, model and duration below the answer. */
  footer: boolean;
}

export interface SpeechToText {
  model: string;
  baseUrl: string;
  /** Undefined: the endpoint is on this machine and wants none. */
  key: { env: string } | { text: string } | undefined;
  echo: boolean;
}

export interface CronRules {
  jobs: readonly CronJob[];
  /** A file with more of them, read again when it changes; absolute or relative to herd's home. */
  userFile: string | undefined;
}

export interface CronJob {
  /** Five fields, or `@daily` and its like. */
  schedule: string;
  /** IANA name. */
  timeZone: string;
  channelId: string;
  threadId: string | undefined;
  message: string;
  /** Shown as who asks. */
  sender: string;
  catchUp: "none" | "last";
}
