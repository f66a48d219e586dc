import type { Parts } from "./parts.ts";
import type { Submission } from "../sweep/state.ts";

/**
 * After this long a submission that nobody knows did not arrive: sbatch itself
 * gives up after 10 s, and accounting shows a new job within 5 s (both measured).
 */
export const ARRIVAL_MS = 12_000;

/**
 * Finds out what became of submissions whose intent was written and whose result
 * was not: the process was killed in between, or the controller did not answer.
 * They are looked up by the unique name of their job, and adopted, or declared
 * never arrived. Returns those that cannot be decided yet.
 */
export async function recover(parts: Parts): Promise<Submission[]> {
  const undecided: Submission[] = [];
  for (const submission of [...parts.state().submissions.values()]) {
    if (submission.outcome !== "open") continue;
    if (!await decide(parts, submission)) undecided.push(submission);
  }
  return undecided;
}

/** Waits until every submission is decided; gives up with those that are not after `waitMs`. */
export async function recoverAll(parts: Parts, waitMs: number): Promise<Submission[]> {
  const until = parts.clock.now() + waitMs;
  for (;;) {
    const undecided = await recover(parts);
    if (undecided.length === 0 || parts.clock.now() >= until) return undecided;
    await parts.clock.sleep(500, parts.signal);
  }
}

async function decide(parts: Parts, submission: Submission): Promise<boolean> {
  const scheduler = parts.scheduler(submission.scheduler);
  const found = await scheduler.find(submission.jobName, submission.intendedAt);
  const jobId = found.jobIds[0] ?? jobByRecord(parts, submission);
  if (jobId !== undefined) {
    adopt(parts, submission, jobId);
    return true;
  }
  const age = parts.clock.now() - submission.intendedAt;
  // A local submission happens within the process that is gone: nothing of it is still on its way.
  const arrivalMs = submission.scheduler === "local" ? 0 : ARRIVAL_MS;
  if (!found.conclusive || age < arrivalMs) return false;
  // First the mark, then a second look: a job that slips in between is either seen by
  // the look or sees the mark. So nothing runs twice, however late it arrives.
  parts.files.voidSubmission(submission.id);
  parts.fault("voided");
  const again = await scheduler.find(submission.jobName, submission.intendedAt);
  const late = again.jobIds[0] ?? jobByRecord(parts, submission);
  if (late !== undefined) {
    adopt(parts, submission, late);
    return true;
  }
  if (!again.conclusive) {
    parts.files.unvoidSubmission(submission.id);
    return false;
  }
  parts.append([{
    type: "submission-ended",
    submission: submission.id,
    why: "never-arrived",
    detail: `No job named "${submission.jobName}" is known ${
      Math.round(age / 1000)
    } s after its intent`,
  }]);
  return true;
}

/**
 * The job's own word that it arrived. Without accounting nobody else remembers:
 * the queue forgets a job minutes after its end (MinJobAge).
 */
function jobByRecord(parts: Parts, { id }: Submission): string | undefined {
  const tasks = [...parts.state().attempts.values()].filter(({ submission }) => submission === id);
  for (const { jobId, voided } of parts.files.readRecords(tasks).values()) {
    if (jobId !== undefined && !voided) return jobId;
  }
  return undefined;
}

function adopt(parts: Parts, submission: Submission, jobId: string): void {
  // The mark may be an earlier recovery's that was killed before its second look.
  parts.files.unvoidSubmission(submission.id);
  parts.append([{ type: "submission-accepted", submission: submission.id, jobId, adopted: true }]);
}
