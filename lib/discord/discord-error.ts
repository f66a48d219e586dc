export interface DiscordErrorFacts {
  kind: DiscordErrorKind;
  /** HTTP status; undefined when there was no answer. */
  status?: number;
  /** Discord's own number, such as 50013; see discord.com/developers/docs/topics/opcodes-and-status-codes. */
  code?: number;
  method?: string;
  /** With ids, without tokens. */
  route?: string;
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * - `unauthorized`: the token is refused (401).
 * - `forbidden`: a permission is missing (403).
 * - `missing`: the channel, message, guild … is not there (404).
 * - `rejected`: Discord does not take it (other 4xx); trying again is no use.
 * - `limited`: too many requests, for longer than was waited.
 * - `unreachable`: no answer, or 5xx, after every try.
 */
export type DiscordErrorKind =
  | "unauthorized"
  | "forbidden"
  | "missing"
  | "rejected"
  | "limited"
  | "unreachable";

/** Discord said no, or nothing. Facts are fields; never holds a token. */
export class DiscordError extends Error {
  readonly kind: DiscordErrorKind;
  readonly status: number | undefined;
  readonly code: number | undefined;
  readonly method: string | undefined;
  readonly route: string | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, facts: DiscordErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "DiscordError";
    this.kind = facts.kind;
    this.status = facts.status;
    this.code = facts.code;
    this.method = facts.method;
    this.route = facts.route;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** It may be otherwise soon: the same can be tried again. */
export function isPassing(error: unknown): error is DiscordError {
  return error instanceof DiscordError &&
    (error.kind === "unreachable" || error.kind === "limited");
}
