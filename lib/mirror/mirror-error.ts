import { UserError } from "../base/errors.ts";

/** The workspace on the host cannot be read or written. */
export class MirrorError extends UserError {
  /** `unreachable`: it may work later as it is. */
  readonly kind: "unreachable" | "unusable";
  constructor(
    kind: "unreachable" | "unusable",
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = "MirrorError";
    this.kind = kind;
  }
}
