import { indicesText } from "./amount-text.ts";
import { spanText } from "./duration-text.ts";
import { joinFitting } from "./post-text.ts";

export interface AwayFacts {
  /** How long nobody watched, milliseconds. */
  ms: number;
  /** Whether the process slept; otherwise this did not answer, such as `"login"`. */
  why: { asleep: true } | { silent: string };
  /** What ended meanwhile, a sentence for each way. */
  changes: readonly string[];
  /** Trials that were submitted since, for the first time and again. */
  submitted: readonly number[];
  again: readonly number[];
}

/** One post for all that happened while the daemon slept or saw nothing. */
export function awayText({ ms, why, changes, submitted, again }: AwayFacts): string {
  const cause = "asleep" in why ? "asleep" : `without an answer from ${why.silent}`;
  const meanwhile = changes.length === 0 ? "Nothing changed meanwhile." : "Meanwhile:";
  const done = [
    ...(again.length === 0 ? [] : [`${trials(again)} again`]),
    ...(submitted.length === 0 ? [] : [trials(submitted)]),
  ];
  return joinFitting([
    `back after ${spanText(ms)} ${cause}. ${meanwhile}`,
    ...changes,
    ...(done.length === 0 ? [] : [`Submitted since: ${done.join(", ")}`]),
  ]);
}

function trials(indices: readonly number[]): string {
  return `${indices.length === 1 ? "trial" : "trials"} ${indicesText(indices)}`;
}
