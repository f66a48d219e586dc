import type { Scheduler, TaskRef } from "../schedulers/scheduler.ts";
import { taskKey } from "../sweep/sighting.ts";
import type { Answer, JobRecord } from "../sweep/sighting.ts";
import type { SweepState } from "../sweep/state.ts";
import { isOpen, wantsAccounting } from "../sweep/transition.ts";
import type { Observation } from "../sweep/transition.ts";

/** Jobs of HyperHerd's are no older. */
const CARRIED_AGE_MS = 10 * 365 * 24 * 3_600_000;

export interface WatchParts {
  scheduler(name: "slurm" | "local"): Scheduler;
  /** What the jobs wrote about themselves, by `attemptKey`. */
  readRecords(tasks: readonly { submission: string; task: number }[]): Map<string, JobRecord>;
}

/**
 * One look: for each scheduler that holds open attempts at most one call to its
 * queue and one to its accounting, whatever the number of trials. Decides and
 * writes nothing. With `ended` the queue is asked too where nothing is open: a
 * job that ended may have been requeued since.
 */
export async function observe(
  state: SweepState,
  parts: WatchParts,
  options: { ended?: boolean } = {},
): Promise<Observation[]> {
  const observations: Observation[] = [];
  for (const name of schedulersInUse(state, options.ended === true)) {
    const open = [...state.attempts.values()].filter((attempt) =>
      isOpen(attempt) && state.submissions.get(attempt.submission)?.scheduler === name
    );
    const submissions = [...state.submissions.values()].filter((submission) =>
      submission.scheduler === name && submission.jobId !== undefined
    );
    const asked = new Set(open.map(({ submission }) => submission));
    const since = submissions.reduce(
      (oldest, { id, carried, intendedAt }) =>
        // When HyperHerd submitted it is not known.
        Math.min(oldest, carried && asked.has(id) ? intendedAt - CARRIED_AGE_MS : intendedAt),
      Infinity,
    );
    const look = await parts.scheduler(name).look({
      jobs: submissions.map(({ jobId, jobName }) => ({ jobId: jobId!, jobName })),
      since,
      wanted: (inQueue) =>
        open.flatMap((attempt): TaskRef[] => {
          const ref = { jobId: attempt.jobId!, task: attempt.task };
          return wantsAccounting(attempt, inQueue.get(taskKey(ref.jobId, ref.task))) ? [ref] : [];
        }),
    });
    // After the look: a record that is older than the queue's word can at most be behind it.
    const records = parts.readRecords(open.map(({ submission, task }) => ({ submission, task })));
    observations.push({ scheduler: name, look, records });
  }
  return observations;
}

/** What the jobs themselves have written: no scheduler is asked, and silence means nothing. */
export function observeRecords(
  state: SweepState,
  { readRecords }: Pick<WatchParts, "readRecords">,
  now: number,
): Observation[] {
  const silent = {
    answered: false,
    reason: "not-asked",
    message: "only records were read",
  } as const;
  return [...schedulersInUse(state, false)].map((scheduler) => {
    const open = [...state.attempts.values()].filter((attempt) =>
      isOpen(attempt) && state.submissions.get(attempt.submission)?.scheduler === scheduler
    );
    const records = readRecords(open.map(({ submission, task }) => ({ submission, task })));
    const look = {
      at: now,
      queue: silent,
      accounting: silent,
      inQueue: new Map(),
      inAccounting: new Map(),
    };
    return { scheduler, look, records };
  });
}

function schedulersInUse(state: SweepState, ended: boolean): Set<"slurm" | "local"> {
  const names = new Set<"slurm" | "local">();
  // The local scheduler requeues nothing.
  const submissions = ended ? [...state.submissions.values()] : [];
  if (submissions.some(({ scheduler, jobId }) => scheduler === "slurm" && jobId !== undefined)) {
    names.add("slurm");
  }
  for (const attempt of state.attempts.values()) {
    const submission = state.submissions.get(attempt.submission);
    if (submission !== undefined && isOpen(attempt)) names.add(submission.scheduler);
  }
  return names;
}

/** What could not be learnt, one sentence a view. */
export function silences(observations: readonly Observation[]): string[] {
  return observations.flatMap(({ scheduler, look }) => [
    ...silence(`${scheduler} queue`, look.queue),
    ...silence(`${scheduler} accounting`, look.accounting),
  ]);
}

function silence(view: string, answer: Answer): string[] {
  if (answer.answered || answer.reason !== "unreachable") return [];
  return [
    `Cannot ask the ${view}: ${answer.message}; statuses that depend on it are as last known`,
  ];
}
