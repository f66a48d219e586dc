import type { FailedTrial } from "../agent/situation-input.ts";
import { UserError } from "../base/errors.ts";
import type { Config } from "../sweep/config.ts";
import type { Bump, Verdict } from "../sweep/monitor-event.ts";
import { attemptKey } from "../sweep/event.ts";
import { latestAttempt } from "../sweep/state.ts";
import { statusOf } from "../sweep/status.ts";
import { showValue } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import { verdictTexts } from "../words/verdict-text.ts";
import { unjudged } from "./failed-attempt.ts";
import type { FailedAttempt } from "./failed-attempt.ts";
import { classifyFailure } from "./failure.ts";
import type { InForce } from "./in-force.ts";
import { ask, complain, keyed } from "./session.ts";
import type { Session } from "./session.ts";
import { triage } from "./triage.ts";

/**
 * Judges the failures that nobody has judged, makes the bumps that they need,
 * and submits again what may run again. A crash anywhere in between leaves
 * something that the next call completes: bumps are kept before they are made,
 * and a verdict whose trial has no newer attempt is not carried out yet.
 */
export async function repair(
  session: Session,
  config: Config,
  rules: InForce,
  views: readonly TrialView[],
): Promise<void> {
  await finishBumps(session);
  await judge(session, config, rules, views);
  await submitAgain(session);
}

async function finishBumps({ ground }: Session): Promise<void> {
  for (const bump of ground.state().monitor.bumps) {
    if (!bump.applied) await ground.perform({ verb: "bump", bump: withoutMemory(bump) });
  }
}

function withoutMemory({ id, what, failure, from, to, trials }: Bump): Bump {
  return { id, what, failure, from, to, trials };
}

async function judge(
  session: Session,
  config: Config,
  rules: InForce,
  views: readonly TrialView[],
): Promise<void> {
  const { ground } = session;
  const state = ground.state();
  const failures = unjudged(state, ground.clock.now()).flatMap((one) =>
    failedOf(session, one, views)
  );
  if (failures.length === 0) return;
  const limits = await ground.limits();
  const { verdicts, bumps } = triage({
    failures,
    verdicts: state.monitor.verdicts,
    bumps: state.monitor.bumps,
    mode: rules.mode,
    settings: { ...config.remediation, scope: rules.scope },
    asked: new Map(failures.map(({ trial }) => [trial, ground.askedFor(trial)])),
    sweep: { memoryMiB: config.slurm.memoryMiB, timeSeconds: config.slurm.timeSeconds },
    limits,
    statuses: new Map(views.map(({ trial, status }) => [trial.index, status])),
    halted: state.monitor.halted !== undefined,
    newId: () => `b${Math.floor(ground.random() * 36 ** 8).toString(36)}`,
  });
  if (verdicts.length === 0) return;
  const failed = new Set<string>();
  for (const bump of bumps) {
    if (!await makeBump(session, bump)) failed.add(bump.id);
  }
  const kept = verdicts.map((verdict) => withoutBump(verdict, failed));
  await tell(session, kept, bumps.filter(({ id }) => !failed.has(id)), failures);
}

/** Its YAML cannot be edited: then the failure is a person's. */
async function makeBump(session: Session, bump: Bump): Promise<boolean> {
  try {
    const outcome = await session.ground.perform({ verb: "bump", bump });
    if (outcome.done) return true;
    await complain(session, outcome.reason);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint = error.hint === undefined ? "" : `. ${error.hint}`;
    await complain(session, `${error.message}${hint}`);
  }
  return false;
}

function withoutBump(verdict: Verdict, failed: ReadonlySet<string>): Verdict {
  if (verdict.bump === undefined || !failed.has(verdict.bump)) return verdict;
  const { bump: _, ...rest } = verdict;
  return { ...rest, decision: "notify", why: `${verdict.why}; the YAML could not be edited` };
}

async function tell(
  session: Session,
  verdicts: readonly Verdict[],
  bumps: readonly Bump[],
  failures: readonly FailedAttempt[],
): Promise<void> {
  const { ground } = session;
  // One halt holds until somebody ends it; what fails the same way meanwhile is told with the tick.
  const halt = ground.state().monitor.halted === undefined
    ? verdicts.find(({ decision }) => decision === "halt")
    : undefined;
  const texts = verdictTexts(verdicts, [...ground.state().monitor.bumps, ...bumps]);
  await ground.record([
    { type: "triaged", verdicts },
    ...(halt === undefined ? [] : [
      { type: "halted" as const, why: halt.headline },
      {
        type: "said" as const,
        said: keyed(ground, { kind: "agent", text: texts.join(" ") }),
      },
    ]),
  ]);
  session.triggers.add("failure");
  // A halt is too important to wait for the tick's summary.
  if (halt === undefined) session.done.push(...texts);
  noteFailures(session, verdicts, failures);
}

/** For the model: what failed, and that it is asked where the rules do not know. */
export function noteFailures(
  session: Session,
  verdicts: readonly Verdict[],
  failures: readonly FailedAttempt[] = [],
): void {
  const byKey = new Map(failures.map((failure) => [failure.key, failure]));
  for (const verdict of verdicts) {
    session.failed.push(failedTrial(session, verdict, byKey.get(verdict.attempt)));
  }
  const unknown = verdicts.filter(({ decision, failure }) =>
    decision === "halt" ||
    (decision === "notify" && (failure === "exception" || failure === "unknown"))
  );
  if (unknown.length > 0) {
    session.concerns.set("failure", unknown.map(({ headline }) => headline).join("; "));
  }
}

function failedTrial(
  { ground }: Session,
  { trial, failure, headline, decision, why }: Verdict,
  failed: FailedAttempt | undefined,
): FailedTrial {
  const name = ground.state().trials.get(failed?.trial ?? trial)?.name ?? `${trial}`;
  const lines = ground.logTail(trial, "stderr").trimEnd().split("\n").slice(-2);
  return { trial, name, failure, headline, decision: `${decision}: ${why}`, lines };
}

function failedOf(
  { ground }: Session,
  { key, attempt, timeSeconds }: ReturnType<typeof unjudged>[number],
  views: readonly TrialView[],
): FailedAttempt[] {
  const { trial, ending } = attempt;
  if (ending === undefined) return [];
  const view = views.find((one) => one.trial.index === trial);
  const own = view === undefined
    ? []
    : [view.trial.name, ...Object.values(view.trial.params).map(showValue)];
  const failure = classifyFailure({
    ending,
    stderrTail: ground.logTail(trial, "stderr"),
    stdoutTail: ground.logTail(trial, "stdout"),
    own,
  });
  return failure === undefined ? [] : [{ ...failure, key, trial, attempt, timeSeconds }];
}

/** Trials that were judged to run again and have no newer attempt. */
async function submitAgain(session: Session): Promise<void> {
  const { ground } = session;
  const state = ground.state();
  if (state.monitor.halted !== undefined || ground.clock.now() < session.submitAt) return;
  const due = [...state.trials.values()].filter(({ index, dropped }) => {
    if (dropped === true || statusOf(state, index) !== "failed") return false;
    const attempt = latestAttempt(state, index);
    if (attempt === undefined) return false;
    const verdict = state.monitor.verdicts[attemptKey(attempt.submission, attempt.task)];
    return verdict?.decision === "retry" || verdict?.decision === "bump";
  }).map(({ index }) => index);
  if (due.length > 0) await ask(session, { verb: "run", indices: due, reason: "triage" });
}
