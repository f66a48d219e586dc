import type { Submitted } from "../lib/actions/submit.ts";
import { renderTable } from "../lib/base/table.ts";
import type { Cell, Column } from "../lib/base/table.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { HalvingSettings } from "../lib/sweep/config.ts";
import type { HalvingAction, HalvingPlan } from "../lib/sweep/halving.ts";
import type { SweepState } from "../lib/sweep/state.ts";
import { say } from "./open.ts";
import { statusCell } from "./paint-status.ts";

/** A pass of successive halving, done or only shown. */
export interface Pass {
  dryRun: boolean;
  settings: HalvingSettings;
  plan: HalvingPlan;
  submitted: readonly Submitted[];
  state: SweepState;
  warnings: readonly string[];
}

/** What `sh --json` prints: HyperHerd's keys, and `jobs`, `left` and `warnings`. */
export function halvingDocument(pass: Pass): object {
  const { dryRun, settings, plan, submitted, warnings } = pass;
  return {
    dry_run: dryRun,
    mode: settings.mode,
    rungs: plan.rungs,
    slurm_job_id: submitted[0]?.jobId ?? null,
    submitted: resumedIn(pass),
    pruned: indicesOf(plan, "prune"),
    paused: indicesOf(plan, "pause"),
    decisions: plan.actions.map(decisionDocument),
    jobs: submitted.map(({ jobId, submission, indices }) => ({
      job_id: jobId,
      submission,
      indices,
    })),
    left: leftIn(pass),
    warnings,
  };
}

function decisionDocument(one: HalvingAction): unknown {
  const { standing } = one;
  return {
    index: one.trial,
    status: one.status,
    max_step: one.maxStep,
    action: one.action === "resume" ? "submit" : one.action,
    verdict: one.verdict,
    rung: one.rung,
    reason: one.reason,
    explanation: one.explanation,
    standing: standing === null ? null : {
      rung: standing.rung,
      step: standing.step,
      value: standing.value,
      cohort_size: standing.cohortSize,
      keep: standing.keep,
      ahead_definite: standing.aheadDefinite,
      unreached: standing.unreached,
    },
  };
}

/** Tells a person what a pass did or would do. */
export function printHalving(out: Terminal, pass: Pass, { explain }: { explain: boolean }): void {
  const { dryRun, settings, plan } = pass;
  if (explain) {
    for (const line of explanations(out, pass)) out.print(line);
    out.print();
  }
  const { metric, direction, mode } = settings;
  out.print(out.paint.dim(
    `${mode}, ${direction === "min" ? "least" : "most"} ${metric} is best, ` +
      `compared at step ${plan.rungs.join(", ")}`,
  ));
  const tell = (would: string, done: string, indices: readonly number[]) => {
    if (indices.length === 0) return;
    const trials = `${count(indices.length, "trial")} (${compactRanges(indices)})`;
    out.print(`${dryRun ? `Would ${would}` : done} ${trials}`);
  };
  tell("prune", "Pruned", indicesOf(plan, "prune"));
  tell("pause", "Paused", indicesOf(plan, "pause"));
  tell("resume", "Resumed", resumedIn(pass));
  const idle = plan.actions.every(({ action }) => action === "none");
  if (idle) out.print(dryRun ? "Nothing would change" : "Nothing to change");
  else if (dryRun) out.print("Nothing was changed");
  const left = leftIn(pass);
  if (left.length === 0) return;
  say(
    out,
    `${count(left.length, "trial")} (${
      compactRanges(left)
    }) may go on and could not be submitted ` +
      "yet; the next pass tries again",
  );
}

function explanations({ columns, paint }: Terminal, { plan, state }: Pass): string[] {
  const titles: Column[] = [
    { title: "Trial", align: "right" },
    { title: "Name", shrinkTo: 12, atMost: 40 },
    { title: "Status" },
    { title: "Step", align: "right" },
    { title: "Verdict" },
    { title: "Action" },
    { title: "Why", shrinkTo: 30 },
  ];
  const rows = plan.actions.map((one): Cell[] => [
    `${one.trial}`,
    state.trials.get(one.trial)?.name ?? "",
    statusCell(paint, one.status),
    `${one.maxStep ?? ""}`,
    one.verdict === "none" ? "" : one.verdict.replaceAll("_", " "),
    one.action === "none" ? "" : { text: one.action, paint: paint.bold },
    one.explanation,
  ]);
  return renderTable(titles, rows, { width: columns, paintTitle: paint.bold });
}

function indicesOf({ actions }: HalvingPlan, wanted: HalvingAction["action"]): number[] {
  return actions.filter(({ action }) => action === wanted).map(({ trial }) => trial);
}

/** Trials that were submitted, or would be. */
function resumedIn({ dryRun, plan, submitted }: Pass): number[] {
  if (dryRun) return indicesOf(plan, "resume");
  return submitted.flatMap(({ indices }) => indices).sort((a, b) => a - b);
}

/** Trials that may go on, and were not submitted: no room, or the scheduler said no. */
function leftIn(pass: Pass): number[] {
  const resumed = new Set(resumedIn(pass));
  return indicesOf(pass.plan, "resume").filter((trial) => !resumed.has(trial));
}
