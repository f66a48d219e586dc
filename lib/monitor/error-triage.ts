import { compactRanges } from "../base/text.ts";
import type { FailedAttempt } from "./failed-attempt.ts";
import { onlyNotified, retriesOf, times } from "./judgement.ts";
import type { Judgement, TriageInput } from "./judgement.ts";

/** So many trials, and more than this share of all that have ended, failing without a word is no accident. */
const UNEXPLAINED = { trials: 3, share: 0.5 };

/**
 * Judges exceptions and failures without a reason. One error in two trials is
 * the code's or the environment's: it halts in both modes. A failure of one
 * trial alone gets another try. One that nothing explains never counts as the
 * same as another's; only when most of what has ended failed so does it halt.
 */
export function judgeErrors(
  input: TriageInput,
  failures: readonly FailedAttempt[],
): Map<string, Judgement> {
  const trialsOf = trialsByFingerprint(input, failures);
  const unexplained = unexplainedTrials(input, failures);
  const judgements = new Map<string, Judgement>();
  for (const failed of failures) {
    if (failed.failure !== "exception" && failed.failure !== "unknown") continue;
    const same = trialsOf.get(failed.fingerprint ?? "") ?? new Set<number>();
    judgements.set(
      failed.key,
      failed.failure === "unknown"
        ? unexplained === undefined ? alone(input, failed) : unexplained
        : same.size >= 2
        ? recurring(same)
        : alone(input, failed),
    );
  }
  return judgements;
}

function trialsByFingerprint(
  { verdicts }: TriageInput,
  failures: readonly FailedAttempt[],
): Map<string, Set<number>> {
  const trialsOf = new Map<string, Set<number>>();
  for (const { failure, fingerprint, trial } of [...Object.values(verdicts), ...failures]) {
    if (failure !== "exception" || fingerprint === undefined) continue;
    const trials = trialsOf.get(fingerprint);
    if (trials === undefined) trialsOf.set(fingerprint, new Set([trial]));
    else trials.add(trial);
  }
  return trialsOf;
}

function recurring(trials: ReadonlySet<number>): Judgement {
  return {
    decision: "halt",
    why: `Trials ${
      compactRanges(trials)
    } failed with the same error, so it is the code or its environment`,
  };
}

function unexplainedTrials(
  { verdicts, statuses }: TriageInput,
  failures: readonly FailedAttempt[],
): Judgement | undefined {
  const trials = new Set(
    [...Object.values(verdicts), ...failures]
      .filter(({ failure, trial }) => failure === "unknown" && statuses.get(trial) === "failed")
      .map(({ trial }) => trial),
  );
  const ended = [...statuses.values()].filter((one) => one === "completed" || one === "failed");
  const isMost = trials.size > ended.length * UNEXPLAINED.share;
  if (trials.size < UNEXPLAINED.trials || !isMost) return undefined;
  return {
    decision: "halt",
    why: `${trials.size} of ${ended.length} trials that have ended failed, and no log says why`,
  };
}

function alone(
  { mode, settings, verdicts }: TriageInput,
  { trial, failure }: FailedAttempt,
): Judgement {
  if (mode === "notify") return onlyNotified();
  const before = retriesOf(verdicts, trial, ["exception", "unknown"]);
  if (before < settings.retries) {
    const why = failure === "unknown"
      ? "Nothing says why it failed, so it gets another try"
      : "No other trial failed with this error, so it gets another try";
    return { decision: "retry", why };
  }
  const again = before === 0
    ? "Trials are not submitted again after an error of their own (remediation.retries is 0)"
    : `It was submitted again ${times(before)} and failed again`;
  return { decision: "notify", why: again };
}
