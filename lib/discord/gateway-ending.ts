import type { RefusedWhy } from "./link.ts";

/** How a connection to the gateway ended. */
export type Ending =
  | { kind: "closed"; code: number; reason: string }
  /** The server asked for it (op 7): it restarts, and the session goes on elsewhere. */
  | { kind: "asked" }
  /** The session is refused (op 9). */
  | { kind: "invalid"; resumable: boolean }
  /** A heartbeat was not answered: the connection is dead without having been closed. */
  | { kind: "silent" }
  /** It did not come about. `detail` is a sentence for people. */
  | { kind: "failed"; detail: string };

/** What follows. */
export type Sequel =
  | { next: "resume" | "identify"; detail: string }
  | { next: "without-content" }
  | { next: "stop"; why: RefusedWhy; detail: string; hint: string };

const TOKEN_HINT =
  "Make a new token in the Discord developer portal (Bot, Reset Token), set DISCORD_BOT_TOKEN to it " +
  "and start herd again";
const INTENT_HINT =
  "In the Discord developer portal, open the application, then Bot, and turn on " +
  "MESSAGE CONTENT INTENT under Privileged Gateway Intents";

export const TOKEN_REFUSED: Extract<Sequel, { next: "stop" }> = {
  next: "stop",
  why: "token",
  detail: "Discord refuses the bot token",
  hint: TOKEN_HINT,
};

/** Said while the bot goes on without the intent. */
export const CONTENT_REFUSED = {
  detail:
    "MESSAGE CONTENT INTENT is off, so messages cannot be read; slash commands and buttons work",
  hint: `${INTENT_HINT}, then start herd again`,
} as const;

/** Sessions that Discord has closed for good; anything else may be resumed. */
const NEW_SESSION: readonly number[] = [4003, 4007, 4009];

/** `content`: whether the intent for message content was asked for. */
export function sequelOf(ending: Ending, content: boolean): Sequel {
  switch (ending.kind) {
    case "asked":
      return { next: "resume", detail: "Discord asked for a new connection" };
    case "silent":
      return { next: "resume", detail: "Discord has gone silent" };
    case "failed":
      return { next: "resume", detail: ending.detail };
    case "invalid":
      return {
        next: ending.resumable ? "resume" : "identify",
        detail: "Discord has ended the session",
      };
    case "closed":
      return afterClose(ending.code, ending.reason, content);
  }
}

function afterClose(code: number, reason: string, content: boolean): Sequel {
  const said = `Discord closed the connection (${code}${reason === "" ? "" : `, ${reason}`})`;
  const stop = (why: RefusedWhy, hint: string): Sequel => ({
    next: "stop",
    why,
    detail: said,
    hint,
  });
  switch (code) {
    case 4004:
      return TOKEN_REFUSED;
    case 4010:
    case 4011:
      return stop(
        "other",
        "This bot is in more servers than herd is made for: use a bot of its own",
      );
    case 4012:
      return stop("other", "Discord no longer takes this version of its interface: update herd");
    case 4013:
      return stop("intents", "This is a fault of herd: please report it");
    case 4014:
      return content ? { next: "without-content" } : stop("intents", INTENT_HINT);
    default:
      return { next: NEW_SESSION.includes(code) ? "identify" : "resume", detail: said };
  }
}
