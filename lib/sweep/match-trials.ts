import type { Definition } from "./event.ts";
import { canonicalText, choiceText, matchKey, trialKey } from "./identity.ts";
import { assignment, comparable, overrideKey, valueText } from "./overrides.ts";
import type { PlannedTrial, Trial } from "./trial.ts";
import type { Value } from "./value.ts";

type Choice = Readonly<Record<string, Value>>;

/** An existing trial with what decides who comes first when two could be the same planned one. */
export interface Candidate extends Trial {
  finished: boolean;
}

/** The planned trials with their keys, and the two definitions that lie between. */
export interface MatchInput {
  existing: readonly Candidate[];
  planned: readonly PlannedTrial[];
  /** Of `planned`, in the same order. */
  keys: readonly string[];
  previous: Definition | undefined;
  next: Definition;
  /** HyperHerd made the workspace: text that reads as a number may be that number. */
  carriedOver: boolean;
}

/**
 * Which existing trial each planned one is: position in `planned` to trial.
 *
 * The same choice comes first. Then trials are seen as the new configuration
 * sees them: a parameter that is new stands at what the trial ran with (an old
 * static override) or at its default or only value, one that is gone must have
 * stood at what still holds (a new static override) or at its old default or
 * only value. At last, a new parameter may have several values, when exactly one
 * planned trial and one existing trial share all the rest. Trials that were
 * dropped are looked at after all others.
 */
export function matchTrials(input: MatchInput): Map<number, Candidate> {
  const matches = new Map<number, Candidate>();
  const places = new Map(input.keys.map((key, place) => [key, place]));
  const view = createView(input);
  const active = input.existing.filter((trial) => trial.dropped !== true);
  const dropped = input.existing.filter((trial) => trial.dropped === true);
  dropped.sort((a, b) => Number(b.finished) - Number(a.finished));

  let open = claim(active, places, matches, (trial) => trial.key);
  open = claim(open, places, matches, (trial) => completeKey(view(trial)));
  open = claimUnambiguous(open, input.planned, matches, view);
  let gone = claim(dropped, places, matches, (trial) => trial.key);
  gone = claim(gone, places, matches, (trial) => completeKey(view(trial)));

  if (input.carriedOver) {
    const loose = new Map(input.planned.map(({ params }, place) => [matchKey(params), place]));
    const keyOf = (trial: Candidate) => {
      const seen = view(trial);
      return seen === undefined || seen.missing.length > 0 ? undefined : matchKey(seen.params);
    };
    claim(open, loose, matches, keyOf);
    claim(gone, loose, matches, keyOf);
  }
  return matches;
}

/** Matches by key, first come first served; returns the trials that got none. */
function claim(
  trials: readonly Candidate[],
  places: ReadonlyMap<string, number>,
  matches: Map<number, Candidate>,
  keyOf: (trial: Candidate) => string | undefined,
): Candidate[] {
  return trials.filter((trial) => {
    const key = keyOf(trial);
    const place = key === undefined ? undefined : places.get(key);
    if (place === undefined || matches.has(place)) return true;
    matches.set(place, trial);
    return false;
  });
}

/** A trial as the new configuration sees it; `missing` are the parameters that nobody knows a value for. */
interface Seen {
  params: Choice;
  missing: readonly string[];
}

function completeKey(seen: Seen | undefined): string | undefined {
  return seen === undefined || seen.missing.length > 0 ? undefined : trialKey(seen.params);
}

/** Undefined for a trial that chose a value which the new configuration cannot stand for. */
function createView(input: MatchInput): (trial: Trial) => Seen | undefined {
  const { previous, next } = input;
  const before = staticTexts(previous);
  const after = staticTexts(next);
  const keys = new Set(next.parameters.map(overrideKey));
  const wanted = next.parameters.map((name) => ({
    name,
    key: overrideKey(name),
    fill: filling(name, before, input),
  }));
  const oldDefaults = new Map(
    Object.entries(previous?.defaults ?? {}).map(([name, value]) => [overrideKey(name), value]),
  );
  function stillHolds(key: string, value: Value): boolean {
    const text = after.get(key);
    if (text !== undefined) return comparable(valueText(value)) === text;
    const old = oldDefaults.get(key);
    return old !== undefined && canonicalText(value) === canonicalText(old);
  }
  return ({ params }) => {
    const chosen = new Map(
      Object.entries(params).map(([name, value]) => [overrideKey(name), value]),
    );
    for (const [key, value] of chosen) {
      if (!keys.has(key) && !stillHolds(key, value)) return undefined;
    }
    const seen: [string, Value][] = [];
    const missing: string[] = [];
    for (const { name, key, fill } of wanted) {
      const value = chosen.has(key) ? chosen.get(key)! : fill;
      if (value === undefined) missing.push(name);
      else seen.push([name, value]);
    }
    return { params: Object.fromEntries(seen), missing };
  };
}

/** What a trial without this parameter stands at. */
function filling(
  name: string,
  before: ReadonlyMap<string, string>,
  { next, planned }: MatchInput,
): Value | undefined {
  const text = before.get(overrideKey(name));
  if (text === undefined) {
    return Object.hasOwn(next.defaults, name) ? next.defaults[name] : undefined;
  }
  const same = planned.find(({ params }) =>
    params[name] !== undefined && comparable(valueText(params[name])) === text
  );
  // A value that is not planned matches nothing, as it must.
  return same === undefined ? text : same.params[name];
}

function staticTexts(definition: Definition | undefined): Map<string, string> {
  const texts = new Map<string, string>();
  for (const token of definition?.staticOverrides ?? []) {
    const assigned = assignment(token);
    if (assigned !== undefined) texts.set(assigned.key, comparable(assigned.text));
  }
  return texts;
}

function claimUnambiguous(
  trials: readonly Candidate[],
  planned: readonly PlannedTrial[],
  matches: Map<number, Candidate>,
  view: (trial: Trial) => Seen | undefined,
): Candidate[] {
  const groups = new Map<
    string,
    { missing: readonly string[]; byRest: Map<string, Candidate[]> }
  >();
  for (const trial of trials) {
    const seen = view(trial);
    if (seen === undefined || seen.missing.length === 0) continue;
    const signature = JSON.stringify(seen.missing);
    const group = groups.get(signature) ?? { missing: seen.missing, byRest: new Map() };
    groups.set(signature, group);
    append(group.byRest, choiceText(seen.params), trial);
  }
  const claimed = new Set<Candidate>();
  for (const { missing, byRest } of groups.values()) {
    const placesByRest = new Map<string, number[]>();
    for (const [place, { params }] of planned.entries()) {
      append(placesByRest, choiceText(without(params, missing)), place);
    }
    for (const [rest, [trial, ...others]] of byRest) {
      const [place, ...alternatives] = placesByRest.get(rest) ?? [];
      if (place === undefined || alternatives.length > 0 || others.length > 0) continue;
      if (trial === undefined || matches.has(place)) continue;
      matches.set(place, trial);
      claimed.add(trial);
    }
  }
  return trials.filter((trial) => !claimed.has(trial));
}

function without(params: Choice, names: readonly string[]): Choice {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !names.includes(name)));
}

function append<K, V>(lists: Map<K, V[]>, key: K, item: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
