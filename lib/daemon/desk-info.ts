import { hostname } from "node:os";
import type { InfoDocument } from "../actions/desk.ts";
import { currentBuild } from "../base/build.ts";
import { dayOf } from "../sweep/monitor-state.ts";
import type { SweepState } from "../sweep/state.ts";

/** What only the running daemon knows; the rest of `info` is in the journal. */
export type MonitorFacts =
  & Pick<InfoDocument, "model" | "budget">
  & Partial<Pick<InfoDocument, "mode" | "triggers">>;

/** `sweep` is its name in the YAML; `now` in milliseconds since the epoch. */
export function infoDocument(
  state: SweepState,
  facts: MonitorFacts,
  about: { id: string; path: string; sweep: string | undefined; now: number },
): InfoDocument {
  const { monitor } = state;
  const { spent, running } = monitor;
  const { model, budget, mode, triggers } = facts;
  return {
    id: about.id,
    sweep: state.sweep ?? about.sweep ?? about.id,
    path: about.path,
    phase: monitor.phase ?? null,
    stage: monitor.stage,
    halted: monitor.halted?.why ?? null,
    mode: mode === undefined ? running?.mode ?? null : mode,
    model,
    version: running?.version ?? currentBuild().version,
    host: running?.host ?? hostname(),
    pid: running?.pid ?? process.pid,
    startedAt: running?.since ?? null,
    ticks: monitor.ticks,
    lastTick: monitor.lastTick ?? null,
    nextTickAt: monitor.nextTickAt ?? null,
    triggers: triggers ?? [],
    spent: {
      usd: spent.usd,
      today: monitor.spentOn[dayOf(about.now)] ?? 0,
      calls: spent.calls,
      unpriced: spent.unpriced,
    },
    budget,
    pendingMessages: monitor.pending.length,
    peripherals: { ...monitor.peripherals },
    question: monitor.question?.text ?? null,
    confirmations: monitor.confirmations.map(({ id, what, why, expiresAt }) => ({
      id,
      what,
      why,
      expiresAt,
    })),
  };
}
