import { isOver, type ToolKind, type Turn } from "./turn.ts";

/** What a reaction can say. */
export type Sign =
  | "queued"
  | "thinking"
  | "tool"
  | "coding"
  | "web"
  | "slow"
  | "silent"
  | "asking"
  | "stuck"
  | "done"
  | "failed"
  | "error"
  | "cancelled";

export const EMOJIS: Readonly<Record<Sign, string>> = {
  queued: "👀",
  thinking: "🤔",
  tool: "🔥",
  coding: "👨‍💻",
  web: "⚡",
  slow: "🥱",
  silent: "😨",
  asking: "✋",
  stuck: "🆘",
  done: "🆗",
  failed: "❌",
  error: "😱",
  cancelled: "🛑",
};

export interface SignStyle {
  /** False: no reaction at all, not even that a message was stored. */
  enabled: boolean;
  /** The last sign goes, too, after its hold time. */
  removeAfterReply: boolean;
  emojis: Partial<Readonly<Record<Sign, string>>>;
  timing: SignTiming;
}

/** Milliseconds. */
export interface SignTiming {
  debounce: number;
  stallSoft: number;
  stallHard: number;
  doneHold: number;
  errorHold: number;
}

export const SIGN_TIMING: SignTiming = {
  debounce: 700,
  stallSoft: 10_000,
  stallHard: 30_000,
  doneHold: 1_500,
  errorHold: 2_500,
};

/** What reactions there should be. */
export interface WantedSigns {
  /** Per message of the turn, its one emoji; undefined for none. */
  readonly emojis: ReadonlyMap<string, string | undefined>;
  /** Shown at once, without waiting for it to last. */
  readonly urgent: boolean;
  /** When time alone changes this, milliseconds since the epoch; undefined: never. */
  readonly changesAt: number | undefined;
}

/** The reactions of a turn: 👀 on each of its messages while it waits, then its state on the last. */
export function wantedSigns(turn: Turn, style: SignStyle, now: number): WantedSigns {
  const last = turn.messages.at(-1);
  const over = isOver(turn.state);
  const sign = signOf(turn, style.timing, now);
  const goesAt = over && style.removeAfterReply
    ? turn.activeAt + hold(sign, style.timing)
    : undefined;
  const isGone = goesAt !== undefined && now >= goesAt;
  const emojis = new Map<string, string | undefined>();
  for (const message of turn.messages) {
    const own = message === last ? (isGone ? undefined : sign) : over ? undefined : "queued";
    emojis.set(message, !style.enabled || own === undefined ? undefined : emojiOf(own, style));
  }
  return {
    emojis,
    urgent: sign === "queued" || sign === "asking" || sign === "stuck" || over,
    changesAt: !style.enabled || isGone ? undefined : goesAt ?? stallsAt(turn, style.timing, now),
  };
}

/** An override of `error` counts for whatever fails, as long as `failed` has none of its own. */
export function emojiOf(sign: Sign, { emojis }: Pick<SignStyle, "emojis">): string {
  const own = emojis[sign] ?? (sign === "failed" ? emojis.error : undefined);
  return own ?? EMOJIS[sign];
}

function signOf(turn: Turn, timing: SignTiming, now: number): Sign {
  const { state } = turn;
  switch (state.kind) {
    case "queued":
      return "queued";
    case "done":
    case "cancelled":
    case "asking":
    case "stuck":
      return state.kind;
    case "failed":
      return BROKEN.includes(state.failure.kind) ? "error" : "failed";
    case "starting":
    case "running":
      return workingSign(turn, timing, now);
  }
}

/** The machinery failed, rather than that the agent gave an error as its answer. */
const BROKEN: readonly string[] = ["not-found", "gone", "timeout", "protocol", "lost"];

function workingSign(turn: Turn, timing: SignTiming, now: number): Sign {
  const tool = runningTool(turn);
  // A tool that runs is activity: a test suite may say nothing for minutes.
  if (tool !== undefined) return CLASS[tool.kind];
  const silent = now - turn.activeAt;
  if (silent >= timing.stallHard) return "silent";
  return silent >= timing.stallSoft ? "slow" : "thinking";
}

function runningTool({ tools }: Turn) {
  return tools.findLast(({ status }) => status === "running");
}

const CLASS: Readonly<Record<ToolKind, Sign>> = {
  read: "coding",
  edit: "coding",
  delete: "coding",
  move: "coding",
  execute: "coding",
  search: "tool",
  think: "thinking",
  fetch: "web",
  other: "tool",
};

function stallsAt(turn: Turn, { stallSoft, stallHard }: SignTiming, now: number) {
  const { kind } = turn.state;
  if ((kind !== "starting" && kind !== "running") || runningTool(turn) !== undefined) {
    return undefined;
  }
  return [turn.activeAt + stallSoft, turn.activeAt + stallHard].find((at) => at > now);
}

function hold(sign: Sign, { doneHold, errorHold }: SignTiming): number {
  return sign === "done" ? doneHold : errorHold;
}
