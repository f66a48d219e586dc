import type { Clock } from "../../base/clock.ts";
import { SchedulerError } from "../../base/errors.ts";
import type { Runner } from "../../base/process.ts";
import type { Answer, Sighting } from "../../sweep/sighting.ts";
import { keyOf } from "./task-key.ts";
import type { LookQuestion, Scheduler, TaskRef } from "../scheduler.ts";
import { answerOf, type Call, createCall } from "./call.ts";
import { discoverLimits } from "./limits.ts";
import { findByName } from "./find.ts";
import { parseSacct, sacctArgv } from "./sacct.ts";
import { readSubmission, sbatchArgv, sbatchEnvironment } from "./sbatch.ts";
import { cancelTasks, throttleArray } from "./control.ts";
import { estimateStarts } from "./starts.ts";
import { parseSqueue, squeueArgv } from "./squeue.ts";

export interface SlurmParts {
  /** The local machine, or a login node over ssh. */
  run: Runner;
  clock: Clock;
  /** Whose jobs; on the machine where SLURM's programs run. */
  uid: number;
  environment: Readonly<Record<string, string | undefined>>;
  /** For each call; a hung controller keeps a program for 10 to 20 s. */
  timeoutMs?: number;
  /** For each call of a look, which is only asked again later. */
  lookTimeoutMs?: number;
}

/** SLURM through its own programs: text in, text out. */
export function createSlurmScheduler(parts: SlurmParts): Scheduler {
  const { run, clock, uid, environment, timeoutMs = 60_000 } = parts;
  const { lookTimeoutMs = Math.min(timeoutMs, 30_000) } = parts;
  const call = createCall(run, { environment, timeoutMs });
  const ask = createCall(run, { environment, timeoutMs: lookTimeoutMs });
  const accounting = createAccounting(ask);
  return {
    name: "slurm",
    limits: (request = {}) => discoverLimits(ask, uid, request),
    submit: async (job) => {
      const env = sbatchEnvironment(job, environment);
      const ended = await run(sbatchArgv(job), { cwd: job.cwd, env, timeoutMs });
      const result = readSubmission(ended);
      if (result.kind === "accepted") return { jobId: result.jobId };
      throw new SchedulerError(
        result.kind,
        `Cannot submit "${job.jobName}": ${result.message}`,
        { detail: ended.stderr },
      );
    },
    look: async (question) => {
      const at = clock.now();
      const ended = await ask(squeueArgv(uid));
      const queue = answerOf(ended);
      const inQueue = queue.answered ? ours(parseSqueue(ended.stdout), question) : new Map();
      const wanted = question.wanted(inQueue, queue);
      const told = await accounting(wanted, at - question.since);
      return {
        at,
        queue,
        accounting: told.answer,
        inQueue,
        inAccounting: ours(told.seen, question),
      };
    },
    find: (jobName, since) => findByName(ask, uid, jobName, clock.now() - since),
    cancel: (tasks) => cancelTasks(call, tasks),
    throttle: (jobId, limit) => throttleArray(call, jobId, limit),
    estimate: (tasks) => estimateStarts(ask, uid, tasks),
  };
}

/** Job ids begin again some day: a row under another name is another job's. Without a name any will do. */
function ours(
  seen: ReadonlyMap<string, Sighting>,
  { jobs }: LookQuestion,
): ReadonlyMap<string, Sighting> {
  const names = new Map(jobs.map(({ jobId, jobName }) => [jobId, jobName]));
  return new Map(
    [...seen].filter(([, { jobId, jobName }]) => {
      const name = names.get(jobId);
      return name !== undefined && (name === "" || name === jobName);
    }),
  );
}

/**
 * One sacct for the tasks that are wanted. The first question about a job is for
 * the whole of it, so that the collapsed row of never-started tasks is seen;
 * later ones are for single tasks, which costs a hundredth in a large array,
 * until one stays without a row.
 */
function createAccounting(call: Call) {
  const single = new Set<string>();
  return async (
    wanted: readonly TaskRef[],
    ageMs: number,
  ): Promise<{ answer: Answer; seen: Map<string, Sighting> }> => {
    if (wanted.length === 0) {
      const answer: Answer = {
        answered: false,
        reason: "not-asked",
        message: "No task needs accounting",
      };
      return { answer, seen: new Map() };
    }
    const ended = await call(sacctArgv(wanted, (jobId) => single.has(jobId), ageMs));
    const answer = answerOf(ended);
    if (!answer.answered) return { answer, seen: new Map() };
    const seen = parseSacct(ended.stdout, wanted);
    for (const { jobId } of wanted) single.add(jobId);
    for (const { jobId, task } of wanted) {
      if (!seen.has(keyOf(jobId, task))) single.delete(jobId);
    }
    return { answer, seen };
  };
}
