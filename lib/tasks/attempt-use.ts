import type { WorkUse } from "./backend.ts";

/** The sum of an attempt's calls to models. */
export interface UseSum {
  add(use: WorkUse): void;
  /**
   * One entry for each model, and a second one for calls of it that came without a price: a
   * provider's own dollars and the price table's must not be mixed up.
   */
  all(): WorkUse[];
}

export function createUseSum(): UseSum {
  const sums = new Map<string, WorkUse>();
  return {
    add(use) {
      const key = `${use.usd === undefined ? "table" : "told"} ${use.model}`;
      const sum = sums.get(key);
      sums.set(key, sum === undefined ? { ...use } : plus(sum, use));
    },
    all: () => [...sums.values()].map((use) => ({ ...use })),
  };
}

function plus(a: WorkUse, b: WorkUse): WorkUse {
  return {
    model: a.model,
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    usd: a.usd === undefined || b.usd === undefined ? undefined : a.usd + b.usd,
  };
}
