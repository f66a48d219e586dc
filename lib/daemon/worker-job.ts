import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { JOB_VARIABLE, patienceOf } from "../tasks/slurm-worker.ts";
import type { Worker } from "../tasks/worker.ts";
import { HANDED_BACK } from "../tasks/worker-runner.ts";

/** What is different for a worker that is a SLURM job. */
export interface WorkerJobHabits {
  /** The pool's folder, where attempts have their folders. */
  pool: string;
  tools: string;
  /** Whether its time is nearly over. */
  isEnding(): boolean;
  /** Once. */
  onDrain(leave: () => void): void;
  /**
   * SLURM's warning: it takes nothing new, and hands back what is not done shortly before the end.
   * Disposing stops listening.
   */
  watch(worker: Pick<Worker, "leave" | "endAll">, clock: Clock, log: Log): Disposable;
}

/** Undefined for a worker that is none. */
export function workerJob(
  env: Readonly<Record<string, string | undefined>>,
  pool: string | undefined,
): WorkerJobHabits | undefined {
  const lead = Number(env[JOB_VARIABLE]);
  if (pool === undefined || !Number.isFinite(lead) || lead <= 0) return undefined;
  let ending = false;
  let drained = false;
  return {
    pool,
    tools: join(pool, "TOOLS.md"),
    isEnding: () => ending,
    onDrain(leave) {
      if (drained) return;
      drained = true;
      // Not from within the worker's own round.
      queueMicrotask(leave);
    },
    watch(worker, clock, log) {
      const over = new AbortController();
      const warned = () => {
        log.write("info", `The job's time ends in ${lead} s: nothing new is taken`);
        worker.leave();
        clock.sleep(patienceOf(lead), over.signal).then(() => {
          ending = true;
          worker.endAll(HANDED_BACK);
        }, () => {});
      };
      process.once("SIGUSR2", warned);
      return {
        [Symbol.dispose]() {
          process.removeListener("SIGUSR2", warned);
          over.abort();
        },
      };
    },
  };
}
