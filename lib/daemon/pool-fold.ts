import type { Fold } from "../store/journal-reading.ts";
import { isPoolHappening } from "../tasks/pool-event.ts";
import type { PoolHappening } from "../tasks/pool-event.ts";
import { applyToPool, emptyPool, POOL_STATE_VERSION } from "../tasks/pool-state.ts";
import type { PoolState } from "../tasks/pool-state.ts";

/** How the pool's journal becomes its state. */
export const POOL_FOLD: Fold<PoolState, PoolHappening> = {
  version: POOL_STATE_VERSION,
  empty: emptyPool,
  apply: applyToPool,
  knows: isPoolHappening,
  toPlain: ({ tasks, keys, workers, fired, jobs, ...plain }) => ({
    ...plain,
    tasks: [...tasks],
    keys: [...keys],
    workers: [...workers],
    fired: [...fired],
    jobs: [...jobs],
  }),
  fromPlain(plain) {
    const { tasks, keys, workers, fired, jobs, ...rest } = plain as Record<string, never>;
    return {
      ...(rest as unknown as PoolState),
      tasks: new Map(tasks),
      keys: new Map(keys),
      workers: new Map(workers),
      fired: new Map(fired),
      jobs: new Map(jobs),
    };
  },
};
