import type { Clock } from "../base/clock.ts";
import type { Runner } from "../base/process.ts";
import { createLocalScheduler } from "../schedulers/local/scheduler.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import { createSlurmScheduler } from "../schedulers/slurm/scheduler.ts";

export interface SchedulersParts {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Folder of the local scheduler's jobs. */
  spool: string;
  /** Command line that runs the local scheduler's supervisor. */
  supervisor: readonly string[];
  /** Local trials at once, read when the local scheduler is first needed. */
  slots(): number | undefined;
  /** SLURM of another computer, where the sweep names one. */
  far?(): Scheduler | undefined;
  /** How a program is run here. */
  run: Runner;
}

export interface Schedulers {
  named(name: "slurm" | "local"): Scheduler;
  /** Looks at the local spool and never starts anything that waits there. */
  watchingLocal(): Scheduler;
}

/** The schedulers of a workspace, each made when it is first asked for. */
export function createSchedulers(parts: SchedulersParts): Schedulers {
  const { env, clock, spool, supervisor } = parts;
  const made = new Map<string, Scheduler>();

  function make(name: "slurm" | "local"): Scheduler {
    if (name === "local") {
      return createLocalScheduler({ spool, supervisor, clock, slots: parts.slots() });
    }
    const uid = process.getuid?.() ?? 0;
    return createSlurmScheduler({ run: parts.run, clock, uid, environment: env });
  }

  return {
    named(name) {
      // The YAML may name another host by now.
      const far = name === "slurm" ? parts.far?.() : undefined;
      if (far !== undefined) return far;
      const scheduler = made.get(name) ?? make(name);
      made.set(name, scheduler);
      return scheduler;
    },
    watchingLocal: () => createLocalScheduler({ spool, supervisor: [], clock, passive: true }),
  };
}
