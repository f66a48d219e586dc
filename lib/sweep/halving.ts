import type { HalvingSettings } from "./config.ts";
import type { RungDecision } from "./event.ts";
import { actionFor } from "./halving-action.ts";
import { cohortOf } from "./halving-cohort.ts";
import { explainDecision } from "./halving-explanation.ts";
import type { Place } from "./halving-explanation.ts";
import { emptyRung, readLedger } from "./halving-ledger.ts";
import type { RungLedger } from "./halving-ledger.ts";
import { judgeRung } from "./halving-rung.ts";
import type { RungResult } from "./halving-rung.ts";
import { partOf } from "./halving-trial.ts";
import type { HalvingAction, HalvingTrial } from "./halving-trial.ts";
import { curveOf } from "./metrics.ts";
import type { Point } from "./metrics.ts";

export type { HalvingAction, HalvingTrial, Standing, Verdict } from "./halving-trial.ts";

export interface HalvingInput {
  settings: HalvingSettings;
  trials: readonly HalvingTrial[];
  /** All decisions of the journal, oldest first. */
  decisions: readonly RungDecision[];
}

export interface HalvingPlan {
  /** Steps. */
  rungs: number[];
  /**
   * What is new, to be written after the intents of the actions. Of the
   * population, a decision names those that no earlier decision at its rung named
   * with that value: the whole is the union, and a journal of n decisions stays
   * of size n.
   */
  decisions: RungDecision[];
  /** One per trial, in the order given. */
  actions: HalvingAction[];
}

/**
 * One pass of successive halving. Pure: what was decided comes from the journal,
 * and what it decides goes there.
 *
 * The rungs are `minSteps * eta^k` up to the budget. Everybody who was started
 * belongs to the first; to each next one belong those that the one before
 * promoted. Of a rung's n members the best `max(1, floor(n / eta))` stay. With
 * `asha` n are those that came so far, all stay while n < eta, and after that
 * nobody without a finite value. n counts all that ever came, pruned ones too, so
 * a second pass over the same data decides nothing new. Out of the
 * cohort, until they run again, are those that failed, were cancelled, pruned or
 * paused by hand before the rung; one that completed before it is ranked with
 * its final value.
 *
 * `promote` and `prune` are final. `sync` pauses a trial whose fate is not
 * certain; `asha` decides at once and never pauses.
 *
 * Who runs against a decision was told to by a person and is left alone. That is
 * why intents are written before decisions: a crash between the two loses no act.
 */
export function planHalving(input: HalvingInput): HalvingPlan {
  const rungs = rungsOf(input.settings);
  const curves = new Map(input.trials.map((trial) => [trial.index, curveOf(trial.points)]));
  const { places, decisions } = climb(input, rungs, curves);
  // Rungs rise, so the last decision on a trial is the one at its highest rung.
  const decidedAt = new Map(decisions.map(({ trial, rung }) => [trial, rung]));
  const actions = input.trials.map((trial) => {
    const place = places.get(trial.index);
    return actionFor({
      trial,
      place,
      maxStep: curves.get(trial.index)?.at(-1)?.step ?? null,
      isFresh: place !== undefined && decidedAt.get(trial.index) === place.ranked.rung,
      rungs,
    });
  });
  return { rungs, decisions, actions };
}

/** Judges rung after rung; `places` has each trial's place at the highest rung that it came to. */
function climb(
  { settings, trials, decisions: past }: HalvingInput,
  rungs: readonly number[],
  curves: ReadonlyMap<number, readonly Point[]>,
): { places: Map<number, Place>; decisions: RungDecision[] } {
  const ledgers = readLedger(past);
  const byIndex = new Map(trials.map((trial) => [trial.index, trial]));
  const places = new Map<number, Place>();
  const decisions: RungDecision[] = [];
  const waits = settings.mode === "sync";
  let members: ReadonlySet<number> | undefined;
  let potential = 0;
  for (const rung of rungs) {
    const ledger = ledgers.get(rung) ?? emptyRung();
    const cohort = cohortOf({ rung, members, trials, curves, ledger });
    const result = judgeRung({
      arrived: cohort.arrived,
      awaited: waits ? cohort.awaited : 0,
      potential: waits ? potential : 0,
      direction: settings.direction,
      keepOf: (n) => placesAmong(n, settings),
      strict: !waits,
    });
    for (const place of placesOf(rung, result)) places.set(place.ranked.trial, place);
    decisions.push(...decide(rung, result, ledger, byIndex));
    members = new Set(promotedOf(result));
    potential = result.stillOpen;
  }
  return { places, decisions };
}

/** Steps at which trials are compared. */
export function rungsOf(settings: HalvingSettings): number[] {
  const rungs: number[] = [];
  for (let rung = settings.minSteps; rung <= settings.budget; rung *= settings.eta) {
    rungs.push(rung);
  }
  return rungs;
}

function placesAmong(n: number, { eta, mode }: HalvingSettings): number {
  if (mode === "asha" && n < eta) return n;
  return Math.max(1, Math.floor(n / eta));
}

function placesOf(rung: number, result: RungResult): Place[] {
  const { cohortSize, keep, unreached } = result;
  return result.ranked.map((ranked) => ({
    ranked: { ...ranked, rung },
    cohortSize,
    keep,
    unreached,
  }));
}

function promotedOf({ ranked }: RungResult): number[] {
  return ranked.filter(({ standing, verdict }) => standing === "promoted" || verdict === "promote")
    .map(({ trial }) => trial);
}

/** The decisions that are new at a rung: final verdicts, and pauses of trials that run. */
function decide(
  rung: number,
  result: RungResult,
  ledger: RungLedger,
  trials: ReadonlyMap<number, HalvingTrial>,
): RungDecision[] {
  const decisions: RungDecision[] = [];
  for (const place of placesOf(rung, result)) {
    const { trial, value, verdict } = place.ranked;
    if (verdict === undefined) continue;
    if (verdict === "wait" && (ledger.paused.has(trial) || !isRunning(trials.get(trial)))) continue;
    decisions.push({
      trial,
      rung,
      verdict: verdict === "wait" ? "pause" : verdict,
      value,
      population: decisions.length === 0 ? unseen(result, ledger) : [],
      explanation: explainDecision(place),
    });
  }
  return decisions;
}

function isRunning(trial: HalvingTrial | undefined): boolean {
  return trial?.status === "running" && partOf(trial) === "going";
}

function unseen({ ranked }: RungResult, ledger: RungLedger): RungDecision["population"] {
  return ranked
    .filter(({ trial, value }) => !ledger.seen.has(trial) || ledger.seen.get(trial) !== value)
    .map(({ trial, value }) => ({ trial, value }));
}
