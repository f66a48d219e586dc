import { adviceOf, efficiencyOf } from "./efficiency.ts";
import type { Efficiency, UsageRow } from "./efficiency.ts";

/** Shares of what was asked for, over trials: 1 is all of it; null where nothing is known. */
export interface ShareDocument {
  /** Trials of which it is known. */
  trials: number;
  mean: number | null;
  most: number | null;
  least: number | null;
}

export interface EfficiencyDocument {
  /** Trials that were ever started. */
  trials: number;
  memory: ShareDocument;
  time: ShareDocument;
  cpu: ShareDocument;
  /** Sentences for people. */
  advice: readonly string[];
}

/** What trials used of memory, time and processors, as the Desk tells it. */
export function efficiencyDocument(rows: readonly UsageRow[]): EfficiencyDocument {
  const all = rows.map(efficiencyOf);
  return {
    trials: rows.length,
    memory: shareOf(all, "memory"),
    time: shareOf(all, "time"),
    cpu: shareOf(all, "cpu"),
    advice: adviceOf(rows),
  };
}

function shareOf(all: readonly Efficiency[], of: keyof Efficiency): ShareDocument {
  const known = all.flatMap((one) => one[of] ?? []);
  const sum = known.reduce((total, share) => total + share, 0);
  return {
    trials: known.length,
    mean: known.length === 0 ? null : Math.round(sum / known.length * 10_000) / 10_000,
    most: known.reduce<number | null>((a, b) => a === null || b > a ? b : a, null),
    least: known.reduce<number | null>((a, b) => a === null || b < a ? b : a, null),
  };
}
