import { dayOf, usdOn } from "../chat/usage.ts";
import type { BotStatus } from "../control/station.ts";
import type { CrewBot } from "./bot-crew.ts";

/** A bot as `GET /v1/broker` tells of it. */
export function botStatus({ bot, wire, config }: CrewBot, now: number): BotStatus {
  const { pool, budget } = config();
  const link = wire.link.state();
  const state = bot.state();
  const all = [...state.conversations.values()];
  return {
    name: bot.name,
    user: bot.me() ?? null,
    connection: {
      phase: link.phase,
      detail: "detail" in link ? link.detail ?? null : null,
      hint: "hint" in link ? link.hint ?? null : null,
    },
    conversations: all.length,
    turns: bot.broker.turns().map((turn) => ({
      conversation: turn.conversation,
      turn: turn.id,
      state: turn.state.kind,
      started_at: turn.startedAt ?? null,
      active_at: turn.activeAt,
      asks: turn.state.kind === "asking" ? turn.state.what : null,
    })),
    waiting: all.reduce((sum, { waiting }) => sum + waiting.length, 0),
    untold: all.filter(({ untold }) => untold.length > 0).length,
    agents: {
      live: bot.sessions.live().length,
      most: pool.mostSessions,
      waiting: bot.sessions.waiting().length,
    },
    today: { usd: usdOn(state.usage, dayOf(now)), budget_usd: budget.usdPerDay ?? null },
  };
}
