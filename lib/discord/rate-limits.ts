import type { Clock } from "../base/clock.ts";

/** What Discord told of its limits, so that a call waits before it is refused. */
export interface RateLimits {
  /** Milliseconds until this route may be called; 0: now. */
  wait(key: string): number;
  /** One call of this route goes out. */
  spend(key: string): void;
  /** What an answer said. `major`: see `majorOf`. */
  learn(key: string, major: string, headers: Headers): void;
  /** Discord refused a call and names when it may come again. */
  refuse(key: string, waitMs: number, everywhere: boolean): void;
  /** Routes that are remembered; for tests. */
  size(): number;
}

interface Bucket {
  remaining: number;
  resetAt: number;
}

/** Beyond so many routes, the ones whose limits have run out are forgotten. */
const MANY = 64;
/** No limit of Discord's is longer; a time beyond it would never be forgotten. */
const LONGEST_S = 3_600;

export function createRateLimits(clock: Clock): RateLimits {
  const buckets = new Map<string, Bucket>();
  const byRoute = new Map<string, Bucket>();
  let allResetAt = 0;

  function forgetOld(): void {
    if (byRoute.size <= MANY) return;
    for (const map of [buckets, byRoute]) {
      for (const [key, { resetAt }] of map) if (resetAt <= clock.now()) map.delete(key);
    }
  }

  return {
    wait(key) {
      const now = clock.now();
      const bucket = byRoute.get(key);
      const here = bucket !== undefined && bucket.remaining <= 0 ? bucket.resetAt - now : 0;
      return Math.max(0, here, allResetAt - now);
    },
    spend(key) {
      const bucket = byRoute.get(key);
      if (bucket === undefined) return;
      if (bucket.resetAt <= clock.now()) byRoute.delete(key);
      else bucket.remaining--;
    },
    learn(key, major, headers) {
      const remaining = numberIn(headers, "x-ratelimit-remaining");
      const after = numberIn(headers, "x-ratelimit-reset-after");
      if (remaining === undefined || after === undefined) return;
      const name = headers.get("x-ratelimit-bucket");
      const id = name === null ? undefined : `${name} ${major}`;
      const bucket = (id === undefined ? undefined : buckets.get(id)) ??
        { remaining: 0, resetAt: 0 };
      bucket.remaining = remaining;
      bucket.resetAt = clock.now() + Math.min(after, LONGEST_S) * 1000;
      if (id !== undefined) buckets.set(id, bucket);
      byRoute.set(key, bucket);
      forgetOld();
    },
    refuse(key, waitMs, everywhere) {
      const until = clock.now() + waitMs;
      if (everywhere) allResetAt = Math.max(allResetAt, until);
      else {
        const bucket = byRoute.get(key) ?? { remaining: 0, resetAt: 0 };
        bucket.remaining = 0;
        bucket.resetAt = Math.max(bucket.resetAt, until);
        byRoute.set(key, bucket);
      }
    },
    size: () => Math.max(byRoute.size, buckets.size),
  };
}

function numberIn(headers: Headers, name: string): number | undefined {
  const value = Number(headers.get(name) ?? Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
