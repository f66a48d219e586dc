import { NothingError, UserError } from "../base/errors.ts";
import { compactRanges, count } from "../base/text.ts";
import { defineSweep } from "./definition.ts";
import type { Config } from "./config.ts";
import { attemptKey } from "./event.ts";
import type { Definition, Happening } from "./event.ts";
import type { Expansion } from "./expand.ts";
import { runDigest } from "./overrides.ts";
import { matchesPins } from "./pin.ts";
import type { Pin } from "./pin.ts";
import { reconcile } from "./reconcile.ts";
import type { ExistingTrial, Reconciliation } from "./reconcile.ts";
import { apply, latestAttempt } from "./state.ts";
import type { SweepState } from "./state.ts";
import { LIVE, PENDING, statusOf } from "./status.ts";
import type { Row } from "./csv.ts";

export interface RunRequest {
  /** Exactly these instead of everything pending. */
  indices: readonly number[] | undefined;
  pins: readonly Pin[];
  /** With indices: submit them whatever their status. Without: let go of live and completed trials that the YAML lost. */
  force: boolean;
  /** With indices: pass over those that are live or completed. */
  skip: boolean;
  /** What to do about finished trials that ran with other fixed overrides than today's. */
  changed: "keep" | "rerun" | undefined;
}

export interface RunPlan {
  reconciliation: Reconciliation;
  definition: Definition;
  /** What to write before anything is submitted, so that journal and YAML agree. */
  happenings: readonly Happening[];
  /** Indices to submit, ascending. */
  submit: readonly number[];
  /** Of those, the ones whose live attempt has to end first. */
  stopFirst: readonly number[];
  /** Sentences that tell what this run makes of an edited YAML. */
  changes: readonly string[];
}

/** An expected no, with the choice that would turn it into a yes. */
export interface RunRefusal {
  refused: "drops" | "drift" | "busy";
  reason: string;
  hint: string;
  facts: Readonly<Record<string, unknown>>;
}

export interface RunInput {
  state: SweepState;
  config: Config;
  expansion: Expansion;
  rows: readonly Row[] | undefined;
  request: RunRequest;
}

/** What `herd run` will do, decided before anything is changed: a dry run shows exactly this. */
export function planRun(input: RunInput): RunPlan | RunRefusal {
  const { state, config, expansion, request } = input;
  const definition = defineSweep(config, input.rows);
  const reconciliation = reconcile({
    existing: existingTrials(state),
    previous: state.definition,
    planned: expansion.trials,
    next: definition,
    launcher: config.launcher,
    naming: expansion.naming,
    nextIndex: state.nextIndex,
    carriedOver: [...state.submissions.values()].some(({ carried }) => carried),
  });
  const dropping = refuseDrops(reconciliation, request);
  if (dropping !== undefined) return dropping;
  const drifting = refuseDrift(reconciliation, request);
  if (drifting !== undefined) return drifting;
  const happenings = happeningsOf(input, definition, reconciliation);
  const selection = select(input, reconciliation);
  if ("refused" in selection) return selection;
  return {
    reconciliation,
    definition,
    happenings,
    ...selection,
    changes: changesOf(reconciliation, state),
  };
}

function existingTrials(state: SweepState): ExistingTrial[] {
  return [...state.trials.values()].map((trial) => {
    const status = statusOf(state, trial.index);
    const attempt = latestAttempt(state, trial.index);
    const ran = attempt === undefined ? undefined : {
      as: state.ranAs.get(attemptKey(attempt.submission, attempt.task)),
      fixed: state.submissions.get(attempt.submission)?.fixed,
    };
    return {
      ...trial,
      status,
      finished: status === "completed",
      live: LIVE.has(status),
      ran,
      accepted: state.accepted.get(trial.index),
    };
  });
}

function refuseDrops({ refused }: Reconciliation, request: RunRequest): RunRefusal | undefined {
  if (refused.length === 0 || (request.force && request.indices === undefined)) return undefined;
  const first = refused.slice(0, 5).map(({ index, status }) => `${index} is ${status}`).join(", ");
  const more = refused.length > 5 ? ` and ${refused.length - 5} more` : "";
  return {
    refused: "drops",
    reason: `Cannot let go of ${
      count(refused.length, "trial")
    } that the YAML no longer contains: ${first}${more}`,
    hint: "Take the edit back, or run with --force to keep their records aside",
    facts: { dropped: refused },
  };
}

function refuseDrift({ drift }: Reconciliation, request: RunRequest): RunRefusal | undefined {
  if (drift.length === 0 || request.changed !== undefined) return undefined;
  const indices = compactRanges(drift.map(({ index }) => index));
  const what = [...new Set(drift.flatMap((one) => one.what))];
  const shown = what.slice(0, 4).join("; ") +
    (what.length > 4 ? `; and ${what.length - 4} more` : "");
  return {
    refused: "drift",
    reason: `Cannot tell whether ${count(drift.length, "trial")} still ${
      drift.length === 1 ? "counts" : "count"
    } (${indices}): a run today would differ: ${shown}`,
    hint:
      "Choose: --changed keep counts them as they are, --changed rerun runs the completed ones again",
    facts: { drift },
  };
}

function happeningsOf(
  { state, config, request }: RunInput,
  definition: Definition,
  reconciliation: Reconciliation,
): Happening[] {
  const { added, redefined, dropped, refused, drift, kept } = reconciliation;
  const happenings: Happening[] = [];
  const same = JSON.stringify(state.definition) === JSON.stringify(definition);
  if (!same || state.sweep !== config.name) {
    happenings.push({ type: "sweep-defined", sweep: config.name, definition });
  }
  if (redefined.length > 0) happenings.push({ type: "trials-redefined", trials: redefined });
  if (added.length > 0) happenings.push({ type: "trials-added", trials: added });
  const gone = [...dropped, ...refused.map(({ index }) => index)];
  if (gone.length > 0) happenings.push({ type: "trials-dropped", indices: gone });
  if (request.changed === "keep" && drift.length > 0) {
    const planned = new Map(kept.map((one) => [one.index, one.planned]));
    const fixed = { staticOverrides: config.staticOverrides, launcher: config.launcher };
    const trials = drift.map(({ index }) => ({ index, as: runDigest(planned.get(index)!, fixed) }));
    happenings.push({ type: "drift-accepted", trials });
  }
  return happenings;
}

function select(
  { state, request }: RunInput,
  { kept, added, drift }: Reconciliation,
): { submit: number[]; stopFirst: number[] } | RunRefusal {
  const params = new Map(kept.map(({ index, planned }) => [index, planned.params]));
  for (const trial of added) params.set(trial.index, trial.params);
  const matches = (index: number) => matchesPins(params.get(index)!, request.pins);
  const fits = [...params.keys()].filter(matches).sort((a, b) => a - b);
  if (fits.length === 0 && request.pins.length > 0) {
    const pins = request.pins.map(({ parameter, text }) => `${parameter}=${text}`).join(" ");
    throw new NothingError(`No trial has ${pins}`, { hint: "`herd ls` lists the trials" });
  }
  const rerun = new Set(request.changed === "rerun" ? drift.map(({ index }) => index) : []);
  if (request.indices === undefined) {
    const pending = fits.filter((index) => {
      const status = statusOf(state, index);
      return PENDING.has(status) || (rerun.has(index) && status === "completed");
    });
    return { submit: pending, stopFirst: [] };
  }
  const unknown = request.indices.filter((index) => !params.has(index));
  if (unknown.length > 0) {
    throw new UserError(`Cannot find trial ${compactRanges(unknown)} in the sweep`, {
      hint: `Its trials are ${compactRanges(params.keys())}`,
    });
  }
  const wanted = new Set(request.indices);
  const chosen = fits.filter((index) => wanted.has(index));
  const busy = chosen.filter((index) => {
    const status = statusOf(state, index);
    return LIVE.has(status) || (status === "completed" && !rerun.has(index));
  });
  if (busy.length > 0 && request.skip) {
    const left = new Set(busy);
    return { submit: chosen.filter((index) => !left.has(index)), stopFirst: [] };
  }
  if (busy.length > 0 && !request.force) return refuseBusy(state, busy);
  return { submit: chosen, stopFirst: chosen.filter((index) => LIVE.has(statusOf(state, index))) };
}

function refuseBusy(state: SweepState, busy: readonly number[]): RunRefusal {
  const found = busy.slice(0, 10).map((index) => `${index}=${statusOf(state, index)}`).join(", ");
  const more = busy.length > 10 ? ` and ${busy.length - 10} more` : "";
  return {
    refused: "busy",
    reason: `Cannot submit ${count(busy.length, "trial")} that ${
      busy.length === 1 ? "is" : "are"
    } live or completed: ${found}${more}`,
    hint:
      "--skip submits the others only; --force stops live ones first and runs all of them again",
    facts: { indices: busy },
  };
}

function changesOf(
  { changes, added, dropped, refused }: Reconciliation,
  state: SweepState,
): string[] {
  if (state.trials.size === 0) return [];
  const texts = [...changes];
  if (added.length > 0) {
    texts.push(
      `${count(added.length, "trial")} added: ${compactRanges(added.map((one) => one.index))}`,
    );
  }
  const gone = [...dropped, ...refused.map(({ index }) => index)];
  if (gone.length > 0) {
    texts.push(
      `${count(gone.length, "trial")} no longer in the YAML: ${
        compactRanges(gone)
      } (records and files stay)`,
    );
  }
  return texts;
}

/** A state in which the plan's happenings have happened, for a dry run; the given one stays as it is. */
export function afterwards(
  state: SweepState,
  happenings: readonly Happening[],
  at: number,
): SweepState {
  const next: SweepState = {
    ...state,
    trials: new Map(state.trials),
    accepted: new Map(state.accepted),
  };
  for (const what of happenings) apply(next, { v: 1, seq: next.seq, at, by: "dry-run", what });
  return next;
}
