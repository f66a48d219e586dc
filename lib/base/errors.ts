/** Where in a file a mistake stands; line and column count from 1. */
export interface Place {
  file?: string;
  line?: number;
  column?: number;
  /** Path inside the document, such as `slurm.mem` or `conditions[2].when`. */
  path?: string;
}

/** One mistake of the user's, with what was found and what would be right. */
export interface Mistake extends Place {
  message: string;
  hint?: string;
}

/** The user can mend this: shown as message and hint without a stack, exit 2. */
export class UserError extends Error {
  readonly hint: string | undefined;
  readonly mistakes: readonly Mistake[];
  constructor(
    message: string,
    options: { hint?: string; mistakes?: readonly Mistake[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.hint = options.hint;
    this.mistakes = options.mistakes ?? [];
  }
}

/** An expected "no": the request was understood and declined (exit 3). Facts are fields. */
export class RefusedError extends Error {
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(
    message: string,
    options: { hint?: string; facts?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.name = "RefusedError";
    this.hint = options.hint;
    this.facts = options.facts ?? {};
  }
}

/** Understood and carried out, and there was nothing: no match, no data (exit 1). */
export class NothingError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, options: { hint?: string } = {}) {
    super(message);
    this.name = "NothingError";
    this.hint = options.hint;
  }
}

/** The scheduler's side failed. `unreachable`: try later; `rejected`: it said no; `unreadable`: not understood. */
export class SchedulerError extends Error {
  readonly kind: "unreachable" | "rejected" | "unreadable";
  /** What the program printed, for the log. */
  readonly detail: string | undefined;
  constructor(
    kind: SchedulerError["kind"],
    message: string,
    options: { detail?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SchedulerError";
    this.kind = kind;
    this.detail = options.detail;
  }
}
