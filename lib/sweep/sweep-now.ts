import type { Config } from "./config.ts";
import type { Happening } from "./event.ts";
import type { Expansion } from "./expand.ts";
import type { Row } from "./csv.ts";
import { afterwards, planRun } from "./run-plan.ts";
import type { RunPlan } from "./run-plan.ts";
import type { SweepState } from "./state.ts";

/** The sweep as a run would first make it of today's YAML, before it submits anything. */
export interface SweepNow {
  state: SweepState;
  plan: RunPlan;
}

/**
 * What a run would make of the YAML, without refusing anything: trials that only
 * `run --force` would let go of stay, as they do until somebody forces it.
 */
export function sweepNow(
  state: SweepState,
  sweep: { config: Config; expansion: Expansion; rows: readonly Row[] | undefined },
  at: number,
): SweepNow {
  const plan = planRun({ ...sweep, state, request: ANYTHING });
  if ("refused" in plan) throw new Error(`A run that forces all was refused: ${plan.reason}`);
  const kept = new Set(plan.reconciliation.refused.map(({ index }) => index));
  const happenings = plan.happenings.map((what) => withoutDropping(what, kept));
  return { state: afterwards(state, happenings, at), plan };
}

const ANYTHING = {
  indices: undefined,
  pins: [],
  force: true,
  skip: false,
  changed: "keep",
} as const;

function withoutDropping(what: Happening, kept: ReadonlySet<number>): Happening {
  if (what.type !== "trials-dropped") return what;
  return { ...what, indices: what.indices.filter((index) => !kept.has(index)) };
}
