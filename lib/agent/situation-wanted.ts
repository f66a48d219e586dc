import type { Purpose, SituationInput } from "./situation-input.ts";

/** What the turn is to end with. */
export function wantedOf({ purpose, pending }: SituationInput, shown: number): string {
  const later = pending.length - shown;
  const answer = shown === 0
    ? ""
    : ` Answer ${shown === 1 ? "the message" : `all ${shown} messages`} above in that text${
      later > 0 ? `; ${later} more come with the next turn` : ""
    }.`;
  return `Wanted: ${WANTED[purpose]}${purpose === "interview" ? "" : answer}`;
}

const WANTED: Readonly<Record<Purpose, string>> = {
  message: "do what is asked, if it is clear and allowed, then one text for the channel.",
  failure: "judge the new failures: what is proven, what likely caused them, what should be done " +
    "that the rules have not done. One text for the channel.",
  plateau: "judge whether the objective still improves, from metrics and not from a glance. Say " +
    "what you would do; ask before anything that ends trials. One text for the channel.",
  report: "the final report: best trial with its parameters and value, what failed and why, what " +
    "the results suggest to try next. At most ten sentences, one text for the channel.",
  tick: "one or two sentences on how it goes. Without news, one is enough.",
  interview: "read the answer to the open question out of the message. Call no tools. Reply with " +
    "exactly one line: `ANSWER: <one of the choices, or the value in the form asked for>` when " +
    "it is clear, else `ASK: <one short question>`.",
};
