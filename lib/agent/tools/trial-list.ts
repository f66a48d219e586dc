import type { Desk, TrialDocument } from "../../actions/desk.ts";
import { NothingError, UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { parseIndexSpec } from "../../sweep/index-spec.ts";
import { cleanLine } from "../quote-data.ts";

/** More than any sweep; "0-9999999" is a slip and would only cost memory. */
const MOST_TRIALS = 100_000;
const HIGHEST = 10_000_000;
const FORMS = 'write trials as "0,3-7" or [0,3,4]';

/** One trial. */
export const trialIndex = z.int().min(0).max(HIGHEST);

/** Trials as a text of ranges or as a list. */
export const trialList = z.union([
  z.string().describe('Such as "0,3-7"'),
  z.array(z.int()),
]);

export type TrialList = z.infer<typeof trialList>;

/** Sorted, each once, at least one. Throws UserError saying what is wrong with the list. */
export function readTrials(given: TrialList, name = "trials"): number[] {
  const indices = typeof given === "string" ? readSpec(given, name) : readArray(given, name);
  if (indices.length > 0) return indices;
  throw new UserError(`Cannot use argument "${name}": found no trial, wanted at least one`, {
    hint: capital(FORMS),
  });
}

function readArray(given: readonly number[], name: string): number[] {
  const wrong = given.find((one) => !(Number.isSafeInteger(one) && one >= 0 && one <= HIGHEST));
  if (wrong !== undefined) {
    throw new UserError(
      `Cannot use argument "${name}": found ${wrong}, wanted indices from 0 to ${HIGHEST}`,
    );
  }
  refuseTooMany(given.length, name);
  return [...new Set(given)].sort((a, b) => a - b);
}

function readSpec(given: string, name: string): number[] {
  // Models write lists as JSON in a text, too.
  const spec = given.trim().replace(/^\[(.*)\]$/s, "$1").replace(/[#\s]+/g, "").replace(/,+$/, "");
  if (spec === "") return [];
  let trials = 0;
  for (const part of spec.split(",", MOST_TRIALS + 1)) {
    const range = /^(\d{1,8})(?:-(\d{1,8}))?$/.exec(part);
    const span = range === null ? NaN : Number(range[2] ?? range[1]) - Number(range[1]) + 1;
    if (!(span > 0)) {
      throw new UserError(
        `Cannot use argument "${name}": "${cleanLine(part, 40)}" is no index and no range`,
        { hint: capital(FORMS) },
      );
    }
    trials += span;
  }
  refuseTooMany(trials, name);
  return parseIndexSpec(spec);
}

function refuseTooMany(trials: number, name: string): void {
  if (trials <= MOST_TRIALS) return;
  throw new UserError(
    `Cannot use argument "${name}": found ${trials} trials, wanted at most ${MOST_TRIALS}`,
    { hint: "Name only trials that exist; read_state lists them" },
  );
}

/** The trial, or NothingError saying that there is none. */
export function requireTrial(desk: Desk, index: number): TrialDocument {
  const trial = desk.trial(index);
  if (trial !== undefined) return trial;
  const { total } = desk.status({ limit: 1 });
  throw new NothingError(`Cannot find trial ${index}: the sweep has ${total} trials`, {
    hint: "read_state lists them",
  });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
