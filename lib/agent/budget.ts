import type { AgentSettings } from "../sweep/config.ts";
import { dayOf, type MonitorState } from "../sweep/monitor-state.ts";
import { priceOf } from "./cost.ts";

export interface BudgetLeft {
  /** US dollars that the next turn may cost; undefined: no limit. Zero when `refusal` is given. */
  usd: number | undefined;
  /** The budget that is used up, the widest one first. */
  reached: { scope: "tick" | "day" | "sweep"; limit: number; spent: number } | undefined;
  /** Why the model may not be asked now: one sentence for people, without a period. */
  refusal: string | undefined;
}

/**
 * What may still be spent. `usedThisTick`: US dollars. `model`: the one that would be asked, with
 * the user's own prices; a model without a price is refused as long as there is a budget to keep.
 * Absent where the backend tells its own cost (`claude-cli`).
 */
export function budgetLeft(
  { budget, monitor, now, usedThisTick = 0, model }: {
    budget: AgentSettings["budget"];
    monitor: Pick<MonitorState, "spent" | "spentOn">;
    /** Milliseconds since the epoch. */
    now: number;
    usedThisTick?: number;
    model?: { name: string; prices: AgentSettings["prices"] };
  },
): BudgetLeft {
  const spentOf = [
    { scope: "sweep", limit: budget.sweep, spent: monitor.spent.usd },
    { scope: "day", limit: budget.day, spent: monitor.spentOn[dayOf(now)] ?? 0 },
    { scope: "tick", limit: budget.tick, spent: usedThisTick },
  ] as const;
  let usd: number | undefined;
  for (const { scope, limit, spent } of spentOf) {
    if (limit === undefined) continue;
    if (spent >= limit) {
      const refusal = `The budget of the ${scope} is used up: ` +
        `${dollars(spent)} of ${dollars(limit)} spent (agent.budget.${scope})`;
      return { usd: 0, reached: { scope, limit, spent }, refusal };
    }
    usd = Math.min(usd ?? Infinity, limit - spent);
  }
  if (usd !== undefined && model !== undefined && !priceOf(model.name, model.prices)) {
    const refusal = `The price of ${JSON.stringify(model.name)} is not known, so no budget can ` +
      "be kept: set its price in agent.prices, or every limit of agent.budget to none";
    return { usd: 0, reached: undefined, refusal };
  }
  return { usd, reached: undefined, refusal: undefined };
}

function dollars(usd: number): string {
  return usd > 0 && usd < 0.01 ? "less than $0.01" : `$${usd.toFixed(2)}`;
}
