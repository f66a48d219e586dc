import type { Bump, Verdict } from "../sweep/monitor-event.ts";
import { judgeErrors } from "./error-triage.ts";
import type { FailedAttempt } from "./failed-attempt.ts";
import { onlyNotified, retriesOf, times } from "./judgement.ts";
import type { Judgement, TriageInput } from "./judgement.ts";
import { createResourceTriage } from "./resource-triage.ts";

export interface TriageResult {
  verdicts: Verdict[];
  /** To be made before what the verdicts name them for is submitted. */
  bumps: Bump[];
  /** Keys of attempts that would be submitted again but for the halt; to be judged once it is over. */
  postponed: string[];
}

/**
 * Judges failed attempts, each once, by the table of the user page. Pure: the
 * same failures with the same memory get the same verdicts.
 */
export function triage(input: TriageInput): TriageResult {
  const failures = fresh(input);
  const resources = createResourceTriage(input, failures);
  const errors = judgeErrors(input, failures);
  const judged = failures.map((failure) => ({
    failure,
    judgement: errors.get(failure.key) ?? resources.judge(failure) ??
      byTable(input, failure),
  }));
  const halts = input.halted || judged.some(({ judgement }) => judgement.decision === "halt");
  const waits = ({ decision }: Judgement) => halts && (decision === "retry" || decision === "bump");
  const kept = judged.filter(({ judgement }) => !waits(judgement));
  const verdicts = kept.map(({ failure, judgement }) => verdictOf(failure, judgement));
  return {
    verdicts,
    bumps: halts ? [] : resources.made(),
    postponed: judged.filter(({ judgement }) => waits(judgement)).map(({ failure }) => failure.key),
  };
}

/** Each attempt once; one that the scheduler started again has not failed. */
function fresh({ failures, verdicts }: TriageInput): FailedAttempt[] {
  const seen = new Set(Object.keys(verdicts));
  return failures.filter(({ key, attempt }) => {
    if (seen.has(key) || attempt.phase !== "ended") return false;
    seen.add(key);
    return true;
  });
}

function byTable(
  { mode, settings, verdicts }: TriageInput,
  failed: FailedAttempt,
): Judgement {
  if (failed.failure === "cuda-out-of-memory") {
    return {
      decision: "notify",
      why:
        "The GPU's memory ran out, and slurm.mem does not change that: use a smaller batch or a larger GPU",
    };
  }
  if (mode === "notify") return onlyNotified();
  const before = retriesOf(verdicts, failed.trial, ["infrastructure"]);
  const most = settings.infrastructureRetries;
  if (before >= most) {
    return {
      decision: "notify",
      why: `It was submitted again ${
        times(before)
      } after failures of the cluster, the most allowed`,
    };
  }
  return {
    decision: "retry",
    why: `The cluster failed it, not the program: submitted again unchanged (${
      before + 1
    } of ${most})`,
  };
}

function verdictOf(failed: FailedAttempt, { decision, why, bump }: Judgement): Verdict {
  const { key, trial, failure, fingerprint, headline } = failed;
  return {
    attempt: key,
    trial,
    failure,
    fingerprint,
    headline,
    decision,
    ...(bump === undefined ? {} : { bump }),
    why,
  };
}
