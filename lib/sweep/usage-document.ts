import { formatDuration } from "./duration.ts";
import { efficiencyOf } from "./efficiency.ts";
import type { UsageRow } from "./efficiency.ts";
import type { SweepState } from "./state.ts";
import type { Status } from "./status.ts";
import { elapsedSeconds } from "./view.ts";
import type { TrialView } from "./view.ts";

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

/** One trial of what `stats --json` prints. Shares are 1 for all of it. */
export function statsTrial(view: TrialView, state: SweepState, now: number): StatsTrial {
  const row = usageRow(view, state, now);
  const { memory, time, cpu } = efficiencyOf(row);
  return {
    index: view.trial.index,
    experiment_name: view.trial.name,
    ...usageFields(view, now),
    status: view.status,
    cpu_seconds: row.usage?.cpuSeconds ?? null,
    allocated_cpus: row.usage?.allocatedCpus ?? null,
    time_limit_seconds: row.limitSeconds ?? null,
    memory_efficiency: memory,
    time_efficiency: time,
    cpu_efficiency: cpu,
  };
}

export interface StatsTrial extends UsageFields {
  index: number;
  experiment_name: string;
  status: Status;
  cpu_seconds: number | null;
  allocated_cpus: number | null;
  time_limit_seconds: number | null;
  memory_efficiency: number | null;
  time_efficiency: number | null;
  cpu_efficiency: number | null;
}
