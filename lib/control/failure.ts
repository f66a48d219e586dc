import { NothingError, RefusedError, SchedulerError, UserError } from "../base/errors.ts";
import type { Mistake } from "../base/errors.ts";
import { explain, kindOf } from "../base/explain.ts";
import type { ErrorKind } from "../base/explain.ts";
import { decodeWire, encodeWire } from "./wire.ts";

/** What HTTP itself has against a request, beside the kinds that every surface knows. */
export type FailureKind =
  | ErrorKind
  | "bad-request"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "method"
  | "timeout"
  | "too-large"
  | "media-type";

/** The one shape of everything that goes wrong. */
export interface FailureDocument {
  error: {
    kind: FailureKind;
    message: string;
    hint: string | null;
    facts: Record<string, unknown>;
  };
}

export const STATUS_OF = {
  "bad-request": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  nothing: 404,
  method: 405,
  timeout: 408,
  refused: 409,
  "too-large": 413,
  "media-type": 415,
  mistake: 422,
  unexpected: 500,
  system: 500,
  rejected: 502,
  interrupted: 503,
  unreachable: 503,
  unreadable: 503,
} as const satisfies Readonly<Record<FailureKind, number>>;

/** A request that never reaches a sweep. */
export class RequestError extends Error {
  readonly kind: FailureKind;
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(
    kind: FailureKind,
    message: string,
    options: { hint?: string; facts?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.name = "RequestError";
    this.kind = kind;
    this.hint = options.hint;
    this.facts = options.facts ?? {};
  }
}

/** Whatever was thrown, as a document; the same words as in the terminal. */
export function failureOf(error: unknown): FailureDocument {
  if (error instanceof RequestError) {
    const { kind, message, hint, facts } = error;
    return { error: { kind, message, hint: hint ?? null, facts: { ...facts } } };
  }
  const { message, hint } = explain(error, "json").error;
  return { error: { kind: kindOf(error), message, hint, facts: factsOf(error) } };
}

function factsOf(error: unknown): Record<string, unknown> {
  if (error instanceof RefusedError) return encoded(error.facts);
  if (error instanceof UserError && error.mistakes.length > 0) {
    return encoded({ mistakes: error.mistakes });
  }
  if (error instanceof SchedulerError && error.detail !== undefined) {
    return { detail: error.detail };
  }
  return {};
}

function encoded(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return encodeWire({ ...facts }) as Record<string, unknown>;
  } catch {
    // A fact without a form must not hide the refusal itself.
    return {};
  }
}

/** The error that a document tells of, as the class that the other side threw. */
export function errorFrom(document: FailureDocument): Error {
  const { kind, message } = document.error;
  const hint = document.error.hint === null ? {} : { hint: document.error.hint };
  const facts = decodeWire(document.error.facts ?? {}) as Readonly<Record<string, unknown>>;
  switch (kind) {
    case "refused":
      return new RefusedError(message, { ...hint, facts });
    case "nothing":
      return new NothingError(message, hint);
    case "unreachable":
    case "rejected":
    case "unreadable": {
      const { detail } = facts;
      return new SchedulerError(kind, message, typeof detail === "string" ? { detail } : {});
    }
    case "mistake": {
      const { mistakes } = facts;
      return new UserError(message, {
        ...hint,
        ...(Array.isArray(mistakes) ? { mistakes: mistakes as Mistake[] } : {}),
      });
    }
    case "unexpected":
    case "system":
    case "interrupted":
      return new Error(`The daemon failed: ${message}`);
    case "unauthorized":
    case "forbidden":
    case "timeout":
      return new RefusedError(message, { ...hint, facts });
    default:
      return new UserError(message, hint);
  }
}

export function isFailureDocument(value: unknown): value is FailureDocument {
  const error = (value as Partial<FailureDocument> | null | undefined)?.error;
  return typeof error?.kind === "string" && typeof error.message === "string";
}
