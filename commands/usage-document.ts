import { formatDuration } from "../lib/sweep/duration.ts";
import type { UsageRow } from "../lib/sweep/efficiency.ts";
import type { SweepState } from "../lib/sweep/state.ts";
import { elapsedSeconds } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";

/** What HyperHerd's `stats` and `snapshot` say of a trial's use of the cluster. Unknown is null. */
export interface UsageFields {
  slurm_state: string | null;
  /** As SLURM writes it: `HH:MM:SS`, with days in front. */
  elapsed: string | null;
  elapsed_seconds: number | null;
  max_rss_bytes: number | null;
  ave_rss_bytes: number | null;
  req_mem_bytes: number | null;
}

export function usageFields({ attempt }: TrialView, now: number): UsageFields {
  const elapsed = elapsedSeconds(attempt, now);
  const usage = attempt?.usage;
  return {
    slurm_state: attempt?.schedulerState ?? null,
    elapsed: elapsed === undefined ? null : formatDuration(elapsed),
    elapsed_seconds: elapsed ?? null,
    max_rss_bytes: usage?.maxRssBytes ?? null,
    ave_rss_bytes: usage?.aveRssBytes ?? null,
    req_mem_bytes: usage?.requestedMemoryBytes ?? null,
  };
}

export function usageRow(view: TrialView, state: SweepState, now: number): UsageRow {
  const { attempt } = view;
  const submission = attempt && state.submissions.get(attempt.submission);
  return {
    usage: attempt?.usage,
    elapsedSeconds: elapsedSeconds(attempt, now),
    // What HyperHerd asked for is not known.
    limitSeconds: submission?.carried === true ? undefined : submission?.timeSeconds,
    cause: attempt?.ending?.cause,
  };
}
