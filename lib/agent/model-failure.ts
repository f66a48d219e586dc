import { APIConnectionTimeoutError, APIError } from "@anthropic-ai/sdk";
import type { ModelFailure } from "./agent.ts";

/** A failure that was recognised where it happened. */
export class ModelError extends Error {
  readonly failure: ModelFailure;
  constructor(failure: ModelFailure, options?: { cause?: unknown }) {
    super(failure.message, options);
    this.name = "ModelError";
    this.failure = failure;
  }
}

/** Longest quotation of what a server said. Characters. */
const QUOTED = 300;

/** What went wrong in one call, whatever was thrown. `clean` takes secrets out of a text. */
export function modelFailure(
  error: unknown,
  at: { url: string; now: number; clean: (text: string) => string },
): ModelFailure {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth++) {
    if (cause instanceof ModelError) return cause.failure;
    cause = cause.cause;
  }
  if (error instanceof APIConnectionTimeoutError) {
    return failure("timeout", `Cannot reach the model: no answer from ${at.url}`);
  }
  if (error instanceof APIError && (error.status !== undefined || error.type !== null)) {
    return refusedCall(error, at);
  }
  if (error instanceof SyntaxError) {
    return failure("unreadable", "Cannot read the model's answer: its stream is not JSON");
  }
  const why = at.clean(oneLine(deepestMessage(error)));
  return failure("unreachable", `Cannot reach the model at ${at.url}: ${why}`);
}

export function failure(
  kind: ModelFailure["kind"],
  message: string,
  more: { status?: number; retryAfterMs?: number; isTooLong?: boolean } = {},
): ModelFailure {
  const { status, retryAfterMs, isTooLong = false } = more;
  return { kind, message, status, retryAfterMs, ...(isTooLong ? { isTooLong } : {}) };
}

/** How servers say that a conversation is longer than their model can read. */
const TOO_LONG =
  /prompt is too long|maximum context length|context[ _](length|window|size)|too many (input )?tokens|input (is )?too long|request_too_large/i;

export function saysTooLong(status: number | undefined, words: string): boolean {
  return status === 413 || TOO_LONG.test(words);
}

function refusedCall(
  error: APIError,
  at: { url: string; now: number; clean: (text: string) => string },
): ModelFailure {
  const { status } = error;
  const said = at.clean(oneLine(error.apiMessage ?? (status === undefined ? error.message : "")));
  const quoted = said === "" ? "" : `: ${JSON.stringify(said)}`;
  const coded = status === undefined ? "" : ` (status ${status})`;
  const retryAfterMs = retryAfter(error.headers, at.now);
  const make = (kind: ModelFailure["kind"], what: string) => ({
    ...failure(kind, `${what}${coded}${quoted}`, {
      isTooLong: kind === "rejected" && saysTooLong(status, `${error.type} ${said}`),
    }),
    status,
    retryAfterMs,
  });
  const kind = kindOf(status, error.type, said);
  switch (kind) {
    case "overloaded":
      return make(kind, "The model's server is overloaded or failing");
    case "rate-limited":
      return make(kind, "The model's server limits how much is asked of it");
    case "auth":
      return make(kind, "The model's server does not accept the credentials");
    case "timeout":
      return make(kind, "The model's server took too long");
    case "rejected":
      return make(kind, `The model's server at ${at.url} refuses the request`);
    case "unreachable":
    case "unreadable":
      return make(kind, "Cannot read the answer of the model's server");
  }
}

function kindOf(
  status: number | undefined,
  type: string | null,
  said: string,
): ModelFailure["kind"] {
  // Out of funds is a 400 of the general type: only its words tell.
  if (type === "billing_error" || /credit balance is too low/i.test(said)) return "auth";
  if (status === 401 || status === 402 || status === 403) return "auth";
  if (type === "authentication_error" || type === "permission_error") return "auth";
  if (status === 429 || type === "rate_limit_error") return "rate-limited";
  if (status === 408 || status === 504 || type === "timeout_error") return "timeout";
  if (type === "overloaded_error" || type === "api_error") return "overloaded";
  if (status !== undefined && status >= 500) return "overloaded";
  return "rejected";
}

/** What `retry-after` asks for, in milliseconds: seconds or a date. */
export function retryAfter(headers: Headers | undefined, now: number): number | undefined {
  const exact = Number(headers?.get("retry-after-ms") ?? NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const value = headers?.get("retry-after")?.trim();
  if (value === undefined || value === "") return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The innermost cause says most: "connection refused" rather than "Connection error". */
function deepestMessage(error: unknown): string {
  let message = "unknown error";
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth++) {
    if (cause.message !== "") message = cause.message;
    cause = cause.cause;
  }
  return message;
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- what a server says is shown in terminals
  return text.replace(/[\x00-\x1f\x7f-\x9f\s]+/g, " ").trim().slice(0, QUOTED).toWellFormed()
    // Bun's advice to programmers.
    .replace(/ (For more information|Is the computer able to).*$/, "").replace(/\.$/, "");
}
