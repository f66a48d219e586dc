import type { RungDecision } from "./event.ts";

/** What the journal says of one rung. */
export interface RungLedger {
  /** Verdicts that stand for ever, with the value at that time. */
  readonly final: ReadonlyMap<number, { verdict: "promote" | "prune"; value: number | null }>;
  /** Trials that were paused here. */
  readonly paused: ReadonlySet<number>;
  /** Everybody who was ever compared here, with the value that was seen last. */
  readonly seen: ReadonlyMap<number, number | null>;
}

interface Writable {
  final: Map<number, { verdict: "promote" | "prune"; value: number | null }>;
  paused: Set<number>;
  seen: Map<number, number | null>;
}

/** Decisions by rung, in steps. The first final verdict on a trial at a rung counts. */
export function readLedger(decisions: readonly RungDecision[]): ReadonlyMap<number, RungLedger> {
  const rungs = new Map<number, Writable>();
  for (const { rung, trial, verdict, value, population } of decisions) {
    let book = rungs.get(rung);
    if (book === undefined) {
      book = { final: new Map(), paused: new Set(), seen: new Map() };
      rungs.set(rung, book);
    }
    for (const each of population) book.seen.set(each.trial, each.value);
    if (verdict === "pause") book.paused.add(trial);
    else if (!book.final.has(trial)) book.final.set(trial, { verdict, value });
  }
  return rungs;
}

/** The ledger of a rung where nothing was decided yet. */
export function emptyRung(): RungLedger {
  return { final: new Map(), paused: new Set(), seen: new Map() };
}
