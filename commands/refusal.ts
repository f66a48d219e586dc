import { RefusedError } from "../lib/base/errors.ts";

/** An expected no of a verb, as the command line tells it: exit 3. */
export function refusalOf(outcome: {
  reason: string;
  hint?: string;
  facts: Readonly<Record<string, unknown>>;
}): RefusedError {
  return new RefusedError(outcome.reason, {
    ...(outcome.hint === undefined ? {} : { hint: outcome.hint }),
    facts: outcome.facts,
  });
}
