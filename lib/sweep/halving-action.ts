import { explainAction } from "./halving-explanation.ts";
import type { Place } from "./halving-explanation.ts";
import { partOf } from "./halving-trial.ts";
import type { HalvingAction, HalvingTrial, Standing, Verdict } from "./halving-trial.ts";

export interface ActionInput {
  trial: HalvingTrial;
  /** The highest rung that it came to as a member. */
  place: Place | undefined;
  /** Its highest step. */
  maxStep: number | null;
  /** This pass decided about it at that rung. */
  isFresh: boolean;
  /** Steps of all rungs. */
  rungs: readonly number[];
}

/** What to do about a trial, from its verdict and its state. */
export function actionFor(input: ActionInput): HalvingAction {
  const { trial, place, maxStep } = input;
  const verdict = verdictOf(input);
  const [action, reason] = choose(input, verdict);
  return {
    trial: trial.index,
    status: trial.status,
    maxStep,
    action,
    verdict,
    rung: place?.ranked.rung ?? null,
    reason,
    explanation: explainAction({ trial, place, maxStep, verdict, reason, rungs: input.rungs }),
    standing: place === undefined ? null : standingAt(place, maxStep),
  };
}

function verdictOf({ trial, place, rungs }: ActionInput): Verdict {
  if (place === undefined) return partOf(trial) === "out" ? "none" : "not_at_rung";
  const { standing, verdict, rung } = place.ranked;
  if (standing === "withdrawn") return "none";
  if (standing === "pruned" || verdict === "prune") return "prune";
  if (standing === "open" && verdict === "wait") return "pause";
  return rung === rungs.at(-1) ? "run_free" : "promote";
}

function choose(
  { trial, isFresh }: ActionInput,
  verdict: Verdict,
): [HalvingAction["action"], string] {
  switch (partOf(trial)) {
    case "completed":
      return ["none", "complete"];
    case "out":
      return ["none", trial.status === "ready" ? "not-started" : "no-op"];
    case "paused-by-hand":
      return ["none", "paused-by-hand"];
    case "paused":
      if (verdict === "prune") return ["prune", "prune"];
      if (verdict !== "promote" && verdict !== "run_free") return ["none", "stay-paused"];
      return trial.alive ? ["none", "resume-waits"] : ["resume", "resume"];
    case "going":
      return chooseGoing(trial, verdict, isFresh);
  }
}

function chooseGoing(
  trial: HalvingTrial,
  verdict: Verdict,
  isFresh: boolean,
): [HalvingAction["action"], string] {
  switch (verdict) {
    case "prune":
      // Also when it waits in the queue: it would start only to be pruned.
      return isFresh ? ["prune", "prune"] : ["none", "overruled"];
    case "pause":
      if (trial.status !== "running") return ["none", "just-launched"];
      return isFresh ? ["pause", "pause"] : ["none", "overruled"];
    case "run_free":
      return ["none", "run-to-budget"];
    case "promote":
      return ["none", "continue"];
    default:
      return ["none", trial.status === "running" ? "pre-rung" : "just-launched"];
  }
}

function standingAt({ ranked, cohortSize, keep, unreached }: Place, step: number | null): Standing {
  return {
    rung: ranked.rung,
    step,
    value: ranked.value,
    cohortSize,
    keep,
    aheadDefinite: ranked.ahead,
    unreached,
  };
}
