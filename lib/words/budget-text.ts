import { usdText } from "./amount-text.ts";

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
