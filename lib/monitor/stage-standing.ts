import { attemptKey } from "../sweep/event.ts";
import type { MonitorState } from "../sweep/monitor-state.ts";
import type { TrialView } from "../sweep/view.ts";
import { formatIn } from "./cadence.ts";

/** How a trial of a rollout's stage stands. */
export interface Standing {
  kind:
    /** It trains, or has finished. */
    | "passed"
    /** Somebody set it aside: the stage does not count on it. */
    | "withdrawn"
    /** It was not submitted (yet). */
    | "ready"
    | "waiting"
    /** It needs a person. */
    | "stuck";
  /** "trial 0 waits in the queue" */
  text: string;
  /** What a person can say about it. */
  can?: readonly string[];
}

interface StandingInput {
  monitor: Pick<MonitorState, "verdicts" | "warned">;
  settings: { setupLimitSeconds: number };
  evidence: ReadonlySet<number>;
  now: number;
}

/** A trial that the YAML no longer has gives no view, or a dropped one. */
export function standingOf(view: TrialView | undefined, input: StandingInput): Standing {
  if (view === undefined) return { kind: "withdrawn", text: "a trial is no longer in the YAML" };
  const index = view.trial.index;
  const name = `trial ${index}`;
  switch (view.status) {
    case "completed":
      return { kind: "passed", text: `${name} has finished` };
    case "failed":
      return ofFailed(view, input);
    case "ready":
      return view.trial.dropped === true
        ? { kind: "withdrawn", text: `${name} is no longer in the YAML` }
        : { kind: "ready", text: `${name} is not submitted yet` };
    default:
      if (input.evidence.has(index)) return { kind: "passed", text: `${name} trains` };
  }
  switch (view.status) {
    case "cancelled":
    case "pruned":
      return { kind: "withdrawn", text: `${name} is ${view.status}` };
    case "paused":
      return {
        kind: "stuck",
        text: `${name} is paused and gave no sign of training before`,
        can: [`"resume ${index}"`, `"prune ${index}" to leave it out`],
      };
    case "running":
      return ofRunning(view, input);
    case "unknown":
      return { kind: "waiting", text: `nobody has said yet what became of ${name}` };
    default:
      return { kind: "waiting", text: `${name} waits in the queue` };
  }
}

function ofFailed({ trial, attempt, note }: TrialView, { monitor }: StandingInput): Standing {
  const name = `trial ${trial.index}`;
  const verdict = attempt === undefined
    ? undefined
    : monitor.verdicts[attemptKey(attempt.submission, attempt.task)];
  if (verdict === undefined) return { kind: "waiting", text: `${name} failed and is being judged` };
  if (verdict.decision === "retry" || verdict.decision === "bump") {
    return { kind: "waiting", text: `${name} failed and is submitted again` };
  }
  return {
    kind: "stuck",
    text: `${name} failed: ${verdict.headline || note || "for no reason that its log gives"}`,
    can: [`"retry ${trial.index}" once it is mended`, `"prune ${trial.index}" to leave it out`],
  };
}

function ofRunning(view: TrialView, input: StandingInput): Standing {
  const index = view.trial.index;
  const silent = silentSetup(view, input);
  if (silent === undefined) {
    return { kind: "waiting", text: `trial ${index} runs and gives no sign of training yet` };
  }
  return {
    kind: "stuck",
    text: `trial ${index} has run for ${formatIn(silent)} without a sign of training`,
    can: [`look at its log, then "cancel ${index}"`],
  };
}

export interface SetupWarning {
  trial: number;
  about: "setup";
  detail: string;
}

/**
 * The warnings that are due about running trials whose set-up has been silent for
 * longer than the limit: one per trial for ever, whatever becomes of it. Nothing is killed.
 */
export function setupWarnings(
  input: StandingInput & { views: readonly TrialView[] },
): SetupWarning[] {
  return input.views.flatMap((view) => {
    const trial = view.trial.index;
    const silent = silentSetup(view, input);
    if (silent === undefined || input.monitor.warned[`${trial}/setup`] !== undefined) return [];
    const detail = `trial ${trial} has run for ${formatIn(silent)} without a sign of training: ` +
      "no metric, and no line of its log that looks like an epoch, a step or a loss";
    return [{ trial, about: "setup", detail }];
  });
}

/** Milliseconds that it has run without a sign of training, when that is too long. */
function silentSetup(view: TrialView, input: StandingInput): number | undefined {
  const startedAt = view.attempt?.startedAt;
  if (view.status !== "running" || startedAt === undefined) return undefined;
  if (input.evidence.has(view.trial.index)) return undefined;
  // It holds its place and cannot do anything.
  if (/^(SUSPENDED|STOPPED)/.test(view.attempt?.schedulerState ?? "")) return undefined;
  const ran = input.now - startedAt;
  return ran > input.settings.setupLimitSeconds * 1000 ? ran : undefined;
}
