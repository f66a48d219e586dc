import type { RemediationSettings } from "../sweep/config.ts";
import type { Bump, FailureClass, Verdict } from "../sweep/monitor-event.ts";
import type { Status } from "../sweep/status.ts";
import type { FailedAttempt } from "./failed-attempt.ts";

/** What a trial would be submitted with now: the YAML's, its conditions', its own bumps'. */
export interface Asked {
  memoryMiB: number;
  timeSeconds: number | null;
  /** Set by a condition for this trial, so that the sweep's own setting says nothing of it. */
  byCondition: { memory: boolean; time: boolean };
}

export interface TriageInput {
  failures: readonly FailedAttempt[];
  /** `state.monitor.verdicts`. */
  verdicts: Readonly<Record<string, Verdict>>;
  /** `state.monitor.bumps`. */
  bumps: readonly (Bump & { at: number; applied: boolean })[];
  mode: "remediate" | "notify";
  settings: RemediationSettings;
  /** By trial, at least of those that failed. */
  asked: ReadonlyMap<number, Asked>;
  /** `slurm.mem` and `slurm.time` as they are now. */
  sweep: { memoryMiB: number; timeSeconds: number | null };
  /** Of the sweep's partition. */
  limits: { maxMemoryMiB: number | undefined; maxTimeSeconds: number | null | undefined };
  /** Every trial's status now. */
  statuses: ReadonlyMap<number, Status>;
  /** A halt is in force: nothing is submitted or bumped by itself. */
  halted: boolean;
  newId: () => string;
}

/** How one failure is judged, before it is known whether the sweep halts. */
export type Judgement = Pick<Verdict, "decision" | "why"> & {
  bump?: string | undefined;
};

export function onlyNotified(): Judgement {
  return { decision: "notify", why: "Failures are only reported in this sweep (mode notify)" };
}

/** How often a trial was submitted again unchanged after failures of these classes. */
export function retriesOf(
  verdicts: Readonly<Record<string, Verdict>>,
  trial: number,
  classes: readonly FailureClass[],
): number {
  return Object.values(verdicts).filter((one) =>
    one.trial === trial && one.decision === "retry" && classes.includes(one.failure)
  ).length;
}

export function times(n: number): string {
  return n === 1 ? "once" : n === 2 ? "twice" : `${n} times`;
}
