import type { Look, Sighting } from "../sweep/sighting.ts";
import type { WorkerJob } from "../tasks/pool-state.ts";

/** What is known of a worker's job by now. */
export type JobSight =
  | { kind: "waiting"; reason: string | undefined }
  | { kind: "running"; node: string | undefined; startedAt: number | undefined; word: string }
  /** It may still run: SLURM says nothing, or nothing that is final. */
  | { kind: "unknown"; why: string }
  | { kind: "ended"; how: string; why: string; node: string | undefined; isFailure: boolean };

/** Neither in the queue nor in accounting for so long: nobody will say how it ended. Milliseconds. */
const FORGOTTEN_MS = 120_000;

const WORDS: Readonly<Record<string, string>> = {
  completed: "ended",
  failed: "failed",
  "out-of-memory": "ran out of memory",
  timeout: "ran out of its time",
  cancelled: "was cancelled",
  preempted: "was preempted",
  "node-failure": "lost its node",
  deadline: "reached its deadline",
  "launch-failure": "could not be started on its node",
};

/**
 * Judges one job by one look. Silence is no end: a controller that is down, a job that cleans up, one
 * whose state this version does not know may all still run, and then the worker's lease decides.
 * `missingSince`: since when no view has had it.
 */
export function judgeJob(
  job: WorkerJob & { jobId: string },
  look: Look,
  missingSince: number | undefined,
): JobSight {
  if (!look.queue.answered) return { kind: "unknown", why: look.queue.message };
  const key = `${job.jobId}_0` as const;
  const queued = look.inQueue.get(key);
  if (queued !== undefined) return ofSighting(job, queued);
  const told = look.inAccounting.get(key);
  if (told !== undefined) {
    const sight = ofSighting(job, told);
    // Accounting lags behind the queue: what it believes to go on has left that.
    return sight.kind === "ended" ? sight : { kind: "unknown", why: "it has left SLURM's queue" };
  }
  const isAbsent = !look.accounting.answered && look.accounting.reason === "absent";
  const isForgotten = missingSince !== undefined && look.at - missingSince >= FORGOTTEN_MS;
  if ((look.accounting.answered || isAbsent) && isForgotten) {
    const why = `its SLURM job ${job.jobId} is in no list any more`;
    return { kind: "ended", how: "GONE", why, node: undefined, isFailure: true };
  }
  return { kind: "unknown", why: "it has left SLURM's queue, and its end is not known yet" };
}

function ofSighting({ jobId }: { jobId: string }, seen: Sighting): JobSight {
  const { state, raw, node, reason, startedAt, exitCode } = seen;
  if (state === "pending") return { kind: "waiting", reason };
  if (state === "running") return { kind: "running", node, startedAt, word: raw };
  const words = WORDS[state];
  if (words === undefined) return { kind: "unknown", why: `SLURM says "${raw}"` };
  const where = node === undefined ? "" : ` on ${node}`;
  const code = state === "failed" && exitCode !== undefined ? ` with exit code ${exitCode}` : "";
  return {
    kind: "ended",
    how: raw,
    why: `its SLURM job ${jobId} ${words}${code}${where} (${raw})`,
    node,
    isFailure: state !== "completed",
  };
}
