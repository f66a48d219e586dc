import { count } from "../base/text.ts";
import { definitionChanges } from "./definition-changes.ts";
import { createDrift } from "./drift.ts";
import type { Ran } from "./drift.ts";
import type { Definition, Happening } from "./event.ts";
import { choiceText, trialKey } from "./identity.ts";
import { matchTrials } from "./match-trials.ts";
import { nameTrials } from "./names.ts";
import type { Naming } from "./names.ts";
import type { PlannedTrial, Trial } from "./trial.ts";

export interface ExistingTrial extends Trial {
  /** Its status as users see it. */
  status: string;
  /** It completed: its results are worth keeping. */
  finished: boolean;
  /** It is with the scheduler, or may be. */
  live: boolean;
  /** Its latest attempt, when it has one. */
  ran?: Ran | undefined;
  /** Digest of what the user accepted as equal to today's (`drift-accepted`). */
  accepted?: string | undefined;
}

export interface ReconcileInput {
  /** All trials that ever were, dropped ones too. */
  existing: readonly ExistingTrial[];
  previous: Definition | undefined;
  planned: readonly PlannedTrial[];
  next: Definition;
  /** As in the configuration. */
  launcher: string;
  /** As `expand` gave it. */
  naming: Naming;
  /** Never lower than any index that was ever used. */
  nextIndex: number;
  /** HyperHerd made the workspace, so that numbers may be text in its trials. */
  carriedOver?: boolean;
}

type Redefined = Extract<Happening, { type: "trials-redefined" }>["trials"][number];

export interface Reconciliation {
  /** Trials that are in the configuration, old and new, in its order; `redefined` and those that are back are among them. */
  kept: readonly { index: number; planned: PlannedTrial }[];
  /** Kept ones whose record changes, or that were dropped and are back. */
  redefined: readonly Redefined[];
  added: readonly (PlannedTrial & { index: number; key: string })[];
  /** No longer in the configuration and neither live nor completed. Nothing of them is deleted. */
  dropped: readonly number[];
  /** The same for live and completed ones: dropped only when the user insists. */
  refused: readonly { index: number; status: string }[];
  /** Kept ones, live or completed, that ran with something else than a run today would be given. */
  drift: readonly { index: number; what: readonly string[] }[];
  /** What changed, as sentences without a final period. */
  changes: readonly string[];
}

/**
 * Compares the trials that a workspace has with those that its configuration
 * plans. Decides nothing for the user: what is dropped, drifted or refused is
 * said. Linear in the number of trials.
 */
export function reconcile(input: ReconcileInput): Reconciliation {
  const { existing, previous, planned, next, launcher } = input;
  const keys = planned.map(({ params }) => trialKey(params));
  const matches = matchTrials({
    existing,
    planned,
    keys,
    previous,
    next,
    carriedOver: input.carriedOver === true,
  }) as Map<number, ExistingTrial>;
  const driftOf = createDrift({ previous, next, launcher });
  const kept: { index: number; planned: PlannedTrial }[] = [];
  const redefined: Redefined[] = [];
  const drift: { index: number; what: string[] }[] = [];
  const fresh: { trial: PlannedTrial; key: string }[] = [];
  const tally = { names: 0, extras: 0, resources: 0, back: 0, example: "" };

  for (const [place, trial] of planned.entries()) {
    const key = keys[place]!;
    const old = matches.get(place);
    if (old === undefined) {
      fresh.push({ trial, key });
      continue;
    }
    kept.push({ index: old.index, planned: trial });
    if (differs(old, trial, key)) redefined.push(redefinition(old, trial, key));
    takeStock(tally, old, trial);
    if (!old.finished && !old.live) continue;
    const what = driftOf(old, trial);
    if (what.length > 0) drift.push({ index: old.index, what });
  }
  return {
    kept,
    redefined,
    added: numbered(fresh, input),
    ...leftOver(existing, matches),
    drift,
    changes: [...definitionChanges(previous, next, launcher), ...tallyTexts(tally)],
  };
}

function differs(old: ExistingTrial, trial: PlannedTrial, key: string): boolean {
  return old.dropped === true || old.key !== key ||
    choiceText(old.params) !== choiceText(trial.params) ||
    !sameRecord(old.extras, trial.extras) || !sameRecord(old.resources, trial.resources) ||
    old.conditions.join("\0") !== trial.conditions.join("\0");
}

function redefinition(old: ExistingTrial, trial: PlannedTrial, key: string): Redefined {
  const { params, extras, resources, conditions } = trial;
  const back = old.dropped === true ? { back: true } : {};
  return { index: old.index, key, params, extras, resources, conditions, ...back };
}

/** New trials with indices, under names that no other trial has, not even a dropped one: its files stay. */
function numbered(
  fresh: readonly { trial: PlannedTrial; key: string }[],
  { existing, naming, nextIndex }: ReconcileInput,
): (PlannedTrial & { index: number; key: string })[] {
  const taken = new Set(existing.map(({ name }) => name));
  const clashing = fresh.filter(({ trial }) => taken.has(trial.name)).map(({ trial }) => trial);
  for (const { trial } of fresh) taken.add(trial.name);
  const renamed = nameTrials(clashing, naming, taken);
  const names = new Map(clashing.map((trial, i) => [trial, renamed[i]!]));
  return fresh.map(({ trial, key }, i) => ({
    ...trial,
    name: names.get(trial) ?? trial.name,
    index: nextIndex + i,
    key,
  }));
}

function leftOver(
  existing: readonly ExistingTrial[],
  matches: ReadonlyMap<number, ExistingTrial>,
): Pick<Reconciliation, "dropped" | "refused"> {
  const matched = new Set([...matches.values()].map(({ index }) => index));
  const dropped: number[] = [];
  const refused: { index: number; status: string }[] = [];
  for (const { index, status, live, finished, dropped: already } of existing) {
    if (already === true || matched.has(index)) continue;
    if (live || finished) refused.push({ index, status });
    else dropped.push(index);
  }
  return { dropped, refused };
}

interface Tally {
  names: number;
  extras: number;
  resources: number;
  back: number;
  /** One trial whose name would be another one today. */
  example: string;
}

function takeStock(tally: Tally, old: ExistingTrial, trial: PlannedTrial): void {
  if (old.dropped === true) tally.back++;
  if (!sameRecord(old.extras, trial.extras)) tally.extras++;
  if (!sameRecord(old.resources, trial.resources)) tally.resources++;
  if (old.name === trial.name) return;
  if (tally.names++ === 0) tally.example = `"${old.name}" (today "${trial.name}")`;
}

function tallyTexts({ names, extras, resources, back, example }: Tally): string[] {
  const texts: string[] = [];
  if (names > 0) {
    texts.push(`${keeps(names)} the name under which it was made, such as ${example}`);
  }
  if (extras > 0) texts.push(`What conditions set is another for ${count(extras, "trial")}`);
  if (resources > 0) {
    texts.push(`Resources that conditions set are others for ${count(resources, "trial")}`);
  }
  if (back > 0) texts.push(`${count(back, "dropped trial")} ${back === 1 ? "is" : "are"} back`);
  return texts;
}

function keeps(n: number): string {
  return n === 1 ? "1 trial keeps" : `Each of ${n} trials keeps`;
}

function sameRecord(a: object, b: object): boolean {
  return a === b || plainText(a) === plainText(b);
}

/** JSON with sorted keys; fields that are undefined are not there. */
function plainText(value: object): string {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return "{}";
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries, (_, item: unknown) => typeof item === "number" ? item + 0 : item);
}
