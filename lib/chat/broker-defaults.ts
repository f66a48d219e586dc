import type {
  AnswerRules,
  AttachmentLimits,
  BotRules,
  BotTurnLimits,
  DispatchRules,
  PermissionRules,
  ReactionRules,
  SessionLimits,
  TurnLimits,
  WorkspaceRules,
} from "./broker-config.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** `hard` is no setting: one number for everybody, above each soft limit that can be set. */
export const BOT_TURN_LIMITS: BotTurnLimits = {
  soft: 100,
  hard: 1000,
  window: 20,
  windowMs: 5 * MINUTE,
};

/** Nobody is let in who was not named. */
export const RULE_DEFAULTS: BotRules = {
  channels: [],
  users: [],
  userRoles: [],
  botMessages: "off",
  trustedBots: [],
  userMessages: "multibot-mentions",
  triggerRoles: [],
  directMessages: false,
  botTurns: BOT_TURN_LIMITS,
};

export const DISPATCH_DEFAULTS: DispatchRules = {
  mode: "per-thread",
  mostMessages: 10,
  mostTokens: 24_000,
  words: { stop: ["stop", "cancel"], reset: [] },
};

export const WORKSPACE_DEFAULTS: WorkspaceRules = {
  folder: undefined,
  perThread: true,
  sandbox: "workspace",
  network: true,
};

export const PERMISSION_DEFAULTS: PermissionRules = {
  kinds: {
    read: "allow",
    search: "allow",
    think: "allow",
    edit: "ask",
    move: "ask",
    execute: "ask",
    fetch: "ask",
    other: "ask",
    delete: "deny",
  },
  timeoutMs: 10 * MINUTE,
  approvers: undefined,
};

export const LIMIT_DEFAULTS: TurnLimits = {
  silenceMs: 10 * MINUTE,
  toolMs: 30 * MINUTE,
  turnMs: 2 * HOUR,
  initializeMs: 30 * SECOND,
  loadMs: 30 * SECOND,
  openMs: 2 * MINUTE,
};

export const SESSION_DEFAULTS: SessionLimits = {
  mostSessions: 10,
  mostWaiting: 50,
  ttlMs: 24 * HOUR,
};

export const ATTACHMENT_DEFAULTS: AttachmentLimits = {
  textBytes: 512 * KIB,
  textFiles: 5,
  textTotalBytes: MIB,
  imageBytes: 10 * MIB,
  imageSide: 1200,
  audioBytes: 25 * MIB,
  fileBytes: 100 * MIB,
  sessionBytes: 1024 * MIB,
  sentBytes: 10 * MIB,
  sentFiles: 10,
};

export const REACTION_DEFAULTS: ReactionRules = {
  enabled: true,
  removeAfterReply: false,
  toolDisplay: "compact",
  emojis: {
    queued: "👀",
    thinking: "🤔",
    tool: "🔥",
    coding: "👨‍💻",
    web: "⚡",
    asking: "✋",
    slow: "🥱",
    stuck: "😨",
    done: "🆗",
    error: "😱",
    cancelled: "🛑",
    denied: "🚫",
  },
  timing: {
    debounceMs: 700,
    stallSoftMs: 10_000,
    stallHardMs: 30_000,
    doneHoldMs: 1500,
    errorHoldMs: 2500,
  },
};

export const ANSWER_DEFAULTS: AnswerRules = { streaming: "auto", tables: "code", footer: true };

export const STT_DEFAULTS = {
  model: "whisper-large-v3-turbo",
  baseUrl: "https://api.groq.com/openai/v1",
  echo: false,
  /** Taken for the address above only. */
  keyEnv: "GROQ_API_KEY",
};

export const CRON_DEFAULTS = { timeZone: "UTC", sender: "herd-cron", catchUp: "none" } as const;

export const BOT_TOKEN_VARIABLE = "DISCORD_BOT_TOKEN";
