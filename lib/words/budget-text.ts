import { quoted } from "./post-text.ts";
import { usdText } from "./amount-text.ts";
import { spanText } from "./duration-text.ts";

/** That a budget is used up, and what that changes. */
export function budgetText(
  { scope, usd, limit }: { scope: "tick" | "day" | "sweep"; usd: number; limit: number },
): string {
  const spent = `${usdText(usd)} of ${usdText(limit)}`;
  switch (scope) {
    case "tick":
      return `this tick's budget is spent (${spent}): the agent stopped here and goes on at the next tick`;
    case "day":
      return `today's budget is spent (${spent}): the rules go on without the agent until midnight UTC`;
    case "sweep":
      return `the sweep's budget is spent (${spent}): the rules go on without the agent; ` +
        "raise agent.budget.sweep to have it back";
  }
}

/** Said once per outage. `retryInMs` undefined: it is not tried again by itself. */
export function modelDownText(
  { detail, retryInMs }: { detail: string; retryInMs: number | undefined },
): string {
  const again = retryInMs === undefined
    ? "It is tried again when something changes"
    : `Next try in ${spanText(retryInMs)}`;
  return `the model does not answer (${
    quoted(detail, 300)
  }). The rules go on without it; messages are kept. ${again}.`;
}

export function modelBackText({ downMs }: { downMs: number }): string {
  return `the model answers again after ${spanText(downMs)}`;
}
