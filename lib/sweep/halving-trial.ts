import type { Intent } from "./event.ts";
import type { Point } from "./metrics.ts";
import type { Status } from "./status.ts";

/** What successive halving has to know of a trial. */
export interface HalvingTrial {
  index: number;
  status: Status;
  /** What is wanted of it now; a running trial may be told to pause already. */
  intent: Intent;
  /** Its latest attempt has not ended: nothing may be submitted beside it. */
  alive: boolean;
  /** A paused trial that somebody else than halving paused: it is left paused, and nobody waits for it. */
  byHand: boolean;
  /** The metric's stream, in the order of the file. */
  points: readonly Point[];
}

export type Verdict = "promote" | "prune" | "pause" | "run_free" | "not_at_rung" | "none";

/** Where a trial stands among those at its rung. */
export interface Standing {
  /** Steps of the rung. */
  rung: number;
  /** The trial's highest step. */
  step: number | null;
  value: number | null;
  /** All that ever came to the rung and those that may still come. */
  cohortSize: number;
  /** Places. */
  keep: number;
  /** How many are ahead of it for certain. */
  aheadDefinite: number;
  unreached: number;
}

/** What one pass does about one trial, and why. */
export interface HalvingAction {
  trial: number;
  status: Status;
  /** The trial's highest step. */
  maxStep: number | null;
  action: "none" | "prune" | "pause" | "resume";
  verdict: Verdict;
  /** Steps of the rung where it is judged; null before the first. */
  rung: number | null;
  /** A label, such as "prune" or "stay-paused". */
  reason: string;
  /** The same in a sentence, with the numbers. */
  explanation: string;
  standing: Standing | null;
}

/** What a trial is to the competition, its status and its owner's wish taken together. */
export type Part =
  /** It runs, or will without anybody's doing. */
  | "going"
  | "paused"
  | "paused-by-hand"
  | "completed"
  /** Failed, cancelled, pruned, not started: it takes no place until it runs again. */
  | "out";

export function partOf(trial: HalvingTrial): Part {
  switch (trial.status) {
    case "completed":
      return "completed";
    case "ready":
    case "failed":
    case "cancelled":
    case "pruned":
      return "out";
    case "paused":
      return trial.byHand ? "paused-by-hand" : "paused";
    default:
      if (trial.intent === "stop" || trial.intent === "prune") return "out";
      if (trial.intent === "run") return "going";
      return trial.byHand ? "paused-by-hand" : "paused";
  }
}
