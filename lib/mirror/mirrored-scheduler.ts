import { join, relative } from "node:path";
import type { Clock } from "../base/clock.ts";
import { SchedulerError, UserError } from "../base/errors.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import type { Answer } from "../sweep/sighting.ts";
import { asScheduler } from "./as-scheduler.ts";
import type { Mirror } from "./mirror.ts";
import type { ThereAndFacts } from "./there-and-facts.ts";

export interface MirroredSchedulerParts {
  mirror: Mirror;
  /** Root of the workspace here. */
  root: string;
  clock: Clock;
  /** The scheduler of the host, once that is known. */
  make(there: ThereAndFacts): Scheduler;
  log(level: "warn", message: string): void;
}

/**
 * The scheduler of another computer: what a job needs is there before it is submitted, and what
 * jobs wrote is here after each look.
 */
export function createMirroredScheduler(parts: MirroredSchedulerParts): Scheduler {
  const { mirror } = parts;
  let made: Scheduler | undefined;

  async function scheduler(): Promise<Scheduler> {
    made ??= parts.make(await asScheduler(mirror.open()));
    return made;
  }

  /** The scheduler, or in which words it is silent. */
  async function ifThere(): Promise<{ inner: Scheduler } | { silent: Silent }> {
    try {
      return { inner: await scheduler() };
    } catch (error) {
      if (!(error instanceof SchedulerError)) throw error;
      return { silent: { answered: false, reason: "unreachable", message: error.message } };
    }
  }

  /** What is wrong with the files is told, and keeps no scheduler from being asked. Gives what it was. */
  async function anyway(act: Promise<unknown>): Promise<string | undefined> {
    try {
      await act;
      return undefined;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      parts.log("warn", error.message);
      return error.message;
    }
  }

  return {
    name: "slurm",
    // A question, which makes no folder there.
    async limits(request) {
      return await (made ?? parts.make(await asScheduler(mirror.survey()))).limits(request);
    },
    async submit(job) {
      const inner = await scheduler();
      await asScheduler(mirror.push());
      const { paths } = await asScheduler(mirror.open());
      const script = join(paths.root, relative(parts.root, job.script));
      return await inner.submit({ ...job, script });
    },
    async look(question) {
      const found = await ifThere();
      if ("silent" in found) {
        return {
          at: parts.clock.now(),
          queue: found.silent,
          accounting: found.silent,
          heardAt: mirror.pulledAt() ?? 0,
          inQueue: new Map(),
          inAccounting: new Map(),
        };
      }
      const look = await found.inner.look(question);
      // After it: then no record is older than what the queue said.
      const unheard = await anyway(mirror.pull());
      const heard = { ...look, heardAt: mirror.pulledAt() ?? 0 };
      if (unheard === undefined) return heard;
      // What is not in the queue any more has told in its record how it ended: without that it is not gone.
      return { ...heard, queue: { answered: false, reason: "unreachable", message: unheard } };
    },
    async find(jobName, since) {
      const found = await ifThere();
      if ("silent" in found) {
        return { jobIds: [], conclusive: false, detail: found.silent.message };
      }
      // A mark that keeps a late job from running has to be there before it is asked whether one came.
      const untold = await anyway(mirror.settle());
      const answer = await found.inner.find(jobName, since);
      // The job's own record may be the only one that tells of it.
      const unheard = answer.jobIds.length > 0 ? undefined : await anyway(mirror.pull());
      const trouble = untold ?? unheard;
      if (trouble === undefined) return answer;
      return { ...answer, conclusive: false, detail: answer.detail || trouble };
    },
    async cancel(tasks) {
      const found = await ifThere();
      if ("silent" in found) return { ok: false, detail: found.silent.message };
      // What is to do nothing, or to end by itself, has to find that word.
      await anyway(mirror.tell());
      return await found.inner.cancel(tasks);
    },
    throttle: async (jobId, limit) => (await scheduler()).throttle(jobId, limit),
    async estimate(tasks) {
      const found = await ifThere();
      if ("silent" in found) return { answer: found.silent, tasks: [] };
      return await found.inner.estimate?.(tasks) ??
        { answer: { answered: true }, tasks: [] };
    },
  };
}

type Silent = Extract<Answer, { answered: false }>;
