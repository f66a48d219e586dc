import { memoryText } from "../sweep/efficiency.ts";
import { describeEnding } from "../sweep/status.ts";
import type { TrialView } from "../sweep/view.ts";
import { limitText } from "./duration-text.ts";
import { quoted } from "./post-text.ts";

/** What is known of a failure beside how the attempt ended. */
export interface FailureFacts {
  /** The exception and its message, as triage found them in the log. */
  headlineOf?(trial: number): string | undefined;
  /** Seconds that the trial was allowed; null for no limit. */
  timeLimitOf?(trial: number): number | null | undefined;
}

/** Why a trial failed, in a few words: "out of memory (limit 8G)", "ValueError: no such file (exit 1)". */
export function failureText(view: TrialView, facts: FailureFacts = {}): string {
  const { attempt, trial } = view;
  const cause = attempt?.ending?.cause;
  const asked = attempt?.usage?.requestedMemoryBytes;
  if (cause === "out-of-memory") {
    return `out of memory${asked === undefined ? "" : ` (limit ${memoryText(asked)})`}`;
  }
  if (cause === "timeout") {
    const limit = facts.timeLimitOf?.(trial.index);
    return `out of time${
      limit === undefined || limit === null ? "" : ` (limit ${limitText(limit)})`
    }`;
  }
  const ending = attempt === undefined ? undefined : describeEnding(attempt);
  const headline = facts.headlineOf?.(trial.index);
  if (headline === undefined || headline.trim() === "") return ending ?? "no cause is known";
  const said = quoted(headline);
  return ending === undefined || said.includes(ending) ? said : `${said} (${ending})`;
}
