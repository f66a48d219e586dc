import type { ModelFailure } from "../agent/agent.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { turnFailure } from "./converser-parts.ts";

/** A failure of a model's API, as people are told it. */
export function apiFailure(failure: ModelFailure): TurnFailure {
  const { kind, message, status: code } = failure;
  const hint = hintOf(failure);
  const more = { code, ...(hint === undefined ? {} : { hint }) };
  switch (kind) {
    case "auth":
      return turnFailure("not-logged-in", message, more);
    case "timeout":
      return turnFailure("timeout", message, more);
    case "overloaded":
    case "rate-limited":
    case "unreachable":
    case "rejected":
    case "unreadable":
      return turnFailure("model", message, more);
  }
}

function hintOf({ kind, isTooLong, retryAfterMs }: ModelFailure): string | undefined {
  if (isTooLong === true) return "Begin a fresh conversation, or say less";
  if (kind === "auth") return "Check the key of this agent, and its account, in the configuration";
  if (kind === "unreachable") return "Try again in a few minutes";
  if (retryAfterMs === undefined || retryAfterMs < 1_000) return undefined;
  return `The service asks for a pause of ${Math.ceil(retryAfterMs / 1_000)} s`;
}
