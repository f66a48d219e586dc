import type { Place } from "./place.ts";
import type { SweepState } from "./state.ts";

/** Where jobs of the slurm scheduler may be alive: another computer, "here", or undefined for nowhere. */
export function placeOfLive(state: SweepState): Place | "here" | undefined {
  let found: Place | "here" | undefined;
  for (const { submission, phase } of state.attempts.values()) {
    const of = phase === "ended" ? undefined : state.submissions.get(submission);
    if (of?.scheduler !== "slurm") continue;
    if (of.there !== undefined) return of.there;
    found = "here";
  }
  return found;
}
