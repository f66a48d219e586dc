import type { RungLedger } from "./halving-ledger.ts";
import type { Arrived } from "./halving-rung.ts";
import { partOf } from "./halving-trial.ts";
import type { HalvingTrial, Part } from "./halving-trial.ts";
import { valueAtRung } from "./metrics.ts";
import type { Point } from "./metrics.ts";

export interface CohortInput {
  /** Steps. */
  rung: number;
  /** Trials that the rung below promoted; undefined at the first rung, where everybody belongs. */
  members: ReadonlySet<number> | undefined;
  trials: readonly HalvingTrial[];
  /** By trial, as `curveOf` gives them. */
  curves: ReadonlyMap<number, readonly Point[]>;
  ledger: RungLedger;
}

/** Who has come to a rung, and how many members may still come. */
export function cohortOf(input: CohortInput): { arrived: Arrived[]; awaited: number } {
  const { members, ledger } = input;
  const arrived: Arrived[] = [];
  let awaited = 0;
  const present = new Set<number>();
  for (const trial of input.trials) {
    present.add(trial.index);
    const part = partOf(trial);
    if (members !== undefined && !members.has(trial.index)) continue;
    const value = arrivalOf(trial, part, input);
    if (value !== undefined) {
      const standing = standingOf(trial.index, part, ledger);
      arrived.push({ trial: trial.index, value, standing });
    } else if (part === "going" || (part === "paused" && members !== undefined)) {
      // A member that is paused was promoted below, and will be resumed; at the
      // first rung nobody resumes it.
      awaited += 1;
    }
  }
  return { arrived: [...arrived, ...absentees(present, ledger)], awaited };
}

/** The value with which a trial came to the rung; undefined when it has not come. */
function arrivalOf(
  trial: HalvingTrial,
  part: Part,
  { rung, curves, ledger }: CohortInput,
): number | null | undefined {
  const decided = ledger.final.get(trial.index);
  if (decided !== undefined) return decided.value;
  const curve = curves.get(trial.index) ?? [];
  const last = curve.at(-1);
  if (last !== undefined && (last.step >= rung || part === "completed")) {
    return valueAtRung(curve, rung);
  }
  return ledger.seen.get(trial.index);
}

function standingOf(trial: number, part: Part, ledger: RungLedger): Arrived["standing"] {
  const decided = ledger.final.get(trial);
  if (decided !== undefined) return decided.verdict === "promote" ? "promoted" : "pruned";
  return part === "out" ? "withdrawn" : "open";
}

/** Trials that were compared here and are no longer in the sweep: they stay in the population. */
function absentees(present: ReadonlySet<number>, ledger: RungLedger): Arrived[] {
  const gone: Arrived[] = [];
  for (const [trial, value] of ledger.seen) {
    if (!present.has(trial)) {
      gone.push({ trial, value, standing: standingOf(trial, "out", ledger) });
    }
  }
  return gone;
}
