import type { Parts } from "../actions/parts.ts";
import type { Scheduler } from "../schedulers/scheduler.ts";
import type { Happening } from "../sweep/event.ts";
import type { SweepState } from "../sweep/state.ts";

/**
 * Parts for what must be done although nothing can be written, such as a stop
 * while the disk is full: the state changes in memory alone, and nothing is
 * decided that rests on a file.
 */
export function unwrittenParts(
  parts: Omit<Parts, "state" | "append">,
  state: SweepState,
  happened: (what: Happening) => void,
): Parts {
  const schedulers = new Map<string, Scheduler>();
  return {
    ...parts,
    state: () => state,
    append: (whats) => whats.forEach(happened),
    scheduler(name) {
      const known = schedulers.get(name) ?? withoutConclusions(parts.scheduler(name));
      schedulers.set(name, known);
      return known;
    },
    files: {
      ...parts.files,
      // Any later look writes it.
      writeSignal: () => {},
    },
  };
}

/** That a submission never arrived takes a marker on the disk, so nobody may conclude it. */
function withoutConclusions(scheduler: Scheduler): Scheduler {
  return {
    ...scheduler,
    find: async (jobName, since) => ({
      ...await scheduler.find(jobName, since),
      conclusive: false,
    }),
  };
}
