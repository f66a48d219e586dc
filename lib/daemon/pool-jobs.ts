import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { JobBoard, JobLine } from "../tasks/pool-desk.ts";
import type { Scale, WorkerJob } from "../tasks/pool-state.ts";
import { decideScale, waitingForSlurm } from "../tasks/scale-rules.ts";
import type { JobWorker } from "../tasks/scale-rules.ts";
import { scaleInForce } from "../tasks/scale-wish.ts";
import { createNews } from "../tasks/worker-news.ts";
import { judgeJob } from "./job-sighting.ts";
import type { JobSight } from "./job-sighting.ts";
import { lastLines } from "./last-lines.ts";
import type { JobRecords } from "./open-pool.ts";
import { recoverJob } from "./pool-job-recovery.ts";
import { createPoolJobSubmission } from "./pool-job-submission.ts";
import { createPoolJobTrouble } from "./pool-job-trouble.ts";
import type { PoolPlace } from "./pool-place.ts";
import { tidyJobs } from "./tidy-jobs.ts";

export interface PoolJobsParts {
  place: PoolPlace;
  /** The words that start herd. */
  self: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  desk: Pick<PoolDesk, "state" | "sightings" | "config" | "holdback" | "drain" | "onChange">;
  records: JobRecords;
  /** Undefined where SLURM is not installed. */
  scheduler: Scheduler | undefined;
  /** Takes in what workers have written last. */
  hear(): void;
  random?: () => number;
}

/** Keeps as many workers in SLURM as are wanted, and hears from SLURM when one is gone. */
export interface PoolJobs extends AsyncDisposable {
  start(): void;
  /** One round: what is due is looked at and done. */
  round(): Promise<void>;
  board(): JobBoard;
}

const ROUND_MS = 1_000;
const IDLE_MS = 30_000;
/** A look at all worker jobs: usually, when something is about to change, at most so often. */
const LOOK_MS = 30_000;
const SOON_MS = 10_000;
const LEAST_MS = 5_000;
const LONGEST_MS = 5 * 60_000;
/** A worker that reports every 15 seconds and is silent for so long may be gone. */
const SILENT_MS = 25_000;
/** So long a worker that should end has before SLURM ends it. */
const STOP_MS = 30_000;
const LEAVE_MS = 6 * 60_000;
const FIND_MS = 5_000;
/** One that ended sooner never came up well. */
const WELL_MS = 120_000;
const TIDY_MS = 10 * 60_000;

export function createPoolJobs(parts: PoolJobsParts): PoolJobs {
  const { desk, records, clock, log, scheduler, place } = parts;
  const { random = Math.random } = parts;
  const news = createNews(clock);
  const trouble = createPoolJobTrouble(clock, log);
  const submission = createPoolJobSubmission({ ...parts, trouble });
  const over = new AbortController();
  const sights = new Map<string, JobSight>();
  const missing = new Map<string, number>();
  const cancelled = new Map<string, number>();
  const heard = new Set<string>();
  let working: Promise<void> | undefined;
  let unlisten: (() => void) | undefined;
  let lookedAt = -Infinity;
  let lookFailures = 0;
  let foundAt = -Infinity;
  let tidiedAt = -Infinity;
  let followed: Scale | undefined;

  const jobs = () => [...desk.state().jobs.values()];

  async function round(): Promise<void> {
    const { scale } = desk.state();
    if (clock.now() - tidiedAt > TIDY_MS) {
      tidiedAt = clock.now();
      tidyJobs(place, desk.state(), tidiedAt);
    }
    if (scale === undefined && jobs().length === 0) return;
    if (scheduler === undefined) {
      return trouble.complain("Cannot run workers in SLURM: sbatch is not installed here");
    }
    for (const name of desk.sightings().keys()) heard.add(name);
    await recover(scheduler);
    if (isLookDue()) await look(scheduler);
    await follow(scheduler);
  }

  /** What became of submissions whose answer is not known. */
  async function recover(slurm: Scheduler): Promise<void> {
    const open = jobs().filter(({ jobId }) => jobId === undefined);
    if (open.length === 0 || clock.now() - foundAt < FIND_MS) return;
    foundAt = clock.now();
    for (const job of open) {
      const became = await recoverJob(slurm, job, parts);
      if (became === "found") lookedAt = -Infinity;
      if (became !== "never") continue;
      end(job, { how: "NEVER", why: "its SLURM job was never submitted", isFailure: false });
    }
  }

  function isLookDue(): boolean {
    const known = jobs().filter(({ jobId }) => jobId !== undefined);
    if (known.length === 0) return false;
    const now = clock.now();
    if (lookFailures > 0) {
      return now - lookedAt >= Math.min(LONGEST_MS, SOON_MS * 2 ** (lookFailures - 1));
    }
    const isSilent = known.some(({ worker }) => {
      const seen = desk.sightings().get(worker);
      return seen !== undefined && (now - seen.at > SILENT_MS || seen.report.leaving);
    });
    const isMoving = known.some(({ worker }) => sights.get(worker)?.kind !== "running");
    const everyMs = isSilent ? LEAST_MS : isMoving ? SOON_MS : LOOK_MS;
    // Not in step with others who look at the same controller.
    return now - lookedAt >= everyMs * (0.9 + random() * 0.2);
  }

  async function look(slurm: Scheduler): Promise<void> {
    const known = jobs().filter((job): job is WorkerJob & { jobId: string } =>
      job.jobId !== undefined
    );
    lookedAt = clock.now();
    const refs = known.map(({ jobId, jobName }) => ({ jobId, jobName }));
    const found = await slurm.look({
      jobs: refs,
      since: Math.min(...known.map(({ intendedAt }) => intendedAt)),
      wanted: (inQueue, queue) =>
        !queue.answered ? [] : known.filter(({ jobId }) => !inQueue.has(`${jobId}_0`))
          .map(({ jobId }) => ({ jobId, task: 0 })),
    });
    lookFailures = found.queue.answered ? 0 : lookFailures + 1;
    for (const job of known) {
      const key = `${job.jobId}_0` as const;
      const isMissing = found.queue.answered && !found.inQueue.has(key) &&
        !found.inAccounting.has(key);
      if (!isMissing) missing.delete(job.worker);
      else if (!missing.has(job.worker)) missing.set(job.worker, found.at);
      const sight = judgeJob(job, found, missing.get(job.worker));
      if (sight.kind === "ended") end(job, sight);
      else sights.set(job.worker, sight);
    }
  }

  function end(
    job: WorkerJob,
    { how, why, isFailure }: Pick<JobSight & { kind: "ended" }, "how" | "why" | "isFailure">,
  ): void {
    // What it wrote before it went counts.
    parts.hear();
    const isWished = cancelled.has(job.worker) || isLeaving(job.worker);
    const wasHeard = heard.has(job.worker);
    const age = clock.now() - (job.submittedAt ?? job.intendedAt);
    log.write("info", `Worker "${job.worker}" is gone: ${why}`);
    records.ended(job.worker, how, `worker "${job.worker}" is gone: ${why}`);
    for (const one of [sights, missing, cancelled]) one.delete(job.worker);
    heard.delete(job.worker);
    if (isWished || how === "NODE_FAIL" || how === "PREEMPTED" || how === "NEVER") return;
    if (wasHeard && (!isFailure || age > WELL_MS)) {
      trouble.worked();
      trouble.complain(undefined);
      return;
    }
    const words = lastLines(join(place.jobs, job.worker, "output.log")).trim().split("\n").at(-1);
    trouble.setBack(
      `The last worker in SLURM did not come up: ${why}${words ? `; it said: ${words}` : ""}`,
    );
  }

  function isLeaving(worker: string): boolean {
    const { workers, stopped } = desk.state();
    return stopped !== undefined || workers.get(worker)?.draining !== false ||
      desk.sightings().get(worker)?.report.leaving === true;
  }

  /** As many as are wanted. */
  async function follow(slurm: Scheduler): Promise<void> {
    const state = desk.state();
    const now = clock.now();
    await endThoseThatShould(slurm);
    if (state.scale === undefined) return;
    const wish = scaleInForce(state.scale, desk.config());
    if (state.scale !== followed) {
      followed = state.scale;
      trouble.forget();
    }
    const steps = decideScale({
      ...wish,
      waiting: waitingForSlurm(state, now),
      held: desk.holdback() !== undefined,
      workers: jobs().map((job) => workerOf(job)),
      now,
    });
    for (const worker of steps.drain) desk.drain(worker, true, "pool");
    await cancel(slurm, steps.cancel, "it is not needed any more");
    if (steps.submit === 0 || !trouble.mayTry()) return;
    if (await submission.submit(slurm, steps.submit, over.signal)) news.tell(ROUND_MS);
  }

  function workerOf(job: WorkerJob): JobWorker {
    const { worker, slots } = job;
    const sight = sights.get(worker);
    const own = [...desk.state().tasks.values()].filter(({ status, attempts }) =>
      (status === "assigned" || status === "running") && attempts.at(-1)?.worker === worker
    );
    const ends = [...desk.state().tasks.values()].flatMap(({ attempts }) =>
      attempts.flatMap((one) => one.worker === worker ? [one.endedAt ?? 0] : [])
    );
    const began = sight?.kind === "running" ? sight.startedAt ?? 0 : 0;
    const isWaiting = job.jobId !== undefined && sight?.kind === "waiting";
    return {
      worker,
      slots,
      phase: job.jobId === undefined ? "asked" : isWaiting ? "waiting" : "running",
      outdated: job.intendedAt < (desk.state().scale?.shapedAt ?? 0),
      leaving: cancelled.has(worker) || isLeaving(worker),
      held: own.length,
      idleSince: Math.max(job.submittedAt ?? job.intendedAt, began, ...ends),
    };
  }

  /** Those that were told to end and do not. */
  async function endThoseThatShould(slurm: Scheduler): Promise<void> {
    const { stopped, workers } = desk.state();
    const now = clock.now();
    const due = jobs().filter(({ worker, jobId, submittedAt }) => {
      if (jobId === undefined) return false;
      const sight = sights.get(worker);
      if (stopped?.now === true) return sight?.kind === "waiting" || now - stopped.at > STOP_MS;
      if (!workers.has(worker)) return true;
      if (sight?.kind === "waiting") return workers.get(worker)!.draining;
      const seen = desk.sightings().get(worker)?.at ?? submittedAt ?? now;
      return sight?.kind === "running" && isLeaving(worker) && now - seen > LEAVE_MS;
    });
    await cancel(slurm, due.map(({ worker }) => worker), "it was told to end");
  }

  async function cancel(slurm: Scheduler, workers: readonly string[], why: string): Promise<void> {
    const now = clock.now();
    const due = workers.flatMap((worker) => {
      const jobId = desk.state().jobs.get(worker)?.jobId;
      const isNew = now - (cancelled.get(worker) ?? -Infinity) > 60_000;
      return jobId === undefined || !isNew ? [] : [{ worker, jobId }];
    });
    if (due.length === 0) return;
    for (const { worker } of due) cancelled.set(worker, now);
    log.write("info", `Cancelling ${due.map(({ worker }) => worker).join(", ")}: ${why}`);
    const { ok, detail } = await slurm.cancel(due.map(({ jobId }) => ({ jobId, task: 0 })));
    if (!ok) trouble.complain(`Cannot cancel workers in SLURM: ${detail}`);
    lookedAt = Math.min(lookedAt, clock.now() - LOOK_MS + 2_000);
  }

  function board(): JobBoard {
    const lines = jobs().map((job): [string, JobLine] => [job.worker, {
      jobId: job.jobId,
      ...lineOf(job, sights.get(job.worker)),
    }]);
    return { trouble: trouble.text(), jobs: new Map(lines) };
  }

  async function work(): Promise<void> {
    while (!over.signal.aborted) {
      news.clear();
      try {
        await round();
      } catch (error) {
        // A full disk passes; what was not written has not happened.
        trouble.complain(
          `Cannot look after the workers in SLURM now: ${explain(error, "terminal")}`,
        );
      }
      const isActive = desk.state().scale !== undefined || jobs().length > 0;
      await news.wait(isActive ? ROUND_MS : IDLE_MS, over.signal);
    }
  }

  return {
    round,
    board,
    start() {
      unlisten = desk.onChange(() => desk.state().scale !== undefined && news.tell(200));
      working ??= work();
    },
    async [Symbol.asyncDispose]() {
      unlisten?.();
      over.abort();
      await working;
    },
  };
}

function lineOf(job: WorkerJob, sight: JobSight | undefined): Omit<JobLine, "jobId"> {
  if (sight === undefined || sight.kind === "ended") {
    const state = job.jobId === undefined ? "SUBMITTING" : "SUBMITTED";
    return { state, node: undefined, reason: undefined };
  }
  switch (sight.kind) {
    case "waiting":
      return { state: "PENDING", node: undefined, reason: sight.reason };
    case "running":
      return { state: sight.word, node: sight.node, reason: undefined };
    case "unknown":
      return { state: "UNKNOWN", node: undefined, reason: sight.why };
  }
}
