import { UserError } from "../base/errors.ts";

/** Where on the way to a host it failed. */
export type SshStep =
  | "config"
  | "resolve"
  | "connect"
  | "jump"
  | "host-key"
  | "authentication"
  | "channel"
  | "lost";

/** A host that cannot be reached or used; message and hint are for people and hold no secret. */
export class SshError extends UserError {
  readonly step: SshStep;
  /** The host whose step failed: the one asked for, or a jump host. */
  readonly host: string;
  /** Whether trying again without a person may help. */
  readonly passing: boolean;
  constructor(
    step: SshStep,
    host: string,
    message: string,
    options: { hint?: string; passing?: boolean; cause?: unknown } = {},
  ) {
    super(message, {
      ...(options.hint === undefined ? {} : { hint: options.hint }),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
    this.name = "SshError";
    this.step = step;
    this.host = host;
    this.passing = options.passing ?? false;
  }
}
