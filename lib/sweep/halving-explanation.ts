import { count } from "../base/text.ts";
import type { Ranked } from "./halving-rung.ts";
import type { HalvingTrial, Verdict } from "./halving-trial.ts";

/** A trial's rank at a rung, and the rung. */
export interface Place {
  ranked: Ranked & { rung: number };
  cohortSize: number;
  keep: number;
  unreached: number;
}

/** Why a verdict was given: goes into the journal. */
export function explainDecision(place: Place): string {
  const { ranked, keep, cohortSize, unreached } = place;
  const value = ranked.value === null ? "no finite value" : `value ${ranked.value}`;
  const here = `step ${ranked.rung}: ${value}, ${ranked.ahead} ahead`;
  const places = `the best ${keep} of ${cohortSize} continue`;
  const outranked = ranked.ahead >= keep;
  switch (ranked.verdict) {
    case "promote":
      if (outranked) return `Promoted at ${here}; ${places}, not counting those that are over`;
      return unreached === 0
        ? `Promoted at ${here}; ${places}`
        : `Promoted at ${here}; ${places}, even if all ${unreached} still to come do better`;
    case "prune":
      return outranked
        ? `Pruned at ${here}; ${places}`
        : `Pruned at ${here}; ${places}, and only with a finite value`;
    default:
      return `Waits at ${here}; ${places}, and ${unreached} still to come may do better`;
  }
}

export interface ExplanationInput {
  trial: HalvingTrial;
  place: Place | undefined;
  /** Its highest step. */
  maxStep: number | null;
  verdict: Verdict;
  reason: string;
  rungs: readonly number[];
}

/** What a pass does about a trial, for a person. */
export function explainAction(input: ExplanationInput): string {
  const state = STATES[input.reason];
  const where = position(input);
  return state === undefined ? where : `${where}; ${state}`;
}

const STATES: Readonly<Record<string, string>> = {
  "complete": "it has completed",
  "not-started": "it was not started",
  "paused-by-hand": "it was paused by hand and is left so",
  "resume": "it is resumed",
  "resume-waits": "it is resumed when its old attempt has ended",
  "stay-paused": "it stays paused",
  "overruled": "it was started again by hand and is left running",
  "run-to-budget": "it runs to the budget",
};

function position({ trial, place, maxStep, rungs }: ExplanationInput): string {
  if (place === undefined) {
    const at = maxStep === null ? "No step logged" : `At step ${maxStep}`;
    return `${at}, first compared at step ${rungs[0]}`;
  }
  const { ranked, cohortSize, keep } = place;
  switch (ranked.standing) {
    case "open":
      return explainDecision(place);
    case "withdrawn":
      return `Was at step ${ranked.rung}; it is ${trial.status} and takes no place`;
    default:
      return `Was ${ranked.standing} at step ${ranked.rung}; now ${
        count(ranked.ahead, "trial")
      } ahead of it, ${keep} of ${cohortSize} continue`;
  }
}
