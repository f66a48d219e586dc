import type { Config, HalvingSettings } from "../sweep/config.ts";
import { planHalving } from "../sweep/halving.ts";
import type { HalvingAction, HalvingPlan } from "../sweep/halving.ts";
import type { Point } from "../sweep/metrics.ts";
import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { statusOf } from "../sweep/status.ts";
import { look } from "./look.ts";
import type { Parts } from "./parts.ts";
import { submitAgain } from "./resume.ts";
import type { SubmitResult } from "./submit.ts";

/** Who decides by rule rather than by hand. */
export const RULES = "rules";

export interface HalveResult {
  done: true;
  plan: HalvingPlan;
  submitted: SubmitResult["submitted"];
  warnings: readonly string[];
  trouble: SubmitResult["trouble"];
}

export interface HalveAction {
  settings: HalvingSettings;
  config: Config;
  scheduler: "slurm" | "local";
  maxConcurrent: number | undefined;
}

/**
 * One pass of successive halving. What is wanted of the trials is written before
 * the decisions, and the decisions before anything is submitted: a kill in
 * between leaves a pass that the next one completes.
 */
export async function halve(parts: Parts, action: HalveAction): Promise<HalveResult> {
  const { warnings } = await look(parts, action.config.pruneGraceSeconds);
  const plan = planPass(parts.state(), action.settings, parts.files.readMetric);
  for (const verb of ["prune", "pause"] as const) mark(parts, plan, verb);
  parts.fault("halve-intended");
  if (plan.decisions.length > 0) {
    parts.append([{ type: "rung-decided", decisions: plan.decisions }], RULES);
  }
  parts.fault("halve-decided");
  const resumed = plan.actions.filter(({ action }) => action === "resume").map(({ trial }) =>
    trial
  );
  const { submitted, trouble } = await submitAgain(parts, { ...action, indices: resumed });
  return { done: true, plan, submitted, warnings, trouble };
}

/** What a pass would decide now; changes nothing. */
export function planPass(
  state: SweepState,
  settings: HalvingSettings,
  readMetric: (trial: number, metric: string) => readonly Point[],
): HalvingPlan {
  const trials = [...state.trials.values()]
    .filter(({ dropped }) => dropped !== true)
    .map(({ index }) => {
      const intent = state.intents.get(index);
      const attempt = latestAttempt(state, index);
      return {
        index,
        status: statusOf(state, index),
        intent: intent?.intent ?? "run" as const,
        alive: attempt !== undefined && attempt.phase !== "ended",
        byHand: intent !== undefined && intent.by !== RULES,
        points: attempt === undefined ? [] : readMetric(index, settings.metric),
      };
    });
  return planHalving({ settings, trials, decisions: state.decisions });
}

function mark(parts: Parts, plan: HalvingPlan, verb: "prune" | "pause"): void {
  const actions = plan.actions.filter((one) => one.action === verb);
  if (actions.length === 0) return;
  const happenings = actions.map((one) => ({
    type: "intent-set" as const,
    indices: [one.trial],
    intent: verb,
    reason: reasonOf(one),
  }));
  parts.append(happenings, RULES);
  for (const { trial, status } of actions) {
    if (status === "running") parts.files.writeSignal(trial, verb);
  }
}

function reasonOf({ rung, explanation }: HalvingAction): string {
  return `halving at rung ${rung}: ${explanation}`;
}
