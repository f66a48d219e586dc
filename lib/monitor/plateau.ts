import type { Direction } from "../sweep/ranking.ts";

/** A trial that completed, in the order of their ends. */
export interface Finished {
  trial: number;
  /** Milliseconds since the epoch. */
  endedAt: number;
  /** Its value of the objective; null for NaN and for none. */
  value: number | null;
}

/** What a plan's custom rules ask about: how many completed trials without a better one are a plateau. */
export interface PlateauQuestion {
  trials: number;
  /** The rule's own words. */
  rule: string;
}

const DEFAULT_TRIALS = 10;
const ABOUT =
  /\b(?:plateau\w*|stops? improving|no (?:more )?improvements?|not improv\w*|stagnat\w*|stall(?:s|ed)? out|levels? off)\b/i;

/** The first line of the custom rules that asks something about a plateau; undefined when none does. */
export function plateauQuestion(customRules: string): PlateauQuestion | undefined {
  const rule = customRules.split(/\r?\n/).find((line) => ABOUT.test(line))?.trim();
  if (rule === undefined) return undefined;
  const number = /\b(\d{1,4})\s+(?:\w+\s+)?(?:trials?|runs?)\b/i.exec(rule)?.[1];
  return { rule, trials: Math.max(1, Number(number ?? DEFAULT_TRIALS)) };
}

/**
 * Whether the plan asks about a plateau and there is one: the best value has not
 * become better over the last `trials` completed trials. Equal is not better.
 */
export function plateau(
  customRules: string,
  finished: readonly Finished[],
  direction: Direction,
): boolean {
  const question = plateauQuestion(customRules);
  if (question === undefined) return false;
  const since = trialsSinceBest(finished, direction);
  return since !== undefined && since >= question.trials;
}

/** Completed trials since the one that is still the best; undefined before any has a value. */
export function trialsSinceBest(
  finished: readonly Finished[],
  direction: Direction,
): number | undefined {
  const inOrder = [...finished].sort((a, b) => a.endedAt - b.endedAt || a.trial - b.trial);
  let best: number | undefined;
  let since: number | undefined;
  for (const { value } of inOrder) {
    const better = value !== null && Number.isFinite(value) &&
      (best === undefined || (direction === "max" ? value > best : value < best));
    if (better) [best, since] = [value, 0];
    else if (since !== undefined) since++;
  }
  return since;
}
