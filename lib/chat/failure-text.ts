import { escapeMarkdown, shorten } from "../base/markdown.ts";
import type { TurnFailure } from "./turn.ts";

/** A failure as people are told it. */
export interface FailureText {
  /** A few words, no period. */
  title: string;
  /** What the agent or the machinery said, word for word; not escaped. */
  message: string;
  code: number | undefined;
  hint: string | undefined;
}

const TITLES: Readonly<Record<TurnFailure["kind"], string>> = {
  "not-found": "Agent not found",
  "not-logged-in": "Not logged in",
  busy: "Busy",
  timeout: "Time ran out",
  gone: "Connection lost",
  refused: "Refused",
  model: "Error of the model",
  protocol: "Error of the agent",
  "nothing-said": "Nothing was said",
  budget: "Budget used up",
  lost: "Turn given up",
};

const HTTP_TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not logged in",
  403: "Not allowed",
  404: "Not found",
  408: "Time ran out",
  413: "Too long for the model",
  429: "Too many requests",
  500: "Internal error of the service",
  502: "Bad gateway",
  503: "Service not available",
  504: "Gateway timeout",
  529: "Service overloaded",
};

const RPC_TITLES: Readonly<Record<number, string>> = {
  [-32700]: "Unreadable message",
  [-32600]: "Invalid request",
  [-32601]: "Method not found",
  [-32602]: "Invalid parameters",
  [-32603]: "Internal error of the agent",
  [-32000]: "Agent wants a login",
};

const LOGIN: Readonly<Record<string, string>> = {
  claude: "Run `claude` on that machine and type `/login`, or set ANTHROPIC_API_KEY",
  codex: "Run `codex login` on that machine, or set OPENAI_API_KEY",
  gemini: "Run `gemini` on that machine and sign in, or set GEMINI_API_KEY",
  kiro: "Run `kiro-cli login --use-device-flow` on that machine",
  opencode: "Run `opencode auth login` on that machine",
  goose: "Run `goose configure` on that machine",
};

const HINTS: Readonly<Partial<Record<TurnFailure["kind"], string>>> = {
  "not-found": "Install the program for the account that runs herd, or give its whole path",
  busy: "Try again in a few minutes",
  timeout: "Say it again, or in smaller steps",
  gone: "Say it again: the agent is started anew",
  budget: "Raise the budget, or wait until it is renewed",
};

const CODE_HINTS: Readonly<Record<number, string>> = {
  403: "The key or account may not use this model",
  413: "Begin a fresh conversation, or say less",
  429: "The service asks for a pause: try again in a few minutes",
  500: "Not your doing: try again in a few minutes",
  502: "Not your doing: try again in a few minutes",
  503: "Not your doing: try again in a few minutes",
  504: "Not your doing: try again in a few minutes",
  529: "Not your doing: try again in a few minutes",
};

/** How the programs are called that stand for one of the names above. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/claude/, "claude"],
  [/codex/, "codex"],
  [/gemini/, "gemini"],
  [/kiro/, "kiro"],
  [/opencode/, "opencode"],
  [/goose/, "goose"],
];

/** `agent`: its name or its program, such as "claude" or "/opt/bin/kiro-cli". */
export function failureText(failure: TurnFailure, agent?: string): FailureText {
  const { kind, code, message } = failure;
  return {
    title: titleOf(kind, code),
    message,
    code,
    hint: failure.hint ?? hintOf(failure, agent),
  };
}

/** The kind where it is certain, else what the code says. */
function titleOf(kind: TurnFailure["kind"], code: number | undefined): string {
  if (code === undefined || (kind !== "model" && kind !== "protocol" && kind !== "refused")) {
    return TITLES[kind];
  }
  if (code <= -32000 && code >= -32099) return RPC_TITLES[code] ?? "Error of the agent's server";
  return HTTP_TITLES[code] ?? RPC_TITLES[code] ?? TITLES[kind];
}

function hintOf({ kind, code }: TurnFailure, agent: string | undefined): string | undefined {
  const wantsLogin = kind === "not-logged-in" ||
    ((kind === "model" || kind === "protocol") && (code === 401 || code === -32000));
  if (wantsLogin) return loginHint(agent);
  return (code === undefined ? undefined : CODE_HINTS[code]) ?? HINTS[kind];
}

/** How one logs in to a known agent. */
export function loginHint(agent: string | undefined): string {
  const program = agent?.split("/").at(-1)?.toLowerCase() ?? "";
  const known = PROGRAMS.find(([name]) => name.test(program))?.[1];
  return (known === undefined ? undefined : LOGIN[known]) ??
    "Log the agent in, or check its key, on the machine where it runs";
}

/** Longer messages are shown in part; the whole is among the details. */
const MESSAGE_MOST = 1_000;

/** The failure as a few lines: bold title, code, the message with its Markdown shown, the hint. */
export function failureBlock({ title, message, code, hint }: FailureText): string {
  const numbered = code === undefined ? "" : ` (code ${code})`;
  const said = escapeMarkdown(shorten(message.trim(), MESSAGE_MOST));
  return [
    `⚠️ **${title}**${numbered}${said === "" ? "" : `: ${said}`}`,
    ...(hint === undefined ? [] : [`→ ${hint}`]),
  ].join("\n");
}

/** What stands behind a button: the message where it was cut, and the agent's standard error. */
export function failureDetails({ message, stderr }: TurnFailure): string | undefined {
  const parts = [message.trim().length > MESSAGE_MOST ? message.trim() : "", stderr.trim()];
  const text = parts.filter((part) => part !== "").join("\n\n");
  return text === "" ? undefined : text;
}
